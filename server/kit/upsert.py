"""INSERT with ON CONFLICT: both databases have it, and SQLAlchemy has it once for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Table

from server.kit.tx import DialectName

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert


def upsert(dialect: DialectName, table: Table) -> SqliteInsert | PostgresqlInsert:
    """An insert into ``table`` for the database of this dialect, with ``on_conflict_do_update`` and ``…_do_nothing``.

    A statement that does not depend on its values is worth keeping, once for each dialect that is asked for.
    """
    # PostgreSQL's package is loaded whole and takes two MiB: none of that where the store is a file.
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert  # noqa: PLC0415

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # noqa: PLC0415

    return postgresql_insert(table)
