"""What becomes of an attempt: done with its outcome, tried again, given up; and zombies change nothing."""

from __future__ import annotations

import logging
import threading
from functools import partial

import pytest
from sqlalchemy import update

from server.audit.models import audit
from server.jobs import claiming, registry
from server.jobs import service as jobs
from server.jobs.claiming import FORGIVEN, LEASE, Claimed
from server.jobs.errors import HIDDEN, LONGEST_REASON, JobError
from server.jobs.models import job
from server.jobs.registry import Kind, Queue, register, register_queue
from server.jobs.runner import LOOK_SECONDS, SURE_SECONDS, UNSEEN_SECONDS, Runner
from server.jobs.work import Job, Then, Work
from server.kit import topics
from server.kit.clock import DAY, HOUR, MINUTE, SECOND, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from tests.server.conftest import Staff
from tests.server.jobs.conftest import Add, Hands, leave_trace, nothing, row, traces, tried


def ask(store: Store, kind: str = "test.thing", **given: object) -> str:
    return store.write(lambda tx: jobs.enqueue(tx, kind, **given)).id  # type: ignore[arg-type]


def take(store: Store, worker: str = "w", queue: str = "fulfilment") -> Claimed:
    """Claim the one job that is due, as a worker would."""
    [mine] = store.write(lambda tx: claiming.claim(tx, worker, {queue: 9}, tx.now))
    return mine


# -- one attempt ---------------------------------------------------------------------------------------


