"""A runner with its threads: woken at once, as many at once as the queue allows, and ended without losing anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server.jobs import claiming, registry
from server.jobs import service as jobs
from server.jobs.claiming import STOPPED
from server.jobs.runner import LOOK_SECONDS, Runner
from server.jobs.work import Work
from server.kit.clock import HOUR, FrozenClock
from server.kit.db import Store
from tests.server.jobs.conftest import Add, Hands, leave_trace, row, traces, tried
from tests.support.waiting import until


def ask(store: Store, kind: str = "test.thing", **given: object) -> str:
    return store.write(lambda tx: jobs.enqueue(tx, kind, **given)).id  # type: ignore[arg-type]


def ended(store: Store, job_id: str) -> bool:
    return row(store, job_id).finished_at is not None


@pytest.fixture
def started(store: Store, bare: None) -> Iterator[Runner]:
    running = Runner(store, grace=5)
    running.start()
    yield running
    running.stop()


def test_a_job_is_run_as_soon_as_it_is_asked_for(store: Store, started: Runner, add: Add) -> None:
    add(run=lambda _: leave_trace("ran"))
    for _ in range(3):
        until(partial(ended, store, ask(store)), "the job", seconds=5)
    assert traces(store, "ran") == 3


def test_as_many_run_at_once_as_the_queue_allows(store: Store, started: Runner, add: Add) -> None:
    inside, most, lock, go = 0, 0, threading.Lock(), threading.Event()

    def run(work: Work) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        go.wait(20)
        with lock:
            inside -= 1

    add(run=run)
    add("test.other", run, queue="mail")
    ids = [ask(store) for _ in range(6)]
    until(lambda: inside == 2, "two of them")
    other = ask(store, "test.other")
    until(lambda: inside == 3, "another queue's beside them")
    go.set()
    until(lambda: all(ended(store, job_id) for job_id in [*ids, other]), "all of them")
    assert most == 3


def test_two_runners_run_each_job_once(store: Store, started: Runner, add: Add) -> None:
    add(run=lambda work: leave_trace(work.job.id))
    second = Runner(store)
    second.start()
    try:
        ids = [ask(store) for _ in range(40)]
        until(lambda: all(ended(store, job_id) for job_id in ids), "all of them", seconds=30)
    finally:
        second.stop()
    assert [traces(store, job_id) for job_id in ids] == [1] * 40
    assert {len(tried(store, job_id)) for job_id in ids} == {1}


def test_what_runs_may_end_when_the_runner_stops(store: Store, add: Add) -> None:
    begun, told = threading.Event(), []

    def run(work: Work) -> None:
        begun.set()
        told.append(work.stopping.wait(20))

    add(run=run)
    runner = Runner(store, grace=20)
    runner.start()
    job_id, later = ask(store), ask(store, delay=HOUR)
    assert begun.wait(10)
    runner.stop()
    assert told == [True]
    assert row(store, job_id).state == "done"
    assert row(store, later).state == "waiting"


def test_what_does_not_end_is_put_back_and_costs_no_attempt(
    store: Store, clock: FrozenClock, add: Add
) -> None:
    begun, go, left = threading.Event(), threading.Event(), threading.Event()

    def run(work: Work) -> None:
        begun.set()
        go.wait(30)
        left.set()

    add(run=run, max_attempts=1)
    runner = Runner(store, grace=0)
    runner.start()
    job_id = ask(store)
    assert begun.wait(10)
    runner.stop()
    back = row(store, job_id)
    assert (back.state, back.max_attempts) == ("waiting", 2)
    assert back.run_at > clock.now(), "not while the old one may still be ending"
    assert tried(store, job_id) == [(1, "lost", STOPPED)]
    go.set()
    assert left.wait(10)
    until(lambda: not runner._running, "the thread to end")
    assert row(store, job_id) == back, "what it did afterwards changed nothing"


def test_a_job_that_was_taken_away_is_told_to_leave(store: Store, add: Add, hands: Hands) -> None:
    begun, told = threading.Event(), threading.Event()

    def run(work: Work) -> None:
        begun.set()
        if work.job.attempt == 1 and work.stopping.wait(30):
            told.set()

    add(run=run)
    runner = Runner(store, monotonic=hands)
    runner.start()
    try:
        job_id = ask(store)
        assert begun.wait(10)
        [held] = store.read(claiming.held)
        assert held.worker == runner.worker
        assert store.write(lambda tx: claiming.rescue(tx, held))
        runner.renew()
        assert told.wait(10)
        until(lambda: ended(store, job_id), "it to be run again")
    finally:
        runner.stop()
    assert [outcome for _, outcome, _ in tried(store, job_id)] == ["lost", "done"]


def test_an_outcome_that_the_store_refuses_for_a_while_is_not_thrown_away(
    store: Store, started: Runner, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done outside must not be done again only because the disk was full for a moment."""
    ran: list[int] = []
    trouble = [OperationalError("x", None, _FullError()), OperationalError("x", None, _FullError())]
    finish = claiming.finish

    def troubled(*given: object, **more: object) -> bool:
        if trouble:
            raise trouble.pop()
        return finish(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(claiming, "finish", troubled)
    monkeypatch.setattr("server.jobs.runner._TROUBLE_SECONDS", 0.01)

    def run(work: Work) -> None:
        ran.append(work.job.attempt)

    add(run=run)
    job_id = ask(store)
    until(lambda: ended(store, job_id), "the job")
    assert ran == [1]
    assert tried(store, job_id) == [(1, "done", None)]


class _FullError(Exception):
    """As SQLite says that the disk is full."""

    sqlite_errorcode = 13


def test_the_worker_outlives_trouble_of_the_store(
    store: Store, started: Runner, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, due = threading.Event(), claiming.due

    def broken(*given: object) -> object:
        came.set()
        raise OperationalError("x", None, _FullError())

    monkeypatch.setattr("server.jobs.runner._TROUBLE_SECONDS", 0.01)
    monkeypatch.setattr(claiming, "due", broken)
    add()
    job_id = ask(store)
    assert came.wait(10)
    monkeypatch.setattr(claiming, "due", due)
    until(lambda: ended(store, job_id), "the job")


def test_a_listening_connection_that_breaks_is_made_again(
    store: Store, started: Runner, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.dialect != "postgresql":
        return
    monkeypatch.setattr("server.kit.listening._AGAIN_SECONDS", 0.01)
    listening = text(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
    )

    def pids() -> list[int]:
        return list(store.read(lambda tx: tx.execute(listening).scalars().all()))

    [first] = until(pids, "it to listen")
    store.write(lambda tx: tx.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first}).scalar())
    until(lambda: pids() not in ([], [first]), "it to listen again")


def test_a_runner_with_nothing_to_do_sleeps_until_it_looks_around(
    store: Store, add: Add, hands: Hands, clock: FrozenClock
) -> None:
    add()
    runner = Runner(store, monotonic=hands)
    assert runner._round() == LOOK_SECONDS
    ask(store, delay=4_000)
    assert runner._round() == 4
    ask(store, delay=HOUR)
    hands.now += 7
    clock.advance(1_000)
    assert runner._round() == 3
    hands.now += 2
    assert runner._round() == 1, "time to look around"


def test_a_full_queue_is_not_asked_again_and_again(store: Store, add: Add) -> None:
    go, begun = threading.Event(), threading.Semaphore(0)

    def run(work: Work) -> None:
        begun.release()
        go.wait(20)

    add(run=run)
    runner = Runner(store)
    runner._stop.set()  # only what is done by hand here
    runner.start()
    ids = [ask(store) for _ in range(5)]
    assert runner._round() == 0
    assert begun.acquire(timeout=10)
    assert begun.acquire(timeout=10)
    assert runner._round() > 1, "the two that run will wake it"
    go.set()
    until(lambda: sum(ended(store, job_id) for job_id in ids) == 2, "both")
    runner.stop()


def test_registered_labels_are_known() -> None:
    assert registry.label_of("nobody.knows") == "nobody.knows"
