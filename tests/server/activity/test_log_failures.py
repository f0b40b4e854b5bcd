"""The log fails in every way it can: the business stands, the loss is counted, and told once when it is over."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from server.activity import log as log_module
from server.activity import service as activity
from server.activity.models import activity as entry_table
from server.activity.service import FeedQuery
from server.kit import topics
from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store, open_store
from server.kit.tx import Tx
from server.orders.models import order
from tests.server.activity.making import START, feed, make_order, messages, orders_named, told
from tests.support.waiting import until


def sell(store: Store, number: str) -> str | None:
    """The business: an order, then its entry, then the rest of the business."""

    def unit(tx: Tx) -> str | None:
        order_id, _ = make_order(tx, number)
        logged = activity.log(tx, "order.created", order_id=order_id)
        tx.execute(update(order).where(order.c.id == order_id).values(payment_status="paid"))
        tx.touch("orders")
        return logged

    return store.write(unit)


def paid(store: Store) -> list[str]:
    return store.read(
        lambda tx: list(tx.execute(select(order.c.number).where(order.c.payment_status == "paid")).scalars())
    )


def run(store: Store, *statements: str) -> None:
    def unit(tx: Tx) -> None:
        for statement in statements:
            tx.driver_sql(statement)

    store.write(unit)


def break_log(store: Store, how: str) -> None:
    """Make every insert into the log fail: ``refuse`` the row, or ``kill`` the whole transaction."""
    if store.dialect == "sqlite":
        action = {"refuse": "ABORT", "kill": "ROLLBACK"}[how]
        run(
            store,
            f"CREATE TRIGGER broken BEFORE INSERT ON activity BEGIN SELECT RAISE({action}, 'broken'); END",
        )
    else:
        action = {
            "refuse": "RAISE EXCEPTION 'broken'",
            "kill": "PERFORM pg_terminate_backend(pg_backend_pid())",
        }[how]
        run(
            store,
            f"CREATE FUNCTION broken() RETURNS trigger AS $$ BEGIN {action}; RETURN NEW; END $$ LANGUAGE plpgsql",
            "CREATE TRIGGER broken BEFORE INSERT ON activity FOR EACH ROW EXECUTE FUNCTION broken()",
        )


def mend_log(store: Store) -> None:
    if store.dialect == "sqlite":
        run(store, "DROP TRIGGER broken")
    else:
        run(store, "DROP FUNCTION broken() CASCADE")


@pytest.mark.parametrize("how", ["refuse", "kill"])
def test_the_business_stands_and_the_loss_is_told_once(store: Store, clock: FrozenClock, how: str) -> None:
    break_log(store, how)
    for number in ("SS-1", "SS-2", "SS-3"):
        assert sell(store, number) is None
        clock.advance(MINUTE)
    assert paid(store) == ["SS-1", "SS-2", "SS-3"]
    assert store.drops.total == 3
    assert feed(store) == []

    mend_log(store)
    assert sell(store, "SS-4") is not None
    assert sell(store, "SS-5") is not None
    gaps = feed(store, FeedQuery("attention"))
    assert [gap.type for gap in gaps] == ["activity.gap"]
    assert gaps[0].facts == {"count": 3, "first_at": START, "last_at": START + 2 * MINUTE}
    assert (gaps[0].level, gaps[0].internal) == ("warning", False)
    assert store.drops.total == 3, "what was told stays counted"
    assert store.drops.gap() is None


def test_a_refused_row_and_a_killed_transaction_are_counted_by_their_names(store: Store) -> None:
    break_log(store, "refuse")
    sell(store, "SS-1")
    mend_log(store)
    refused = store.drops.by_reason()
    assert refused == {"IntegrityError" if store.dialect == "sqlite" else "RaiseException": 1}


def test_a_second_gap_is_told_on_its_own(store: Store) -> None:
    for number in ("SS-1", "SS-2"):
        break_log(store, "refuse")
        sell(store, number)
        mend_log(store)
        sell(store, number + "0")
    assert [entry.facts["count"] for entry in feed(store, FeedQuery(type="activity.gap"))] == [1, 1]
    (folded,) = feed(store, FeedQuery("attention"))
    assert folded.group.count == 2


def test_a_business_that_fails_owes_no_entry(store: Store) -> None:
    break_log(store, "refuse")

    def unit(tx: Tx) -> None:
        make_order(tx)
        activity.log(tx, "order.created")
        raise LookupError

    with pytest.raises(LookupError):
        store.write(unit)
    assert (orders_named(store), store.drops.total) == ([], 0)


@pytest.mark.parametrize("how", ["refuse", "kill"])
def test_the_other_units_of_a_group_are_not_drawn_in(store: Store, how: str) -> None:
    """Many write at once, each its own order: all stand, each loss counts once, the gap is told once."""
    break_log(store, how)
    threads = [threading.Thread(target=sell, args=(store, f"SS-{n:02d}")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(paid(store)) == [f"SS-{n:02d}" for n in range(20)]
    assert store.drops.total == 20

    mend_log(store)
    threads = [threading.Thread(target=sell, args=(store, f"ST-{n:02d}")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = feed(store, FeedQuery(type="activity.gap"))
    assert [gap.facts["count"] for gap in gaps] == [20]
    assert len(feed(store)) == 21
    assert store.read(topics.counters)["orders"] >= 1


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry waits long enough to be caught waiting on a slow machine."""
    monkeypatch.setattr(log_module, "PATIENCE", 20_000)


