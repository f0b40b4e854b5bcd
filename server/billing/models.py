"""Tables of the money: invoices and what was paid for them. Kept when a person goes; the person is taken off."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, text

from server.kit.schema import ID, INT, MS, TEXT, metadata

invoice = Table(
    "invoice",
    metadata,
    Column("id", ID, primary_key=True),
    Column("number", TEXT, nullable=False, unique=True),
    Column("state", TEXT, nullable=False),  # draft | sent | paid | overdue | void
    Column("person_id", ID, ForeignKey("person.id", ondelete="SET NULL"), index=True),
    Column("person_mark", TEXT),
    Column("anonymized_at", MS),
    Column("billing_profile_id", ID, ForeignKey("billing_profile.id", ondelete="SET NULL"), index=True),
    Column("order_id", ID, index=True),
    Column("currency", TEXT, nullable=False),
    Column("total", INT, nullable=False),
    Column("paid", INT, nullable=False, server_default=text("0")),
    Column("refunded", INT, nullable=False, server_default=text("0")),
    Column("due_on", TEXT),  # YYYY-MM-DD in the shop's time zone
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Column("sent_at", MS),
    Column("paid_at", MS),
    Column("voided_at", MS),
    Index("ix_invoice_newest", "created_at", "id"),
    sqlite_strict=True,
)

transaction = Table(
    "money_transaction",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", TEXT, nullable=False),  # payment | refund (its amount is negative)
    Column("invoice_id", ID, ForeignKey("invoice.id"), index=True),
    Column("order_id", ID, index=True),
    Column("person_id", ID, ForeignKey("person.id", ondelete="SET NULL"), index=True),
    Column("person_mark", TEXT),
    Column("anonymized_at", MS),
    Column("currency", TEXT, nullable=False),
    Column("amount", INT, nullable=False),
    Column("method", TEXT, nullable=False),  # card | transfer | cash | other
    Column("created_at", MS, nullable=False),
    Index("ix_money_transaction_newest", "created_at", "id"),
    sqlite_strict=True,
)

invoice_year = Table(
    "invoice_year",
    metadata,
    Column("year", TEXT, primary_key=True),  # in the shop's time zone
    Column("last", INT, nullable=False),
    sqlite_strict=True,
)
"""The last invoice number given in each year."""
