"""Asking for a job, once; taking it back; asking again."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from server.jobs import service as jobs
from server.jobs.errors import JobError
from server.jobs.models import job
from server.jobs.runner import Runner
from server.jobs.work import Job, Work
from server.kit import topics
from server.kit.clock import DAY, HOUR, MINUTE, SECOND, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from tests.server.conftest import Staff
from tests.server.jobs.conftest import Add, leave_trace, row, traces, tried


def ask(store: Store, **given: object) -> jobs.Asked:
    return store.write(lambda tx: jobs.enqueue(tx, "test.thing", **given))  # type: ignore[arg-type]


def refused(store: Store, unit: object) -> str:
    with pytest.raises(ProblemError) as caught:
        store.write(unit)  # type: ignore[arg-type]
    return caught.value.code


def test_a_key_is_asked_for_once_while_it_waits_and_while_it_runs(
    store: Store, runner: Runner, add: Add
) -> None:
    again: list[jobs.Asked] = []

    def run(work: Work) -> None:
        again.append(ask(store, unique="k"))

    add(run=run)
    first = ask(store, unique="k")
    assert first.new
    assert ask(store, unique="k") == jobs.Asked(first.id, new=False)
    assert runner.drain() == 1
    assert again == [jobs.Asked(first.id, new=False)], "also while it runs"
    later = ask(store, unique="k")
    assert later.new
    assert later.id != first.id


def test_many_that_ask_at_once_get_one_job(store: Store, add: Add) -> None:
    add()
    ready = threading.Barrier(8)
    found: list[jobs.Asked] = []

    def press() -> None:
        ready.wait(10)
        found.append(ask(store, unique="k"))

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({asked.id for asked in found}) == 1
    assert sum(asked.new for asked in found) == 1
    assert len(found) == 8


def test_a_transaction_that_does_not_stand_asks_for_nothing(store: Store, runner: Runner, add: Add) -> None:
    add(run=lambda _: leave_trace("ran"))

    def unit(tx: Tx) -> None:
        jobs.enqueue(tx, "test.thing")
        raise LookupError

    with pytest.raises(LookupError):
        store.write(unit)
    assert runner.drain() == 0
    assert traces(store, "ran") == 0


def test_an_unknown_kind_cannot_be_asked_for(store: Store, add: Add) -> None:
    with pytest.raises(LookupError):
        ask(store)


def test_delayed_and_held_jobs_wait_for_the_later_moment(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    add()
    held = ask(store, hold=5 * SECOND, delay=2 * SECOND)
    delayed = ask(store, hold=5 * SECOND, delay=HOUR)
    assert row(store, held.id).held_until == clock.now() + 5 * SECOND
    assert runner.drain() == 0
    clock.advance(5 * SECOND - 1)
    assert runner.drain() == 0
    clock.advance(1)
    assert runner.drain() == 1
    assert row(store, held.id).held_until is None, "nothing can be taken back any more"
    clock.advance(HOUR)
    assert runner.drain() == 1
    assert row(store, delayed.id).state == "done"


def test_drain_runs_what_is_due_by_a_moment(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    add()
    ask(store, delay=HOUR)
    ask(store, delay=2 * HOUR)
    assert runner.drain(clock.now() + HOUR) == 1
    assert runner.drain() == 0


def test_a_waiting_job_is_taken_back_and_its_room_is_told(store: Store, runner: Runner, add: Add) -> None:
    told: list[Job] = []
    add(run=lambda _: leave_trace("ran"), cancelled=lambda _, which: told.append(which))
    asked = ask(store, args={"n": 7}, hold=5 * SECOND, unique="k", order_id="o", person_id="p")
    store.write(lambda tx: jobs.cancel(tx, asked.id))
    assert [(each.id, each.args, each.order_id, each.person_id) for each in told] == [
        (asked.id, {"n": 7}, "o", "p")
    ]
    assert row(store, asked.id).state == "cancelled"
    assert runner.drain(2**42) == 0
    assert traces(store, "ran") == 0
    assert ask(store, unique="k").new, "its key is free"


def test_what_runs_or_ended_is_not_taken_back(store: Store, runner: Runner, add: Add) -> None:
    codes: list[str] = []

    def run(work: Work) -> None:
        codes.append(refused(store, lambda tx: jobs.cancel(tx, work.job.id)))

    add(run=run)
    asked = ask(store)
    runner.drain()
    codes.append(refused(store, lambda tx: jobs.cancel(tx, asked.id)))
    codes.append(refused(store, lambda tx: jobs.cancel(tx, "nobody")))
    assert codes == ["already_started", "already_finished", "not_found"]
    assert row(store, asked.id).state == "done"


def test_cancelling_and_beginning_at_once_either_cancels_or_runs(
    store: Store, runner: Runner, add: Add
) -> None:
    add(run=lambda work: leave_trace(work.job.id))
    for _ in range(20):
        asked = ask(store)
        ready = threading.Barrier(2)
        outcome: list[str] = []

        def take_back(
            job_id: str = asked.id, ready: threading.Barrier = ready, to: list[str] = outcome
        ) -> None:
            ready.wait(10)
            try:
                store.write(lambda tx: jobs.cancel(tx, job_id))
                to.append("cancelled")
            except ProblemError as error:
                to.append(error.code)

        thread = threading.Thread(target=take_back)
        thread.start()
        ready.wait(10)
        runner.drain()
        thread.join(30)
        ran = traces(store, asked.id)
        assert (outcome, ran) in ((["cancelled"], 0), (["already_started"], 1), (["already_finished"], 1))
        assert row(store, asked.id).state == ("cancelled" if outcome == ["cancelled"] else "done")


def test_an_exhausted_job_is_asked_for_again_with_all_its_attempts(
    store: Store, runner: Runner, clock: FrozenClock, add: Add, staff: Staff
) -> None:
    well = False

    def run(work: Work) -> None:
        if not well:
            raise JobError("no luck", permanent=True)

    add(run=run, max_attempts=2)
    asked = ask(store, unique="k")
    runner.drain()
    assert row(store, asked.id).state == "exhausted"
    caller = staff.principal("support")
    store.write(lambda tx: jobs.retry(tx, asked.id, caller, hold=5 * SECOND))
    waiting = row(store, asked.id)
    assert (waiting.state, waiting.attempt, waiting.max_attempts) == ("waiting", 1, 3)
    assert waiting.run_at == waiting.held_until == clock.now() + 5 * SECOND
    assert waiting.asked_by == caller.user_id
    assert not ask(store, unique="k").new, "its key is its own again"
    well = True
    assert runner.drain() == 0
    clock.advance(5 * SECOND)
    assert runner.drain() == 1
    assert tried(store, asked.id) == [(1, "failed", "no luck"), (2, "done", None)]


def test_a_failed_job_is_brought_forward(store: Store, runner: Runner, clock: FrozenClock, add: Add) -> None:
    def run(work: Work) -> None:
        raise JobError("no luck")

    add(run=run, max_attempts=3, waits=(HOUR, DAY))
    asked = ask(store)
    assert refused(store, lambda tx: jobs.retry(tx, asked.id)) == "never_tried"
    runner.drain()
    assert row(store, asked.id).run_at == clock.now() + HOUR
    store.write(lambda tx: jobs.retry(tx, asked.id))
    assert runner.drain() == 1
    assert row(store, asked.id).max_attempts == 3, "it costs one of its attempts"


def test_what_is_not_asked_for_again(store: Store, runner: Runner, add: Add) -> None:
    kept: list[str] = []

    def run(work: Work) -> None:
        kept.append(refused(store, lambda tx: jobs.retry(tx, work.job.id)))

    add(run=run)
    asked = ask(store, unique="k")
    runner.drain()
    kept.append(refused(store, lambda tx: jobs.retry(tx, asked.id)))
    kept.append(refused(store, lambda tx: jobs.retry(tx, "nobody")))
    first = ask(store, unique="k")
    store.write(lambda tx: jobs.cancel(tx, first.id))
    ask(store, unique="k")
    kept.append(refused(store, lambda tx: jobs.retry(tx, first.id)))
    assert kept == ["already_started", "already_finished", "not_found", "already_waiting"]


def test_a_kind_may_say_why_not_again(store: Store, runner: Runner, add: Add) -> None:
    def run(work: Work) -> None:
        raise JobError("no", permanent=True)

    add(run=run, no_retry=lambda *_: "unchanged")
    asked = ask(store)
    runner.drain()
    assert refused(store, lambda tx: jobs.retry(tx, asked.id)) == "unchanged"


def test_every_change_moves_the_topic(store: Store, runner: Runner, clock: FrozenClock, add: Add) -> None:
    add(run=lambda work: work.progress(1, 2))

    def counter() -> int:
        return store.read(topics.counters).get("jobs", 0)

    seen = [counter()]
    asked = ask(store, unique="k", hold=SECOND)
    seen.append(counter())
    store.write(lambda tx: jobs.cancel(tx, asked.id))
    seen.append(counter())
    ask(store)
    seen.append(counter())
    runner.drain()
    seen.append(counter())
    assert seen == sorted(set(seen)), "each of them moved it"
    assert seen[-1] - seen[-2] == 3, "begun, progress, done"
    ask(store, unique="w", delay=MINUTE)
    before = counter()
    ask(store, unique="w")
    assert counter() == before, "nothing changed"


def test_a_job_is_one_row(store: Store, add: Add) -> None:
    add()
    ask(store)
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(job)).scalar_one()) == 1