@pytest.mark.usefixtures("patient")
def test_two_transactions_that_both_know_of_the_gap_tell_it_once(store: Store) -> None:
    """The second one looks while the first has told, but not committed yet."""
    break_log(store, "refuse")
    sell(store, "SS-1")
    mend_log(store)
    if store.dialect == "sqlite":  # one writer: both in one transaction is as close as they come

        def both(tx: Tx) -> None:
            activity.log(tx, "order.delivered")
            activity.log(tx, "order.delivered")

        store.write(both)
    else:
        inside, go_on = threading.Event(), threading.Event()

        def slow(tx: Tx) -> None:
            activity.log(tx, "order.delivered")
            inside.set()
            assert go_on.wait(20)

        first = threading.Thread(target=store.write, args=(slow,))
        first.start()
        assert inside.wait(20)
        second = threading.Thread(target=told, args=(store, "order.shipped"))
        second.start()
        until(lambda: waits_for_a_lock(store), "the second to wait")
        go_on.set()
        first.join()
        second.join()
    assert [gap.facts["count"] for gap in feed(store, FeedQuery(type="activity.gap"))] == [1]
    told(store, "order.delivered")
    assert len(feed(store, FeedQuery(type="activity.gap"))) == 1


def test_an_entry_never_stands_without_its_business(store: Store) -> None:
    """The transaction is gone before the log is called, and the caller did not notice."""
    runs = 0

    def unit(tx: Tx) -> str | None:
        nonlocal runs
        runs += 1
        make_order(tx, f"SS-{runs}")
        if runs == 1:
            if store.dialect == "sqlite":
                tx.driver_sql("ROLLBACK")
            else:
                with contextlib.suppress(DBAPIError):
                    tx.driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return activity.log(tx, "order.created")

    assert store.write(unit) is None
    assert (runs, orders_named(store)) == (2, ["SS-2"])
    assert feed(store) == []
    assert store.drops.by_reason() == {"transaction_lost": 1}


