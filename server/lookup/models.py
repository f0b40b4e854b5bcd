"""Table of the order look-up."""

from __future__ import annotations

from sqlalchemy import Column, Table

from server.kit.schema import ID, MS, TEXT, metadata

lookup_link = Table(
    "lookup_link",
    metadata,
    Column("id", ID, primary_key=True),
    Column("token_hash", TEXT, nullable=False, unique=True),
    Column("person_id", ID, nullable=False, index=True),
    Column("created_at", MS, nullable=False, index=True),
    Column("expires_at", MS, nullable=False),
    Column("used_at", MS),
    sqlite_strict=True,
)
"""Links that open a customer's orders: good for an hour, and once."""

lookup_session = Table(
    "lookup_session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("secret_hash", TEXT, nullable=False, unique=True),
    Column("person_id", ID, nullable=False, index=True),
    Column("created_at", MS, nullable=False),
    Column("expires_at", MS, nullable=False, index=True),
    sqlite_strict=True,
)
"""Browsers that see a customer's orders. Leaving, or the customer's erasure, ends one whoever holds its cookie."""
