"""A job's way through a worker's hands: taken, held by a lease, ended. Each step is one transaction.

A worker ends only what is still its own (``worker``, ``attempt`` and ``running`` must fit), so one that was given up
for dead and comes back overwrites nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, bindparam, exists, func, insert, literal_column, select, text, update

from server.jobs.asking import TOPIC
from server.jobs.errors import JobError, clean_reason, reason_of
from server.jobs.models import job, job_attempt, job_queue
from server.jobs.registry import EXHAUSTED, KINDS, label_of
from server.jobs.waking import wake
from server.jobs.work import Job, Then, job_of
from server.kit.clock import SECOND
from server.kit.prepared import AnyOf, Prepared
from server.kit.schema import TEXT
from server.kit.tx import Tx

LEASE: Final = 30 * SECOND
"""How long a worker holds a job without saying that it still lives."""
FORGIVEN: Final = 5
"""How many deaths of its workers cost a job no attempt. After that it may be the job that kills them."""
DIED: Final = "Its worker died."
STOPPED: Final = "The server stopped."

_FIRST_WAIT: Final = 10 * SECOND


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job in this worker's hands."""

    job: Job
    queue: str
    worker: str


@dataclass(frozen=True, slots=True)
class Held:
    """A running job and until when its worker holds it (ms)."""

    id: str
    attempt: int
    worker: str
    lease_until: int


def due(tx: Tx, queues: Iterable[str]) -> dict[str, int]:
    """For each of these queues that is not paused and has a job of a kind known here: when its first one is due."""
    rows = _FIRST[tx.dialect].rows(tx, queues=list(queues), kinds=list(KINDS))
    return {queue: run_at for queue, run_at in rows if run_at is not None}


def claim(tx: Tx, worker: str, free: Mapping[str, int], until: int) -> list[Claimed]:
    """Take jobs that are due.

    Args:
        tx: a writing transaction.
        worker: whose they become.
        free: how many of each queue.
        until: due by then (ms).
    """
    kinds = list(KINDS)
    taken: list[Claimed] = []
    for queue, many in free.items():
        rows = _DUE[tx.dialect].rows(tx, queue_=queue, kinds=kinds, until=until, many=many)
        taken += [Claimed(_begun(row), queue, worker) for row in rows]
    if taken:
        ids = [mine.job.id for mine in taken]
        _TAKE.run(tx, ids=ids, worker_=worker, lease_until_=tx.now + LEASE, started_at_=tx.now)
        _BEGIN.run(tx, ids=ids)
        tx.touch(TOPIC)
    return taken


def _begun(row: tuple[Any, ...]) -> Job:
    job_id, kind, args, attempt, max_attempts, *about = row
    return Job(job_id, kind, json.loads(args), attempt + 1, max_attempts, *about)


def renew(tx: Tx, worker: str, ids: Iterable[str]) -> set[tuple[str, int]]:
    """Hold these jobs for another lease; gives those that are still this worker's, each with its attempt."""
    rows = _RENEW.rows(tx, ids=list(ids), worker_=worker, lease_until_=tx.now + LEASE)
    return {(job_id, attempt) for job_id, attempt in rows}


def finish(tx: Tx, mine: Claimed, then: Then | None) -> bool:
    """Mark a job done and write its outcome; False (and nothing) when it is another worker's by now."""
    if not _end(tx, mine, state="done", error=None, finished_at=tx.now):
        return False
    _end_attempt(tx, mine.job, "done", None)
    if then is not None:
        then(tx)
    return True


def fail(tx: Tx, mine: Claimed, error: Exception, wait: int, *, hooks: bool = True) -> bool:
    """Note that an attempt failed: it waits for the next one, or gives up.

    Args:
        tx: a writing transaction.
        mine: the job.
        error: what was raised.
        wait: milliseconds to the next attempt, if there is one.
        hooks: run the error's ``then`` and the kind's ``gave_up`` (not where just these failed).

    Returns:
        False (and nothing done) when it is another worker's by now.
    """
    reason = reason_of(error)
    known = error if isinstance(error, JobError) else None
    again = mine.job.has_next and not (known and known.permanent)
    if again:
        ended = _end(tx, mine, state="waiting", error=reason, run_at=tx.now + wait)
    else:
        ended = _end(tx, mine, state="exhausted", error=reason, finished_at=tx.now)
    if not ended:
        return False
    _end_attempt(tx, mine.job, "failed", reason)
    if hooks and known is not None and known.then is not None:
        known.then(tx)
    if not again:
        _give_up(tx, mine.job, reason, hooks=hooks)
    return True


def release(tx: Tx, mine: Claimed, wait: int) -> bool:
    """Put back a job that does not end in time while its process stops; the attempt costs it nothing."""
    ended = _end(
        tx,
        mine,
        state="waiting",
        error=STOPPED,
        run_at=tx.now + wait,
        max_attempts=mine.job.max_attempts + 1,
    )
    if ended:
        _end_attempt(tx, mine.job, "lost", STOPPED)
    return ended


def held(tx: Tx) -> list[Held]:
    """All running jobs, whoever runs them."""
    return [Held(*row) for row in _HELD.rows(tx)]