@pytest.mark.parametrize("step", ["SAVEPOINT", "RELEASE"])
def test_a_transaction_that_dies_at_the_edge_of_the_entry(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The part's own beginning or end is what finds the transaction gone."""
    plain = Tx.driver_sql
    armed = True

    def dying(tx: Tx, sql: str, parameters: Any = None) -> Any:
        nonlocal armed
        if armed and sql.startswith(step):
            armed = False
            if store.dialect == "sqlite":
                plain(tx, "ROLLBACK")
            else:
                with contextlib.suppress(DBAPIError):
                    plain(tx, "SELECT pg_terminate_backend(pg_backend_pid())")
            if step == "SAVEPOINT" and store.dialect == "sqlite":
                raise LookupError  # as a full disk would
        return plain(tx, sql, parameters)

    monkeypatch.setattr(Tx, "driver_sql", dying)
    assert sell(store, "SS-1") is None
    assert paid(store) == ["SS-1"]
    assert store.drops.by_reason() == {"transaction_lost": 1}


def test_a_gap_that_could_not_be_told_is_told_later(store: Store) -> None:
    break_log(store, "refuse")
    sell(store, "SS-1")
    mend_log(store)

    def undone(tx: Tx) -> None:
        activity.log(tx, "order.delivered")
        raise LookupError

    with pytest.raises(LookupError):
        store.write(undone)
    assert store.drops.gap() is not None
    told(store, "order.delivered")
    assert [gap.facts["count"] for gap in feed(store, FeedQuery(type="activity.gap"))] == [1]


def test_nothing_of_the_entry_is_in_the_servers_log(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    break_log(store, "refuse")
    store.write(lambda tx: activity.log(tx, "sync.failed", texts={"reason": "secret-word"}))
    (record,) = caplog.records
    assert record.__dict__["fields"]["type"] == "sync.failed"
    assert "secret-word" not in repr(record.__dict__)
    assert "INSERT" not in repr(record.__dict__)


# -- SQLite alone


def test_a_full_disk_takes_the_entry_and_leaves_the_business(sqlite_url: str, clock: FrozenClock) -> None:
    store = open_store(sqlite_url, Path(), clock)
    try:
        sell(store, "SS-0")

        def nearly_full(tx: Tx) -> str | None:
            make_order(tx, "SS-1")
            pages = tx.driver_sql("PRAGMA page_count").scalar() or 0
            tx.driver_sql(f"PRAGMA max_page_count={pages + 1}")
            long = {f"t{'x' * n}": "long words " * 300 for n in range(8)}
            return activity.log(tx, "order.created", texts=long)

        assert store.write(nearly_full) is None
        assert store.drops.total == 1
        assert store.drops.by_reason().keys() <= {"OperationalError", "transaction_lost"}
        assert orders_named(store) == ["SS-0", "SS-1"]
        assert len(feed(store)) == 1
        assert store.read(lambda tx: tx.execute(text("SELECT count(*) FROM activity_text")).scalar()) == 0

        store.write(lambda tx: tx.driver_sql("PRAGMA max_page_count=1073741823"))
        sell(store, "SS-2")
        assert {entry.type for entry in feed(store)} == {"activity.gap", "order.created"}
        assert store.read(lambda tx: tx.driver_sql("PRAGMA integrity_check").scalar()) == "ok"
    finally:
        store.close()


# -- PostgreSQL alone


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        yield connection


def waits_for_a_lock(store: Store) -> bool:
    question = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return bool(store.read(lambda tx: tx.execute(question).scalar()))


@pytest.fixture
def postgres_store(postgresql_url: str, clock: FrozenClock) -> Iterator[Store]:
    store = open_store(postgresql_url, Path(), clock)
    yield store
    store.close()


def test_a_locked_log_is_waited_for_but_not_for_long(postgresql_url: str, postgres_store: Store) -> None:
    store = postgres_store
    with connected(postgresql_url) as other:
        other.execute("LOCK TABLE activity IN ACCESS EXCLUSIVE MODE")
        assert sell(store, "SS-1") is None
        assert paid(store) == ["SS-1"]
        assert store.drops.by_reason() == {"LockNotAvailable": 1}
    assert sell(store, "SS-2") is not None
    assert [entry.type for entry in feed(store)] == ["activity.gap", "order.created"]


def test_the_entrys_patience_is_not_the_businesss(postgres_store: Store) -> None:
    def patience(tx: Tx) -> list[str]:
        found = [str(tx.driver_sql("SHOW lock_timeout").scalar())]
        activity.log(tx, "order.created")
        found.append(str(tx.driver_sql("SHOW lock_timeout").scalar()))
        activity.log(tx, "order.created", level="fatal")
        activity.log(tx, "sync.failed", params={"bad": object()})
        found.append(str(tx.driver_sql("SHOW lock_timeout").scalar()))
        return found

    assert postgres_store.write(patience) == ["0", "0", "0"]


def test_an_entry_goes_in_even_when_its_group_is_held_for_long(postgres_store: Store) -> None:
    store = postgres_store
    inside, go_on = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        activity.log(tx, "sync.failed")
        inside.set()
        assert go_on.wait(20)

    holder = threading.Thread(target=store.write, args=(hold,))
    holder.start()
    try:
        assert inside.wait(20)
        assert told(store, "sync.failed")
        assert told(store, "sync.failed", texts={"reason": "another problem"}), (
            "another group waits for nobody"
        )
    finally:
        go_on.set()
        holder.join()
    assert store.drops.total == 0
    assert len(feed(store)) == 3


def test_a_conflict_of_the_business_costs_no_entry(postgres_store: Store) -> None:
    """The database asks to try again: the second run tells what the first could not."""
    store, runs = postgres_store, 0

    def unit(tx: Tx) -> str | None:
        nonlocal runs
        runs += 1
        make_order(tx, f"SS-{runs}")
        logged = activity.log(tx, "order.created")
        if runs <= 2:
            state = ("40001", "40P01")[runs - 1]
            tx.driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '{state}'; END $$")
        return logged

    assert store.write(unit) is not None
    assert (orders_named(store), store.drops.total) == (["SS-3"], 0)


def test_two_that_wait_for_each_others_groups_both_get_in(postgres_store: Store, patient: None) -> None:
    """PostgreSQL breaks the circle; who loses writes without the wait."""
    store = postgres_store
    both = threading.Barrier(2)

    def tell(first: str, second: str) -> None:
        waited = False

        def unit(tx: Tx) -> None:
            nonlocal waited
            activity.log(tx, "sync.failed", params={"provider": first})
            if not waited:
                waited = True
                both.wait(20)
            activity.log(tx, "sync.failed", params={"provider": second})

        store.write(unit)

    threads = [threading.Thread(target=tell, args=names) for names in (("A", "B"), ("B", "A"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.drops.total == 0
    assert sorted(entry.facts["provider"] for entry in feed(store)) == ["A", "A", "B", "B"]


@pytest.mark.usefixtures("patient")
def test_within_a_group_what_is_recorded_later_is_seen_later(postgres_store: Store) -> None:
    """Otherwise a reader who has seen a later entry could resolve an earlier one unseen."""
    store = postgres_store
    inside, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        activity.log(tx, "sync.failed", params={"provider": "first"}, texts={"reason": "x"})
        activity.log(tx, "sync.failed")
        inside.set()
        assert go_on.wait(20)

    first = threading.Thread(target=store.write, args=(slow,))
    first.start()
    assert inside.wait(20)
    second = threading.Thread(target=told, args=(store, "sync.failed"))
    second.start()
    until(lambda: waits_for_a_lock(store), "the second to wait for the first")
    assert feed(store) == [], "neither is seen yet"
    go_on.set()
    first.join()
    second.join()
    seqs = select(entry_table.c.seq).order_by(entry_table.c.inserted_at, entry_table.c.seq)
    assert len(store.read(lambda tx: list(tx.execute(seqs)))) == 3


@pytest.mark.usefixtures("patient")
def test_the_same_event_from_two_servers_at_once_is_one(
    postgresql_url: str, postgres_store: Store, clock: FrozenClock
) -> None:
    other = open_store(postgresql_url, Path(), clock)
    try:
        found: list[str] = []
        begin = threading.Barrier(8)

        def tell(store: Store) -> None:
            begin.wait()
            found.append(told(store, "order.paid", identity=("stripe", "evt_1")))

        threads = [
            threading.Thread(target=tell, args=(store,))
            for store in (postgres_store, other)
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1
        assert len(messages(postgres_store)) == 1
        assert postgres_store.drops.total + other.drops.total == 0
    finally:
        other.close()
