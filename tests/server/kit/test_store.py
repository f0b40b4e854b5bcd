"""The store keeps its promises on both databases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest.mock import MagicMock, patch

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.kit import topics
from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.postgres import PostgresStore
from server.kit.schema import store_fact
from server.kit.sqlite import GROUP, SqliteStore, driver
from server.kit.tx import TransactionLostError, Tx
from tests.support.waiting import until


def put(tx: Tx, name: str, value: str = "there") -> None:
    tx.execute(insert(store_fact).values(name=name, value=value))


def names(store: Store) -> list[str]:
    return sorted(store.read(lambda tx: tx.execute(select(store_fact.c.name)).scalars().all()))


@pytest.fixture
def sqlite_store(sqlite_url: str, clock: FrozenClock) -> Iterator[SqliteStore]:

    opened = SqliteStore(Path(sqlite_url.removeprefix("sqlite:///")), clock)
    yield opened
    opened.close()


@pytest.fixture
def postgresql_store(postgresql_url: str, clock: FrozenClock) -> Iterator[PostgresStore]:
    opened = PostgresStore(postgresql_url, clock)
    yield opened
    opened.close()


def test_a_commit_moves_the_counters_of_what_it_touched(store: Store) -> None:
    store.write(lambda tx: tx.touch("orders", "activity"))
    store.write(lambda tx: tx.touch("orders"))
    assert store.read(topics.counters) == {"orders": 2, "activity": 1}


def test_what_a_failing_unit_wrote_is_gone_and_its_counters_stand_still(store: Store) -> None:
    def unit(tx: Tx) -> None:
        put(tx, "half")
        tx.touch("orders")
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        store.write(unit)
    assert names(store) == []
    assert store.read(topics.counters) == {}


def test_the_version_moves_with_every_commit_and_only_then(store: Store) -> None:
    before = store.version()
    assert store.version() == before
    store.write(lambda tx: tx.touch("orders"))
    after = store.version()
    assert after != before
    store.read(topics.counters)
    assert store.version() == after


def test_the_version_at_hand_is_unknown_or_right_after_a_commit(store: Store) -> None:
    store.version()
    before = store.version_at_hand()
    assert before is not None
    store.write(lambda tx: tx.touch("orders"))
    assert store.version_at_hand() != before


def test_reading_cannot_write(sqlite_store: SqliteStore) -> None:
    with pytest.raises(DBAPIError):
        sqlite_store.read(lambda tx: put(tx, "sly"))
    assert names(sqlite_store) == []


def test_after_commit_runs_only_after_a_commit(store: Store) -> None:
    heard: list[str] = []

    def unit(tx: Tx) -> None:
        tx.after_commit(lambda: heard.append("done"))
        assert heard == []

    store.write(unit)
    assert heard == ["done"]

    def failing(tx: Tx) -> None:
        tx.after_commit(lambda: heard.append("never"))
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        store.write(failing)
    assert heard == ["done"]


def test_a_savepoint_undoes_its_part_alone(store: Store) -> None:
    def part(tx: Tx) -> None:
        with tx.savepoint():
            put(tx, "inside")
            put(tx, "before")

    def unit(tx: Tx) -> None:
        put(tx, "before")
        with pytest.raises(IntegrityError):
            part(tx)
        put(tx, "after")

    store.write(unit)
    assert names(store) == ["after", "before"]


@pytest.mark.parametrize("error", [LookupError, SystemExit])
def test_a_group_of_units_fails_only_where_it_is_at_fault(
    sqlite_store: SqliteStore, error: type[BaseException]
) -> None:
    """They wait behind one unit, so that the writer takes them as one group."""
    entered, go = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        entered.set()
        assert go.wait(10)
        put(tx, "slow")

    def unit(number: int) -> int:
        def work(tx: Tx) -> int:
            put(tx, f"unit {number:02}")
            if number == 7:
                raise error("on purpose")
            return number

        return sqlite_store.write(work)

    with ThreadPoolExecutor(32) as pool:
        first = pool.submit(sqlite_store.write, slow)
        assert entered.wait(10)
        waiting = [pool.submit(unit, number) for number in range(20)]
        until(lambda: sqlite_store._queue.qsize() == 20, "all units to wait")
        go.set()
        first.result(10)
        for number, future in enumerate(waiting):
            if number == 7:
                with pytest.raises(error):
                    future.result(10)
            else:
                assert future.result(10) == number
    assert names(sqlite_store) == ["slow", *(f"unit {number:02}" for number in range(20) if number != 7)]


def tries(attempt: MagicMock) -> list[int]:
    """How many units each try of the writer held."""
    return [len(call.args[0]) for call in attempt.call_args_list]


def test_a_group_shares_one_commit(sqlite_store: SqliteStore) -> None:
    entered, go = threading.Event(), threading.Event()

    def slow(_tx: Tx) -> None:
        entered.set()
        assert go.wait(10)

    with ThreadPoolExecutor(32) as pool:
        pool.submit(sqlite_store.write, slow)
        assert entered.wait(10)
        waiting = [pool.submit(sqlite_store.write, partial(put, name=str(n))) for n in range(GROUP // 4)]
        until(lambda: sqlite_store._queue.qsize() == GROUP // 4, "all units to wait")
        with patch.object(sqlite_store, "_attempt", wraps=sqlite_store._attempt) as attempt:
            go.set()
            for future in waiting:
                future.result(10)
    assert tries(attempt) == [GROUP // 4]


def test_a_database_that_somebody_holds_keeps_a_group_waiting_once(sqlite_store: SqliteStore) -> None:
    """Not once for each unit of the group."""
    entered, go = threading.Event(), threading.Event()
    sqlite_store._conn.exec_driver_sql("PRAGMA busy_timeout=100")
    holder = driver.connect(sqlite_store.path, isolation_level=None, check_same_thread=False)

    def slow(tx: Tx) -> None:
        entered.set()
        assert go.wait(10)
        tx.after_commit(lambda: holder.execute("BEGIN IMMEDIATE"))

    with ThreadPoolExecutor(16) as pool:
        first = pool.submit(sqlite_store.write, slow)
        assert entered.wait(10)
        waiting = [pool.submit(sqlite_store.write, partial(put, name=str(n))) for n in range(10)]
        until(lambda: sqlite_store._queue.qsize() == 10, "all units to wait")
        with patch.object(sqlite_store, "_attempt", wraps=sqlite_store._attempt) as attempt:
            go.set()
            first.result(10)
            for future in waiting:
                with pytest.raises(DBAPIError):
                    future.result(10)
    holder.close()
    assert tries(attempt) == [10]
    sqlite_store.write(lambda tx: put(tx, "later"))
    assert names(sqlite_store) == ["later"]


def test_a_lost_transaction_is_run_once_more_without_the_log(store: Store) -> None:
    seen: list[bool] = []

    def unit(tx: Tx) -> str:
        seen.append(tx.activity_on)
        put(tx, "business")
        if tx.activity_on:
            tx.activity_tried = True
            raise TransactionLostError
        tx.drop("OperationalError", "order.created")
        return "done"

    assert store.write(unit) == "done"
    assert seen == [True, False]
    assert names(store) == ["business"]
    assert store.drops.total == 1
    assert store.drops.by_reason() == {"OperationalError": 1}


def test_a_unit_that_never_logged_is_not_run_again(store: Store) -> None:
    seen: list[bool] = []

    def unit(tx: Tx) -> None:
        seen.append(tx.activity_on)
        raise TransactionLostError

    with pytest.raises(TransactionLostError):
        store.write(unit)
    assert seen == [True]


def test_a_swallowed_error_never_passes_for_a_commit(postgresql_store: PostgresStore) -> None:
    """PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error."""

    def unit(tx: Tx) -> None:
        put(tx, "business")
        with pytest.raises(DBAPIError):
            tx.execute(text("SELECT 1 / 0"))

    with pytest.raises(TransactionLostError):
        postgresql_store.write(unit)
    assert names(postgresql_store) == []


def test_a_deadlock_is_tried_again(postgresql_store: PostgresStore) -> None:
    for name in ("one", "two"):
        postgresql_store.write(partial(put, name=name, value="0"))
    both = threading.Barrier(2, timeout=10)
    runs = {"forth": 0, "back": 0}

    def crossing(way: str, order: tuple[str, str]) -> None:
        def unit(tx: Tx) -> None:
            runs[way] += 1
            for place, name in enumerate(order):
                if place == 1 and runs[way] == 1:
                    both.wait()
                tx.execute(
                    store_fact.update()
                    .where(store_fact.c.name == name)
                    .values(value=store_fact.c.value + way[0])
                )

        postgresql_store.write(unit)

    with ThreadPoolExecutor(2) as pool:
        forth = pool.submit(crossing, "forth", ("one", "two"))
        back = pool.submit(crossing, "back", ("two", "one"))
        forth.result(20)
        back.result(20)
    assert max(runs.values()) >= 2, "nobody was in the way"
    values = postgresql_store.read(lambda tx: tx.execute(select(store_fact.c.value)).scalars().all())
    assert [sorted(value) for value in values] == [["0", "b", "f"], ["0", "b", "f"]]


def test_writers_of_many_threads_lose_nothing(store: Store) -> None:
    def unit(tx: Tx) -> None:
        put(tx, tx.new_id())
        tx.touch("orders")

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(store.write, unit) for _ in range(200)]:
            future.result(30)
    count = store.read(lambda tx: tx.execute(select(func.count()).select_from(store_fact)).scalar_one())
    assert count == 200
    assert 1 <= store.read(topics.counters)["orders"] <= 200  # a group of units moves it once


def test_a_caller_that_leaves_does_not_undo_its_write(store: Store) -> None:
    entered, go = threading.Event(), threading.Event()

    def unit(tx: Tx) -> None:
        entered.set()
        assert go.wait(10)
        put(tx, "kept")

    async def leave() -> None:
        task = asyncio.ensure_future(store.write_async(unit))
        await asyncio.to_thread(entered.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
        await asyncio.to_thread(until, lambda: names(store) == ["kept"], "the write")

    asyncio.run(leave())


def test_closing_finishes_what_was_accepted_and_takes_nothing_more(sqlite_store: SqliteStore) -> None:
    entered, go = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        entered.set()
        assert go.wait(10)
        put(tx, "accepted")

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(sqlite_store.write, slow)
        assert entered.wait(10)
        closing = pool.submit(sqlite_store.close)
        until(lambda: sqlite_store._closed, "the store to begin closing")
        with pytest.raises(RuntimeError, match="closed"):
            sqlite_store.write(lambda tx: put(tx, "late"))
        go.set()
        writing.result(10)
        closing.result(10)
    again = SqliteStore(sqlite_store.path)
    assert names(again) == ["accepted"]
    again.close()


def test_errors_show_nobodys_data(store: Store) -> None:
    store.write(lambda tx: put(tx, "twice", "somebody@example.com"))
    with pytest.raises(IntegrityError) as caught:
        store.write(lambda tx: put(tx, "twice", "somebody@example.com"))
    assert "somebody" not in str(caught.value)
    assert "[SQL parameters hidden" in str(caught.value)


def test_sqlite_runs_with_every_setting_that_data_safety_needs(sqlite_store: SqliteStore) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "recursive_triggers": 1,
        "busy_timeout": 5000,
        "trusted_schema": 0,
        "mmap_size": 0,
    }

    def look(tx: Tx) -> dict[str, object]:
        found = {}
        for name in wanted:
            row = tx.driver_sql(f"PRAGMA {name}").first()
            found[name] = row[0] if row is not None else 0  # a build without mmap answers nothing
        return found

    assert sqlite_store.write(look) == wanted
    assert sqlite_store.read(look) == wanted
