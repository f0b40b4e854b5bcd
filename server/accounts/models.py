"""Tables of the accounts: staff, and customers who signed up. A user's name and e-mail stand in the vault."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint

from server.kit.schema import FLAG, ID, INT, MS, TEXT, metadata

user = Table(
    "account",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ID, ForeignKey("person.id"), nullable=False, unique=True),
    Column("role", TEXT, nullable=False),  # owner | admin | support | readonly; user: a customer's account
    Column("active", FLAG, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("deactivated_at", MS),
    Column("last_seen_at", MS),
    sqlite_strict=True,
)

token = Table(
    "token",
    metadata,
    Column("id", ID, primary_key=True),  # the public part of the token
    Column("user_id", ID, ForeignKey("account.id", ondelete="CASCADE"), index=True),
    Column("role", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("secret_hash", TEXT, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("expires_at", MS),
    Column("last_used_at", MS),
    Column("revoked_at", MS),
    sqlite_strict=True,
)

oauth_link = Table(
    "oauth_link",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("provider", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),  # what the provider calls the person
    Column("created_at", MS, nullable=False),
    UniqueConstraint("provider", "subject"),
    sqlite_strict=True,
)
"""Accounts elsewhere through which a user may come in at the shop's front."""

invitation = Table(
    "invitation",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("code_hash", TEXT, nullable=False, unique=True),
    Column("invited_by", ID),
    Column("created_at", MS, nullable=False),
    Column("expires_at", MS, nullable=False),
    Column("accepted_at", MS),
    Column("revoked_at", MS),
    sqlite_strict=True,
)
"""Codes with which a new member of staff fetches the first token, once."""

setup_code = Table(
    "setup_code",
    metadata,
    Column("id", INT, primary_key=True),
    Column("code_hash", TEXT, nullable=False),
    Column("expires_at", MS, nullable=False),
    Column("attempts", INT, nullable=False),
    sqlite_strict=True,
)
