"""Table of the audit log. No foreign keys: an entry outlives its actor and what it speaks of."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from server.kit.schema import ID, INT, JSON, MS, TEXT, metadata

audit = Table(
    "audit",
    metadata,
    Column("seq", INT, primary_key=True, autoincrement=True),
    Column("id", ID, nullable=False, unique=True),
    Column("action", TEXT, nullable=False),
    Column("actor_user_id", ID),
    Column("actor_role", TEXT),
    Column("token_id", ID),
    Column("resource_type", TEXT),
    Column("resource_id", ID),
    Column("target_user_id", ID),
    Column("metadata", JSON, nullable=False),
    Column("inserted_at", MS, nullable=False),
    Index("ix_audit_inserted", "inserted_at", "id"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)
