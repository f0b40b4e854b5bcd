"""What the shop does for itself each night, and the entry about a job that gave up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from server.activity import service as activity_log
from server.activity.jobs import tell_exhausted
from server.activity.models import activity, activity_text
from server.app import registered  # noqa: F401 - the kinds as the program has them
from server.jobs import registry
from server.jobs import service as jobs
from server.jobs.errors import JobError
from server.jobs.models import job, job_attempt
from server.jobs.pruning import BATCH
from server.jobs.registry import KINDS, SCHEDULES
from server.jobs.runner import Runner
from server.jobs.work import Work
from server.kit.clock import DAY, HOUR, FrozenClock
from server.kit.db import Store
from server.settings import service as settings
from tests.server.jobs.conftest import Add

ROOT = Path(__file__).parents[3]


def ask(store: Store, **given: object) -> str:
    return store.write(lambda tx: jobs.enqueue(tx, "test.thing", **given)).id  # type: ignore[arg-type]


def count(store: Store, what: object) -> int:
    return int(store.read(lambda tx: tx.execute(select(func.count()).select_from(what)).scalar_one()))  # type: ignore[arg-type]


def test_old_jobs_go_with_their_attempts_and_open_ones_stay(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    add()
    done, waiting = ask(store), ask(store, delay=400 * DAY)
    cancelled = ask(store, delay=1)
    runner.drain()
    store.write(lambda tx: jobs.cancel(tx, cancelled))
    clock.advance(14 * DAY)
    assert jobs.prune(store, 14) == 0, "kept for as long as was said"
    young = ask(store)
    runner.drain()
    clock.advance(1)
    assert jobs.prune(store, 14) == 2
    left = store.read(lambda tx: set(tx.execute(select(job.c.id)).scalars()))
    assert left == {waiting, young}
    assert done not in left
    assert count(store, job_attempt) == 1
    with pytest.raises(ValueError, match="one day"):
        jobs.prune(store, 0)


def test_many_old_jobs_go_in_pieces(store: Store, clock: FrozenClock) -> None:
    rows = [
        {
            **{"id": f"j{n}", "kind": "test.thing", "queue": "mail", "args": {}, "state": "done"},
            **{"max_attempts": 1, "run_at": 0, "created_at": 0, "finished_at": 0},
        }
        for n in range(2 * BATCH + 3)
    ]
    store.write(lambda tx: tx.execute(insert(job), rows).rowcount)
    assert jobs.prune(store, 1) == 2 * BATCH + 3


def test_each_night_the_shop_tidies_up(store: Store, clock: FrozenClock) -> None:
    """By the kinds as the program has them, with the shop's own settings."""
    store.write(lambda tx: settings.set_value(tx, "activity.retention_days", "3"))
    store.write(lambda tx: settings.set_value(tx, "jobs.keep_days", "2"))
    runner = Runner(store)
    runner.drain()  # schedules begin
    old = clock.now()
    for level_type in ("order.paid", "sync.failed"):
        store.write(lambda tx, kind=level_type: activity_log.log(tx, kind, texts={"reason": "r"}))  # type: ignore[misc]
    clock.set("2026-02-26T03:29:59Z")
    runner.drain()
    assert count(store, activity) == 2
    clock.set("2026-02-27T03:30:00Z")
    assert runner.drain() >= 4
    [left] = store.read(lambda tx: tx.execute(select(activity.c.type, activity.c.inserted_at)).all())
    assert tuple(left) == ("sync.failed", old), "what nobody resolved stays"
    assert count(store, activity_text) == 1
    ran = store.read(lambda tx: set(tx.execute(select(job.c.kind).where(job.c.state == "done")).scalars()))
    assert {"activity.prune", "jobs.prune", "answers.prune", "inbox.prune"} <= ran
    assert store.read(lambda tx: tx.execute(select(job.c.state).distinct()).scalars().all()) == ["done"]


def test_the_night_keeps_what_is_exactly_as_old_as_may_be(store: Store, clock: FrozenClock) -> None:
    store.write(lambda tx: settings.set_value(tx, "activity.retention_days", "1"))
    runner = Runner(store)
    clock.set("2026-02-24T03:29:59.999Z")
    store.write(lambda tx: activity_log.log(tx, "order.paid", identity="older"))
    clock.set("2026-02-24T03:30:00Z")
    store.write(lambda tx: activity_log.log(tx, "order.paid", identity="kept"))
    runner.drain()
    clock.set("2026-02-25T03:30:00Z")
    runner.drain()
    assert count(store, activity) == 1


def test_a_job_that_gives_up_is_told_once_without_its_reason(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    registry.on_exhausted(tell_exhausted)

    def run(work: Work) -> None:
        raise JobError("the very secret reason")

    add(run=run, max_attempts=3)
    job_id = ask(store, order_id=None)
    for _ in range(3):
        assert count(store, activity) == 0, "only the last attempt tells"
        runner.drain()
        clock.advance(HOUR)
    entry = store.read(lambda tx: tx.execute(select(activity)).one())
    assert (entry.type, entry.level, entry.actor_kind) == ("job.exhausted", "error", "job")
    assert entry.params == {"job": "Test.Thing", "attempts": 3, "kind": "test.thing", "job_id": job_id}
    assert "secret" not in str(tuple(entry))
    assert count(store, activity_text) == 0
    store.write(lambda tx: jobs.retry(tx, job_id))
    for _ in range(3):
        runner.drain()
        clock.advance(HOUR)
    assert count(store, activity) == 2, "giving up again is another event"


def test_workers_know_the_same_jobs_as_servers() -> None:
    """A worker imports less than a server: no kind, schedule or hook may hang on what only the server imports."""
    look = "; print(sorted(registry.KINDS), sorted(registry.SCHEDULES), len(registry.EXHAUSTED))"
    said = [
        subprocess.run(
            [sys.executable, "-c", f"import {module}; from server.jobs import registry{look}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for module in ("server.app.working", "server.app.assembly")
    ]
    assert said[0] == said[1]
    assert "activity.prune" in said[0]


def test_every_schedule_names_a_kind_and_every_kind_says_what_it_does() -> None:
    assert {schedule.kind for schedule in SCHEDULES.values()} <= set(KINDS)
    assert all(kind.label[0].isupper() and not kind.label.endswith(".") for kind in KINDS.values())
