"""A database's error is one sentence for people, and a mistake of the program is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.kit.clock import FrozenClock
from server.kit.failures import FULL, LOCKED, NO_RIGHTS, READ_ONLY, REFUSED, UNREACHABLE, explain
from server.kit.migrate import migrate
from server.kit.postgres import PostgresStore
from server.kit.schema import store_fact
from server.kit.sqlite import SqliteStore, driver
from server.kit.tx import TransactionLostError, Tx
from tests.support.postgres import Postgres


@pytest.fixture
def sqlite_store(sqlite_url: str, clock: FrozenClock) -> Iterator[SqliteStore]:
    opened = SqliteStore(Path(sqlite_url.removeprefix("sqlite:///")), clock)
    yield opened
    opened.close()


def put(tx: Tx, value: str = "x") -> None:
    tx.execute(insert(store_fact).values(name=tx.new_id(), value=value))


def raised(store: SqliteStore | PostgresStore, unit: object = put) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, is the question
        store.write(unit)  # type: ignore[arg-type]
    assert isinstance(caught.value, Exception)
    return caught.value


def test_a_locked_file(sqlite_store: SqliteStore) -> None:
    sqlite_store._conn.exec_driver_sql("PRAGMA busy_timeout=50")
    holder = driver.connect(sqlite_store.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    error = raised(sqlite_store)
    holder.close()
    assert explain(error) is LOCKED
    assert LOCKED.passing


def test_a_full_disk(sqlite_store: SqliteStore) -> None:
    sqlite_store._conn.exec_driver_sql("PRAGMA max_page_count=1")
    assert explain(raised(sqlite_store, lambda tx: put(tx, "x" * 100_000))) is FULL


def test_a_read_only_store(sqlite_store: SqliteStore) -> None:
    sqlite_store._conn.exec_driver_sql("PRAGMA query_only=ON")
    assert explain(raised(sqlite_store)) is READ_ONLY


def test_a_read_only_postgresql(postgresql_url: str) -> None:
    store = PostgresStore(postgresql_url)
    try:

        def unit(tx: Tx) -> None:
            tx.execute(text("SET TRANSACTION READ ONLY"))
            put(tx)

        assert explain(raised(store, unit)) is READ_ONLY
    finally:
        store.close()


def test_a_database_that_is_not_there(postgresql_url: str) -> None:
    gone = make_url(postgresql_url).set(database="shopbell_test_gone")
    store = PostgresStore(gone.render_as_string(hide_password=False))
    assert explain(raised(store)) in (REFUSED, UNREACHABLE)
    store.close()


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    store = PostgresStore(f"postgresql+psycopg://postgres@/shop?host={tmp_path}")
    assert explain(raised(store)) is UNREACHABLE
    store.close()


def test_a_user_without_rights(postgres: Postgres) -> None:
    url = make_url(postgres.create_database())
    owner = PostgresStore(url.render_as_string(hide_password=False))
    role = "shopbell_test_" + owner.ids.new().replace("-", "")
    owner.read(lambda tx: tx.driver_sql(f"CREATE ROLE {role}").rowcount)
    as_guest = url.update_query_dict({"options": f"-c role={role}"})
    guest = PostgresStore(as_guest.render_as_string(hide_password=False))
    try:
        with pytest.raises(DBAPIError) as caught:
            migrate(guest)
        assert explain(caught.value) is NO_RIGHTS
    finally:
        guest.close()
        owner.read(lambda tx: tx.driver_sql(f"DROP ROLE {role}").rowcount)
        owner.close()


def test_a_connection_cut_in_the_middle(postgresql_url: str) -> None:
    store = PostgresStore(postgresql_url)
    try:

        def unit(tx: Tx) -> None:
            put(tx)
            tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        assert explain(raised(store, unit)) is UNREACHABLE
        store.write(put)  # and the next one is served
    finally:
        store.close()


def test_a_lost_transaction_is_what_caused_it(sqlite_store: SqliteStore) -> None:
    assert explain(TransactionLostError()) is not None
    error = raised(
        sqlite_store, lambda tx: tx.execute(text("INSERT INTO topic (name, counter) VALUES ('a', NULL)"))
    )
    assert isinstance(error, IntegrityError)
    assert explain(error) is None


@pytest.mark.parametrize("error", [LookupError(), ValueError("x"), OSError(5, "x"), TimeoutError()])
def test_mistakes_of_the_program_are_not_explained_away(error: Exception) -> None:
    assert explain(error) is None