def rescue(tx: Tx, dead: Held) -> bool:
    """Take a job out of the hands of a worker that died, unless it was renewed, ended or rescued meanwhile."""
    row = tx.execute(
        select(job)
        .where(
            job.c.id == dead.id,
            job.c.worker == dead.worker,
            job.c.attempt == dead.attempt,
            job.c.lease_until == dead.lease_until,
            job.c.state == "running",
        )
        .with_for_update()
    ).first()
    if row is None:
        return False
    found = job_of(row)
    mine = Claimed(found, row.queue, dead.worker)
    _end_attempt(tx, found, "lost", DIED)
    lost = tx.execute(
        select(func.count()).where(job_attempt.c.job_id == dead.id, job_attempt.c.outcome == "lost")
    ).scalar_one()
    more = 1 if lost <= FORGIVEN else 0
    wake(tx)
    if found.attempt < found.max_attempts + more or found.kind not in KINDS:
        # A job that kills its worker must not kill the next one at once, again and again.
        wait = 0 if lost == 1 else _FIRST_WAIT * 2 ** min(lost - 2, 6)
        return _end(
            tx,
            mine,
            state="waiting",
            error=DIED,
            run_at=tx.now + wait,
            max_attempts=found.max_attempts + more,
        )
    _end(tx, mine, state="exhausted", error=DIED, finished_at=tx.now)
    _give_up(tx, found, DIED, hooks=True)
    return True


def note_progress(tx: Tx, mine: Claimed, done: int, total: int | None, note: str | None) -> bool:
    """Keep how far a job is; False when it is another worker's by now."""
    told = {"done": done, "total": total, "note": clean_reason(note) if note else None}
    noted = tx.execute(update(job).where(*_is(mine)).values(progress=told).returning(job.c.id)).first()
    if noted:
        tx.touch(TOPIC)
    return noted is not None


def _is(mine: Claimed) -> tuple[Any, ...]:
    return (
        job.c.id == mine.job.id,
        job.c.worker == mine.worker,
        job.c.attempt == mine.job.attempt,
        job.c.state == "running",
    )


def _end(tx: Tx, mine: Claimed, **values: Any) -> bool:
    statement = update(job).where(*_is(mine)).values(worker=None, lease_until=None, **values)
    if tx.execute(statement.returning(job.c.id)).first() is None:
        return False
    tx.touch(TOPIC)
    return True


def _end_attempt(tx: Tx, which: Job, outcome: str, error: str | None) -> None:
    _END_ATTEMPT.run(
        tx, job_id_=which.id, attempt_=which.attempt, finished_at_=tx.now, outcome_=outcome, error_=error
    )


def _give_up(tx: Tx, which: Job, reason: str, *, hooks: bool) -> None:
    kind = KINDS.get(which.kind)
    if hooks and kind is not None and kind.gave_up is not None:
        kind.gave_up(tx, which, reason)
    for told in EXHAUSTED:
        told(tx, which, label_of(which.kind))


_WAITING: Final = text("state = 'waiting'")  # spelt out, so that the index over these rows serves
_RUNNING: Final = text("state = 'running'")
_ASKED = {
    "sqlite": func.json_each(bindparam("queues")).table_valued("value", name="asked"),
    "postgresql": func.unnest(bindparam("queues", type_=ARRAY(TEXT)))
    .table_valued("value")
    .render_derived(name="asked"),
}
_PAUSED: Final = exists().where(job_queue.c.paused_at.is_not(None))
_FIRST: Final = {
    dialect: Prepared(
        select(
            asked.c.value,
            select(job.c.run_at)
            .where(_WAITING, job.c.queue == asked.c.value, AnyOf(job.c.kind, "kinds"))
            .order_by(job.c.run_at, job.c.id)
            .limit(literal_column("1"))
            .scalar_subquery(),
        ).where(~_PAUSED.where(job_queue.c.name == asked.c.value))
    )
    for dialect, asked in _ASKED.items()
}
_SOME = (
    select(
        *(job.c[name] for name in ("id", "kind", "args", "attempt", "max_attempts")),
        *(job.c[name] for name in ("order_id", "person_id", "asked_by", "created_at")),
    )
    .where(
        _WAITING,
        job.c.queue == bindparam("queue_"),
        AnyOf(job.c.kind, "kinds"),
        job.c.run_at <= bindparam("until"),
        ~_PAUSED.where(job_queue.c.name == bindparam("queue_")),
    )
    .order_by(job.c.run_at, job.c.id)
    .limit(bindparam("many"))
)
_DUE: Final = {
    "sqlite": Prepared(_SOME),
    "postgresql": Prepared(_SOME.with_for_update(skip_locked=True, of=job)),
}
_TAKE: Final = Prepared(
    update(job)
    .where(AnyOf(job.c.id, "ids"))
    .values(
        state="running",
        attempt=job.c.attempt + literal_column("1"),
        worker=bindparam("worker_"),
        lease_until=bindparam("lease_until_"),
        started_at=bindparam("started_at_"),
        held_until=None,
        progress=None,
    )
)
_BEGIN: Final = Prepared(
    insert(job_attempt).from_select(
        ["job_id", "attempt", "started_at"],
        select(job.c.id, job.c.attempt, job.c.started_at).where(AnyOf(job.c.id, "ids")),
    )
)
_END_ATTEMPT: Final = Prepared(
    update(job_attempt)
    .where(job_attempt.c.job_id == bindparam("job_id_"), job_attempt.c.attempt == bindparam("attempt_"))
    .values(finished_at=bindparam("finished_at_"), outcome=bindparam("outcome_"), error=bindparam("error_"))
)
_RENEW: Final = Prepared(
    update(job)
    .where(AnyOf(job.c.id, "ids"), job.c.worker == bindparam("worker_"), _RUNNING)
    .values(lease_until=bindparam("lease_until_"))
    .returning(job.c.id, job.c.attempt)
)
_HELD: Final = Prepared(select(job.c.id, job.c.attempt, job.c.worker, job.c.lease_until).where(_RUNNING))
