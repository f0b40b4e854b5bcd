"""Tables of the vault."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, text

from server.kit.schema import FLAG, ID, MS, TEXT, metadata, partial_index

person = Table(
    "person",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", TEXT, nullable=False),  # customer | staff
    Column("name", TEXT),
    Column("email", TEXT),
    Column("email_key", TEXT),  # casefolded: comparison of e-mails is case-insensitive
    Column("name_key", TEXT),  # casefolded, for search
    Column("phone", TEXT),
    Column("mark", TEXT, nullable=False),  # four signs shown in place of the name after erasure
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Column("erased_at", MS),
    Column("hidden_at", MS),  # locked and out of the lists: the erasure is scheduled
    partial_index(
        "uq_person_kind_email", "kind", "email_key", unique=True, where=text("email_key IS NOT NULL")
    ),
    Index("ix_person_newest", "created_at", "id"),
    Index("ix_person_kind", "kind", "created_at", "id"),
    sqlite_strict=True,
)

address = Table(
    "address",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ID, ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", TEXT),
    Column("line1", TEXT),
    Column("line2", TEXT),
    Column("city", TEXT),
    Column("postal_code", TEXT),
    Column("state", TEXT),
    Column("country", TEXT),
    Column("created_at", MS, nullable=False),
    sqlite_strict=True,
)

billing_profile = Table(
    "billing_profile",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ID, ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("address_id", ID, ForeignKey("address.id", ondelete="SET NULL"), index=True),
    Column("label", TEXT, nullable=False),
    Column("name", TEXT),
    Column("company", TEXT),
    Column("tax_id", TEXT),
    Column("email", TEXT),
    Column("phone", TEXT),
    Column("is_default", FLAG, nullable=False, server_default=text("0")),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    sqlite_strict=True,
)
"""To whom, and where, a person's invoices are made out."""

note = Table(
    "person_note",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ID, ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    Column("author_user_id", ID),  # none: by somebody who has been deleted since
    Column("body", TEXT, nullable=False),
    Column("created_at", MS, nullable=False),
    Index("ix_person_note_person", "person_id", "created_at"),
    sqlite_strict=True,
)
"""What staff wrote down about a person, for staff alone."""
