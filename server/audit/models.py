"""Table of the audit log. No foreign keys: an entry outlives its actor and what it speaks of."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, text

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
    Column("module", TEXT, nullable=False, server_default=text("'access'")),  # the room whose act it was
    Column("mode", TEXT, nullable=False, server_default=text("'manual'")),  # manual | auto | cron | script
    Index("ix_audit_inserted", "inserted_at", "id"),
    Index("ix_audit_resource", "resource_type", "resource_id", "inserted_at"),
    Index("ix_audit_actor", "actor_user_id", "inserted_at"),
    Index("ix_audit_target", "target_user_id", "inserted_at"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)
