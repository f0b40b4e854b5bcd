"""Tables are made once, from however many processes, and a newer shop is left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import server.accounts.models
import server.activity.models
import server.audit.models
import server.billing.models
import server.carts.models
import server.catalog.models
import server.content.models
import server.deletion.models
import server.fulfilment.models
import server.inbox.models
import server.jobs.models
import server.lookup.models
import server.mail.models
import server.orders.models
import server.people.models
import server.recovery.models
import server.settings.models
import server.tickets.models  # noqa: F401 - the tables of every room
from server.kit.db import Store, open_store
from server.kit.migrate import HEAD, SchemaTooNewError, current, migrate
from server.kit.schema import metadata
from server.kit.tx import Tx
from tests.support.postgres import Postgres

Condition = tuple[bool, str]
"""Whether a partial index is unique, and its condition as its database tells it."""
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


def test_the_partial_indexes_are_those_of_the_models(store: Store) -> None:
    """What the comparison above does not look at. The database spells both, once migrated and once of the models."""

    def unit(tx: Tx) -> tuple[dict[str, Condition], dict[str, Condition]]:
        migrated = _conditions(tx)
        metadata.drop_all(tx.conn)
        metadata.create_all(tx.conn)
        return migrated, _conditions(tx)

    migrated, of_models = store.write(unit)
    assert migrated == of_models
    assert {"ix_activity_open", "ux_job_unique_key", "uq_person_kind_email"} <= migrated.keys()


def _conditions(tx: Tx) -> dict[str, Condition]:
    """By the name of each partial index."""
    indexes = (index for of_table in inspect(tx.conn).get_multi_indexes().values() for index in of_table)
    return {
        str(index["name"]): (bool(index["unique"]), str(where))
        for index in indexes
        if (where := index.get("dialect_options", {}).get(f"{tx.dialect}_where")) is not None
    }


def _search_index(change: object) -> bool:
    """Whether a difference is only an index for search, which the models do not name."""
    return isinstance(change, tuple) and change[0] == "remove_index" and "_words" in (change[1].name or "")


def test_a_newer_shop_is_left_alone(store: Store) -> None:
    store.write(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")).rowcount)
    with pytest.raises(SchemaTooNewError, match="newer shopbell"):
        migrate(store)
    assert store.read(lambda tx: current(tx.conn)) == "9999"


def test_a_shop_of_the_first_version_keeps_what_it_holds(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(empty_url, tmp_path)
    try:
        with monkeypatch.context() as before:
            before.setattr("server.kit.migrate.HEAD", "0001")
            migrate(store)
        assert store.read(lambda tx: current(tx.conn)) == "0001"

        def fill(tx: Tx) -> None:
            for statement in (
                "INSERT INTO setting (name, value, updated_at) VALUES ('shop.name', 'Sunday Socks', 1)",
                "INSERT INTO shop_order (id, number, currency, total, payment_status, fulfilment_status, "
                "created_at, updated_at) VALUES ('o', 'SS-260223-0001', 'GBP', 4300, 'paid', 'unfulfilled', 1, 1)",
                "INSERT INTO order_item (id, order_id, position, name, quantity, unit_price) "
                "VALUES ('i', 'o', 0, 'Tee', 1, 4300)",
            ):
                tx.execute(text(statement))

        store.write(fill)
        migrate(store)
        assert store.read(lambda tx: current(tx.conn)) == HEAD
        rows = store.read(
            lambda tx: tx.execute(
                text(
                    "SELECT number, handled_by, name, (SELECT value FROM setting) AS shop, "
                    "(SELECT sealed FROM setting) AS sealed FROM shop_order JOIN order_item ON order_id = shop_order.id"
                )
            ).all()
        )
        assert [tuple(row) for row in rows] == [("SS-260223-0001", "shopbell", "Tee", "Sunday Socks", 0)]
    finally:
        store.close()