def test_a_job_gets_what_it_was_asked_for_with(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    seen: list[Job] = []
    add(run=lambda work: seen.append(work.job), max_attempts=2)
    args: dict[str, object] = {"n": 1, "text": "é\x01", "flag": True, "none": None}
    job_id = ask(store, args=args, order_id="o", person_id="p", asked_by="u")
    assert runner.drain() == 1
    assert seen == [Job(job_id, "test.thing", args, 1, 2, "o", "p", "u", clock.now())]
    assert seen[0].has_next


def test_the_outcome_and_the_done_mark_stand_or_fall_together(store: Store, runner: Runner, add: Add) -> None:
    def then(tx: Tx) -> None:
        leave_trace("ran")(tx)
        if len(calls) < 2:
            raise LookupError("secret words")

    calls: list[int] = []

    def run(work: Work) -> Then:
        calls.append(work.job.attempt)
        return then

    add(run=run, waits=(0,))
    job_id = ask(store)
    assert runner.drain() == 2
    assert traces(store, "ran") == 1
    assert tried(store, job_id) == [(1, "failed", "LookupError"), (2, "done", None)]
    assert (row(store, job_id).state, row(store, job_id).error) == ("done", None)


def test_three_attempts_with_their_waits_and_then_it_gives_up(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    ended: list[tuple[str, int, str]] = []
    hooked: list[tuple[str, str]] = []
    registry.on_exhausted(lambda _, which, label: hooked.append((which.id, label)))

    def run(work: Work) -> None:
        raise JobError(f"refused {work.job.attempt}", then=leave_trace("failed"))

    add(run=run, gave_up=lambda _, which, reason: ended.append((which.id, which.attempt, reason)))
    job_id = ask(store)
    waited = []
    for _ in range(3):
        assert runner.drain() == 1
        waited.append(row(store, job_id).run_at - clock.now())
        assert runner.drain() == 0, "not before its time"
        clock.set(row(store, job_id).run_at)
    assert waited[:2] == [MINUTE, 5 * MINUTE]
    assert row(store, job_id).state == "exhausted"
    assert tried(store, job_id) == [(n, "failed", f"refused {n}") for n in (1, 2, 3)]
    assert ended == [(job_id, 3, "refused 3")]
    assert hooked == [(job_id, "Test.Thing")]
    assert traces(store, "failed") == 3, "each failure's own outcome"
    assert runner.drain(2**42) == 0


def test_waits_are_varied_by_a_fifth(store: Store, clock: FrozenClock, add: Add) -> None:
    def run(work: Work) -> None:
        raise JobError("no")

    add(run=run)
    for fraction, wait in ((0.0, 48 * SECOND), (0.999999999, 72 * SECOND)):
        job_id = ask(store)
        Runner(store, vary=lambda fraction=fraction: fraction).drain()  # type: ignore[misc]
        assert row(store, job_id).run_at == clock.now() + wait


def test_a_failure_may_name_its_wait_or_be_for_good(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    def later(work: Work) -> None:
        raise JobError("slow down", after=7 * SECOND)

    def never(work: Work) -> None:
        raise JobError("bad address", permanent=True)

    add("test.later", later)
    add("test.never", never)
    first, second = ask(store, "test.later"), ask(store, "test.never")
    assert runner.drain() == 2
    assert row(store, first).run_at == clock.now() + 7 * SECOND
    assert (row(store, second).state, row(store, second).error) == ("exhausted", "bad address")


def test_of_a_strangers_exception_only_its_class_is_kept(
    store: Store, runner: Runner, add: Add, caplog: pytest.LogCaptureFixture
) -> None:
    def run(work: Work) -> None:
        raise ConnectionError("sk_live_very_secret")

    add(run=run)
    job_id = ask(store)
    with caplog.at_level(logging.INFO):
        runner.drain()
    assert tried(store, job_id) == [(1, "failed", "ConnectionError")]
    assert "very_secret" not in caplog.text + str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_nothing_that_a_job_raises_ends_the_worker(
    store: Store, runner: Runner, add: Add, error: BaseException
) -> None:
    def run(work: Work) -> None:
        raise error

    add(run=run)
    job_id = ask(store)
    runner.drain()
    assert tried(store, job_id) == [(1, "failed", type(error).__name__)]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("two\nlines\r\n\x1b[31mred\x00\u202e", "two lines [31mred"),
        ("x" * 5_000, "x" * (LONGEST_REASON - 1) + "…"),
        ("got Authorization: Bearer abc.def-123456 back", f"got {HIDDEN} back"),
        ('{"api_key": "abcdef", "name": "n"}', "{" + HIDDEN + '", "name": "n"}'),
        ("https://user:pass@host/x?token=abcdef&y=1", f"https://{HIDDEN}host/x?{HIDDEN}&y=1"),
        ("key sk_live_abcdefgh123 refused", f"key {HIDDEN} refused"),
        ("a lone \ud800 half", "a lone \ufffd half"),
    ],
)
def test_reasons_are_cleaned_before_they_are_kept(
    store: Store, runner: Runner, add: Add, told: str, kept: str
) -> None:
    def run(work: Work) -> None:
        raise JobError(told)

    add(run=run)
    job_id = ask(store)
    runner.drain()
    [(_, _, error)] = tried(store, job_id)
    assert error == kept
    assert row(store, job_id).error == kept


def test_a_job_ends_even_where_its_rooms_hook_fails(store: Store, runner: Runner, add: Add) -> None:
    hooked: list[str] = []
    registry.on_exhausted(lambda _, which, __: hooked.append(which.id))

    def gave_up(tx: Tx, which: Job, reason: str) -> None:
        leave_trace("gave up")(tx)
        raise LookupError

    def run(work: Work) -> None:
        raise JobError("no", permanent=True)

    add(run=run, gave_up=gave_up)
    job_id = ask(store)
    runner.drain()
    assert row(store, job_id).state == "exhausted"
    assert tried(store, job_id) == [(1, "failed", "no")]
    assert hooked == [job_id]
    assert traces(store, "gave up") == 0


def test_progress_is_kept_now_and_then_and_at_the_end(
    store: Store, runner: Runner, hands: Hands, add: Add
) -> None:
    seen: list[dict[str, object] | None] = []

    def run(work: Work) -> None:
        for step in range(1, 5):
            work.progress(step, 4, f"step\n{step}")
            seen.append(row(store, work.job.id).progress)
            if step == 2:
                hands.now += 1

    add(run=run)
    ask(store)
    runner.drain()
    assert [each["done"] for each in seen if each] == [1, 1, 3, 4]
    assert seen[0] == {"done": 1, "total": 4, "note": "step 1"}


# -- queues --------------------------------------------------------------------------------------------


def test_the_longest_due_runs_first_whatever_its_queue(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    order: list[str] = []
    add("test.a", lambda work: order.append(work.job.kind))
    add("test.b", lambda work: order.append(work.job.kind), queue="mail")
    ask(store, "test.a", delay=3)
    ask(store, "test.b", delay=2)
    ask(store, "test.a", delay=1)
    clock.advance(3)
    runner.drain()
    assert order == ["test.a", "test.b", "test.a"]


def test_a_paused_queue_holds_its_jobs_and_no_others(
    store: Store, runner: Runner, add: Add, staff: Staff
) -> None:
    add("test.a")
    add("test.b", queue="mail")
    held, free = ask(store, "test.a"), ask(store, "test.b")
    caller = staff.principal("admin")
    store.write(lambda tx: jobs.pause(tx, "fulfilment", caller))
    assert runner.drain() == 1
    assert (row(store, held).state, row(store, free).state) == ("waiting", "done")
    late = store.write(lambda tx: claiming.claim(tx, "w", {"fulfilment": 1}, tx.now))
    assert late == [], "who looked before it was paused gets nothing either"
    for code, unit in (
        ("already_paused", lambda tx: jobs.pause(tx, "fulfilment", caller)),
        ("not_paused", lambda tx: jobs.resume(tx, "mail", caller)),
        ("not_found", lambda tx: jobs.pause(tx, "nowhere", caller)),
    ):
        with pytest.raises(ProblemError) as caught:
            store.write(unit)
        assert caught.value.code == code
    store.write(lambda tx: jobs.resume(tx, "fulfilment", caller))
    assert runner.drain() == 1
    told = store.read(lambda tx: tx.execute(audit.select().where(audit.c.resource_type == "queue")).all())
    assert [(each.action, each.resource_id, each.actor_user_id) for each in told] == [
        ("queue.paused", "fulfilment", caller.user_id),
        ("queue.resumed", "fulfilment", caller.user_id),
    ]


def test_a_kind_that_nobody_here_knows_waits_for_somebody_who_does(
    store: Store, runner: Runner, add: Add
) -> None:
    add("test.new")
    job_id = ask(store, "test.new")
    del registry.KINDS["test.new"]
    assert runner.drain() == 0
    assert row(store, job_id).state == "waiting"
    add("test.new")
    assert runner.drain() == 1


def test_names_are_taken_once_and_queues_must_be_there(bare: None) -> None:
    one = Kind(name="test.one", label="One", queue="mail", run=nothing)
    register(one)
    for wrong in (
        one,
        Kind(name="test.two", label="Two", queue="nowhere", run=nothing),
        Kind(name="test.two", label="Two", queue="mail", run=nothing, max_attempts=0),
    ):
        with pytest.raises(ValueError, match="test"):
            register(wrong)
    with pytest.raises(ValueError, match="mail"):
        register_queue(Queue("mail", "Mail", 1))
    with pytest.raises(ValueError, match="none"):
        register_queue(Queue("none", "None", 0))
    with pytest.raises(ValueError, match="tick"):
        registry.register_schedule(
            registry.Schedule(name="tick", kind="test.unknown", when=registry.Every(SECOND))
        )


# -- leases --------------------------------------------------------------------------------------------


def test_a_job_is_claimed_once_however_many_ask(store: Store, add: Add) -> None:
    add()
    wanted = {ask(store) for _ in range(60)}
    ready = threading.Barrier(4)
    found: list[str] = []

    def work(name: str) -> None:
        ready.wait(10)
        while mine := store.write(lambda tx: claiming.claim(tx, name, {"fulfilment": 3}, tx.now)):
            found.extend(each.job.id for each in mine)

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    left = store.write(lambda tx: claiming.claim(tx, "last", {"fulfilment": 99}, tx.now))
    found.extend(each.job.id for each in left)
    assert len(found) == 60
    assert set(found) == wanted


def test_a_zombie_overwrites_nothing(
    store: Store, runner: Runner, clock: FrozenClock, hands: Hands, add: Add
) -> None:
    """Its job was given up for lost, run by another and done; then it comes back with each possible ending."""
    add(run=lambda _: leave_trace("ran"))
    job_id = ask(store)
    zombie = take(store)
    runner.rescue()
    clock.advance(LEASE)
    hands.now += SURE_SECONDS
    assert runner.rescue() == 1
    assert not store.write(lambda tx: claiming.finish(tx, zombie, leave_trace("ran")))
    assert runner.drain() == 1
    done = row(store, job_id)
    assert not store.write(lambda tx: claiming.finish(tx, zombie, leave_trace("ran")))
    assert not store.write(lambda tx: claiming.fail(tx, zombie, JobError("no", permanent=True), 0))
    assert not store.write(lambda tx: claiming.release(tx, zombie, 0))
    assert not store.write(lambda tx: claiming.note_progress(tx, zombie, 1, 2, None))
    assert store.write(lambda tx: claiming.renew(tx, zombie.worker, [job_id])) == set()
    assert row(store, job_id) == done
    assert traces(store, "ran") == 1
    assert tried(store, job_id) == [(1, "lost", claiming.DIED), (2, "done", None)]


def test_a_zombie_of_the_same_worker_overwrites_nothing(store: Store, add: Add) -> None:
    add()
    job_id = ask(store)
    first = take(store, "w")
    assert store.write(lambda tx: claiming.release(tx, first, 0))
    again = take(store, "w")
    assert not store.write(lambda tx: claiming.finish(tx, first, leave_trace("ran")))
    assert store.write(lambda tx: claiming.finish(tx, again, leave_trace("ran")))
    assert traces(store, "ran") == 1
    assert row(store, job_id).state == "done"


def test_a_dead_workers_job_is_put_back_when_its_lease_ran_out(
    store: Store, runner: Runner, clock: FrozenClock, hands: Hands, add: Add
) -> None:
    add(max_attempts=1)
    job_id = ask(store)
    take(store, "dead")
    assert runner.rescue() == 0
    for _ in range(3):
        clock.advance(LEASE // 3 - 1)
        hands.now += LOOK_SECONDS
        assert runner.rescue() == 0, "not before its end"
    clock.advance(3)
    assert runner.rescue() == 1
    back = row(store, job_id)
    assert (back.state, back.run_at, back.worker, back.max_attempts) == ("waiting", clock.now(), None, 2)
    assert tried(store, job_id) == [(1, "lost", claiming.DIED)]
    assert runner.drain() == 1, "a death costs no attempt"


def test_a_living_workers_job_stays_its_own_whatever_the_clock_does(
    store: Store, runner: Runner, clock: FrozenClock, hands: Hands, add: Add
) -> None:
    add()
    job_id = ask(store)
    take(store, "alive")
    for jump in (DAY, -2 * DAY, HOUR, SECOND, 0):
        clock.advance(jump)
        assert runner.rescue() == 0, jump
        hands.now += LOOK_SECONDS
        clock.advance(10 * SECOND)
        assert store.write(lambda tx: claiming.renew(tx, "alive", [job_id])) == {(job_id, 1)}
    assert row(store, job_id).state == "running"


def test_a_dead_workers_job_is_put_back_though_the_clock_was_set_back(
    store: Store, runner: Runner, clock: FrozenClock, hands: Hands, add: Add
) -> None:
    add()
    ask(store)
    take(store, "dead")
    clock.advance(-DAY)
    assert runner.rescue() == 0
    hands.now += UNSEEN_SECONDS - 1
    assert runner.rescue() == 0
    hands.now += 1
    assert runner.rescue() == 1


def test_who_works_alone_takes_over_at_once(store: Store, add: Add) -> None:
    add()
    ask(store)
    take(store, "dead")
    alone = Runner(store, alone=True)
    assert alone.rescue() == 1
    assert alone.drain() == 1


def test_a_renewed_lease_moves_no_topic(store: Store, clock: FrozenClock, add: Add) -> None:
    add()
    job_id = ask(store)
    take(store, "w")
    before = store.read(topics.counters)
    clock.advance(SECOND)
    assert store.write(lambda tx: claiming.renew(tx, "w", [job_id])) == {(job_id, 1)}
    assert row(store, job_id).lease_until == clock.now() + LEASE
    assert store.read(topics.counters) == before


def test_a_job_that_kills_its_workers_gives_up_in_the_end(store: Store, clock: FrozenClock, add: Add) -> None:
    ended: list[str] = []
    add(max_attempts=2, gave_up=lambda _, __, reason: ended.append(reason))
    job_id = ask(store)
    pauses = []
    while row(store, job_id).state == "waiting":
        pauses.append(row(store, job_id).run_at - clock.now())
        clock.set(row(store, job_id).run_at)
        take(store, "dead")
        assert Runner(store, alone=True).rescue() == 1
    assert len(tried(store, job_id)) == 2 + FORGIVEN
    assert row(store, job_id).state == "exhausted"
    assert ended == [claiming.DIED]
    assert pauses[:2] == [0, 0]
    assert pauses[2:] == [(10 << n) * SECOND for n in range(FORGIVEN)]


def test_two_rescuers_put_a_job_back_once(store: Store, add: Add) -> None:
    add()
    job_id = ask(store)
    take(store, "dead")
    [dead] = store.read(claiming.held)
    found = [store.write(partial(claiming.rescue, dead=dead)) for _ in range(2)]
    assert found == [True, False]
    assert len(tried(store, job_id)) == 1


def test_a_job_renewed_in_the_last_moment_is_not_taken(store: Store, clock: FrozenClock, add: Add) -> None:
    add()
    job_id = ask(store)
    take(store, "w")
    [seen] = store.read(claiming.held)
    clock.advance(1)
    store.write(lambda tx: claiming.renew(tx, "w", [job_id]))
    assert not store.write(partial(claiming.rescue, dead=seen))


def test_the_database_itself_keeps_keys_apart(store: Store, add: Add) -> None:
    """The promise does not hang on our statements: two open jobs of one key cannot stand."""
    add()
    one = ask(store, unique="k")
    two = ask(store, unique="other")
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.write(lambda tx: tx.execute(update(job).where(job.c.id == two).values(unique_key="k")).rowcount)
    store.write(lambda tx: tx.execute(update(job).where(job.c.id == one).values(state="done")).rowcount)
    store.write(lambda tx: tx.execute(update(job).where(job.c.id == two).values(unique_key="k")).rowcount)


def test_looking_for_due_jobs_walks_an_index(store: Store, add: Add) -> None:
    if store.dialect != "sqlite":
        return
    sql, values = store.read(
        lambda tx: claiming._FIRST["sqlite"].ready(tx, {"queues": ["mail"], "kinds": ["test.thing"]})
    )
    plan = str(store.read(lambda tx: tx.driver_sql("EXPLAIN QUERY PLAN " + sql, values).all()))
    assert "ix_job_due" in plan
    assert "TEMP B-TREE" not in plan
