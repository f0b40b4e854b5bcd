"""Table of the settings."""

from __future__ import annotations

from sqlalchemy import Column, Table, text

from server.kit.schema import FLAG, ID, MS, TEXT, metadata

setting = Table(
    "setting",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),  # of a secret: sealed, bound to the name
    Column("updated_at", MS, nullable=False),
    Column("sealed", FLAG, nullable=False, server_default=text("0")),
    Column("hint", TEXT),  # of a secret: its last letters
    Column("updated_by", ID),
    sqlite_strict=True,
)
