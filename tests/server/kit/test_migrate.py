"""Tables are made once, from however many processes, and a newer shop is left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import server.accounts.models
import server.activity.models
import server.audit.models
import server.inbox.models
import server.orders.models
import server.people.models
import server.settings.models  # noqa: F401 - the tables of every room
from server.kit.db import Store, open_store
from server.kit.migrate import HEAD, SchemaTooNewError, current, migrate
from server.kit.schema import metadata
from tests.support.postgres import Postgres

MIGRATE = """
import sys
from pathlib import Path
from server.kit.db import open_store
from server.kit.migrate import migrate
store = open_store(sys.argv[1], Path())
migrate(store)
store.close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.create_database()


def test_several_processes_may_migrate_an_empty_store_at_once(empty_url: str) -> None:
    others = [subprocess.Popen([sys.executable, "-c", MIGRATE, empty_url]) for _ in range(3)]
    assert [other.wait(60) for other in others] == [0, 0, 0]
    store = open_store(empty_url, Path())
    try:
        assert store.read(lambda tx: current(tx.conn)) == HEAD
        migrate(store)
    finally:
        store.close()


def test_the_tables_are_those_of_the_models(store: Store) -> None:
    def unit(conn: object) -> list[object]:
        context = MigrationContext.configure(
            conn,  # type: ignore[arg-type]
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _parents: kind != "table" or "_words" not in (name or ""),
            },
        )
        return [change for change in compare_metadata(context, metadata) if not _search_index(change)]

    assert store.read(lambda tx: unit(tx.conn)) == []


def _search_index(change: object) -> bool:
    """Whether a difference is only an index for search, which the models do not name."""
    return isinstance(change, tuple) and change[0] == "remove_index" and "_words" in (change[1].name or "")


def test_a_newer_shop_is_left_alone(store: Store) -> None:
    store.write(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")).rowcount)
    with pytest.raises(SchemaTooNewError, match="newer shopbell"):
        migrate(store)
    assert store.read(lambda tx: current(tx.conn)) == "9999"
