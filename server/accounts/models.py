"""Tables of the accounts. A user's name and e-mail stand in the vault."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from server.kit.schema import FLAG, ID, INT, MS, TEXT, metadata

user = Table(
    "staff_user",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ID, ForeignKey("person.id"), nullable=False, unique=True),
    Column("role", TEXT, nullable=False),
    Column("active", FLAG, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("deactivated_at", MS),
    sqlite_strict=True,
)

token = Table(
    "token",
    metadata,
    Column("id", ID, primary_key=True),  # the public part of the token
    Column("user_id", ID, ForeignKey("staff_user.id", ondelete="CASCADE"), index=True),
    Column("role", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("secret_hash", TEXT, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("expires_at", MS),
    Column("last_used_at", MS),
    Column("revoked_at", MS),
    sqlite_strict=True,
)

setup_code = Table(
    "setup_code",
    metadata,
    Column("id", INT, primary_key=True),
    Column("code_hash", TEXT, nullable=False),
    Column("expires_at", MS, nullable=False),
    Column("attempts", INT, nullable=False),
    sqlite_strict=True,
)
