"""The one catalogue of tables, and column types that mean the same on SQLite (STRICT) and PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TextClause,
    event,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Ids compare byte by byte on both databases, so that keyset pages agree with the index.
ID: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
TEXT: TypeEngine[str] = Text()
INT: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
MS = INT
"""Milliseconds since 1970, UTC."""
BYTES: TypeEngine[bytes] = LargeBinary()
FLAG: TypeEngine[int] = SmallInteger().with_variant(Integer(), "sqlite")
"""0 or 1; the same literal on both databases."""


class _Json(TypeDecorator[Any]):
    """A JSON value as text. Nothing searches inside it, so both databases store the same."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return (
            None
            if value is None
            else json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        )

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


JSON = _Json()


def partial_index(name: str, *columns: str, where: TextClause, unique: bool = False) -> Index:
    """An index over the rows that fulfil a condition, on either database.

    The condition is told to the database that the index is made in. As a keyword (``postgresql_where=``) it would load
    that database's dialect with every shop's tables, two MiB for nothing.
    """
    index = Index(name, *columns, unique=unique)

    @event.listens_for(index, "before_create")
    def _tell(index: Index, connection: Connection, **_: object) -> None:
        index.dialect_kwargs[f"{connection.dialect.name}_where"] = where

    return index


topic = Table(
    "topic",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("counter", INT, nullable=False),
    sqlite_strict=True,
)
"""One change counter per topic (see ``kit.topics``)."""

topic_event = Table(
    "topic_event",
    metadata,
    Column("seq", INT, primary_key=True, autoincrement=True),
    Column("topic", TEXT, nullable=False),
    Column("event", TEXT, nullable=False),
    Column("data", JSON, nullable=False),  # ids and the change, never a record
    Column("at", MS, nullable=False),
    Index("ix_topic_event_topic", "topic", "seq"),
    Index("ix_topic_event_at", "at"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)
"""What happened lately, for those who follow a topic (see ``kit.topics``); kept for a day."""

store_fact = Table(
    "store_fact",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
    sqlite_strict=True,
)
"""Facts of this store itself: when it was made, the key of its cursors."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("token_id", ID, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("request_hash", TEXT, nullable=False),
    Column("status", INT, nullable=False),
    Column("body", TEXT, nullable=False),
    Column("created_at", MS, nullable=False),
    sqlite_strict=True,
)
"""Answers to mutating requests that carried an Idempotency-Key, kept for a day."""
