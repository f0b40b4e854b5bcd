"""Bring a store's tables to this version, safely from several processes at once."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from server.kit.db import Store
from server.kit.sqlite import SqliteStore, make_engine

HEAD = "0003"
"""The newest revision in ``server/migrations/versions``."""
KNOWN = ("0001", "0002", "0003")
_LOCK = 0x5348_4F50  # one number for all shopbell servers on one PostgreSQL database


class SchemaTooNewError(Exception):
    """The store was written by a newer shopbell; opening it with this one could damage it."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"This shop's data was written by a newer shopbell (schema {found}, this one knows {HEAD}). "
            "Upgrade shopbell, or restore a backup made by this version."
        )


def current(conn: Connection) -> str | None:
    """The revision that the tables stand at; None for an empty store."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(store: Store) -> None:
    """Run what is missing. Does nothing, and loads nothing heavy, when the store is up to date.

    Raises:
        SchemaTooNewError: the store knows a revision that this program does not.
    """
    if store.read(lambda tx: current(tx.conn)) == HEAD:
        return
    with _exclusive(store) as conn:
        found = current(conn)
        if found == HEAD:
            return
        if found is not None and found not in KNOWN:
            raise SchemaTooNewError(found)
        _upgrade(conn)


def _upgrade(conn: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - 0.35 s of import, needed only when behind
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    config.attributes["connection"] = conn
    command.upgrade(config, HEAD)


def _check_references(conn: Connection) -> None:
    broken = conn.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"migration would break {len(broken)} references")


@contextmanager
def _exclusive(store: Store) -> Iterator[Connection]:
    """A connection that no other process migrates beside."""
    if isinstance(store, SqliteStore):
        lock = store.path.with_name(store.path.name + ".migrate")
        # foreign_keys off: SQLite rebuilds a table by dropping it, which would delete the rows that refer to it
        engine = make_engine(store.path, foreign_keys=False)
        with lock.open("a") as handle:
            lock.chmod(0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            with engine.connect() as conn:
                conn.exec_driver_sql("PRAGMA foreign_keys=OFF")
                conn.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield conn
                    _check_references(conn)
                except BaseException:
                    conn.exec_driver_sql("ROLLBACK")
                    raise
                conn.exec_driver_sql("COMMIT")
        engine.dispose()
    else:
        from server.kit.postgres import PostgresStore  # noqa: PLC0415 - the driver loads only where it is used

        assert isinstance(store, PostgresStore)  # noqa: S101 - there are two kinds
        with store.engine.connect() as conn:
            conn.exec_driver_sql("BEGIN")
            try:
                conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                yield conn
            except BaseException:
                conn.exec_driver_sql("ROLLBACK")
                raise
            conn.exec_driver_sql("COMMIT")
