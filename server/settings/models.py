"""Table of the settings."""

from __future__ import annotations

from sqlalchemy import Column, Table

from server.kit.schema import MS, TEXT, metadata

setting = Table(
    "setting",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
    Column("updated_at", MS, nullable=False),
    sqlite_strict=True,
)
