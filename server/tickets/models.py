"""Tables of the tickets: what customers ask, and what they are answered."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, text

from server.kit.schema import FLAG, ID, INT, MS, TEXT, metadata

ticket = Table(
    "ticket",
    metadata,
    Column("id", ID, primary_key=True),
    Column("number", INT, nullable=False, unique=True),
    Column(
        "slug", TEXT, nullable=False, unique=True
    ),  # as made of the first title; it never changes by itself
    Column("title", TEXT, nullable=False),
    Column("description", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),  # open | in_progress | resolved | closed
    Column("priority", TEXT, nullable=False, server_default=text("'normal'")),  # low | normal | high | urgent
    Column("person_id", ID, ForeignKey("person.id", ondelete="SET NULL"), index=True),
    Column("person_mark", TEXT),  # what stands in the customer's place after the erasure
    Column("anonymized_at", MS),
    Column("order_id", ID, index=True),
    Column("assigned_to", ID, ForeignKey("account.id", ondelete="SET NULL"), index=True),
    Column("comment_count", INT, nullable=False, server_default=text("0")),  # of those the customer sees
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Column("resolved_at", MS),
    Column("closed_at", MS),
    Index("ix_ticket_newest", "created_at", "id"),
    Index("ix_ticket_updated", "updated_at", "id"),
    Index("ix_ticket_status", "status", "created_at", "id"),
    sqlite_strict=True,
)

comment = Table(
    "ticket_comment",
    metadata,
    Column("id", ID, primary_key=True),
    Column("ticket_id", ID, ForeignKey("ticket.id", ondelete="CASCADE"), nullable=False),
    Column("is_internal", FLAG, nullable=False),
    Column("author_kind", TEXT, nullable=False),  # customer | staff
    Column("author_user_id", ID, index=True),  # staff
    Column("person_id", ID, ForeignKey("person.id", ondelete="SET NULL"), index=True),  # customer
    Column("author_mark", TEXT),  # what stands in the author's place after the erasure
    Column("anonymized_at", MS),
    Column("body", TEXT, nullable=False),
    Column("mail_id", ID, index=True),  # the mail that carries a reply to the customer
    Column("created_at", MS, nullable=False),
    Index("ix_ticket_comment_ticket", "ticket_id", "created_at", "id"),
    sqlite_strict=True,
)

history = Table(
    "ticket_history",
    metadata,
    Column("id", ID, primary_key=True),
    Column("ticket_id", ID, ForeignKey("ticket.id", ondelete="CASCADE"), nullable=False),
    Column("changed_by", ID, index=True),  # a user; none: the customer, or somebody deleted since
    Column("field", TEXT, nullable=False),  # status | assigned_to | priority
    Column("value_from", TEXT),
    Column("value_to", TEXT),
    Column("reason", TEXT),
    Column("created_at", MS, nullable=False),
    Index("ix_ticket_history_ticket", "ticket_id", "created_at", "id"),
    sqlite_strict=True,
)

ticket_counter = Table(
    "ticket_counter",
    metadata,
    Column("id", INT, primary_key=True, autoincrement=False),  # one row
    Column("last", INT, nullable=False),
    sqlite_strict=True,
)
"""The last ticket number given; numbers of deleted tickets are not given again."""
