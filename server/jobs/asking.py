"""Asking for a job, taking it back, asking for it again. In the caller's transaction: it stands or falls with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, func, literal, select, text, update
from sqlalchemy.exc import IntegrityError

from server.audit import service as audit
from server.jobs import policy
from server.jobs.models import job
from server.jobs.registry import KINDS
from server.jobs.waking import CHANNEL, RUNNERS, wake
from server.jobs.work import job_of
from server.kit.access import Principal
from server.kit.prepared import Prepared
from server.kit.problems import ProblemError, not_found
from server.kit.tx import DialectName, Tx
from server.kit.upsert import upsert

TOPIC: Final = "jobs"
OPEN: Final = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Asked:
    """The job that was asked for. ``new`` is False when one of its key waited or ran already."""

    id: str
    new: bool


def enqueue(
    tx: Tx,
    kind: str,
    args: Mapping[str, str | int | bool | None] | None = None,
    *,
    unique: str | None = None,
    delay: int = 0,
    hold: int = 0,
    order_id: str | None = None,
    person_id: str | None = None,
    asked_by: str | None = None,
) -> Asked:
    """Ask for a job.

    Args:
        tx: the transaction it stands or falls with.
        kind: the name of a registered kind.
        args: ids and numbers; nothing about a person, no secret.
        unique: a key of which one job at a time waits or runs; asking again gives that one.
        delay: milliseconds before it is due.
        hold: milliseconds in which it can be taken back, and nothing has left.
        order_id: the order it is about.
        person_id: whom it is about.
        asked_by: the user who asks; None for what the shop does by itself.

    Raises:
        LookupError: a kind that nobody registered.
    """
    known = KINDS.get(kind)
    if known is None:
        raise LookupError(f"no kind of job is called {kind}")
    job_id = tx.new_id()
    values = {
        "id_": job_id,
        "kind_": kind,
        "queue_": known.queue,
        "args_": json.dumps(dict(args or {}), ensure_ascii=False, separators=(",", ":"), allow_nan=False),
        "unique_key_": unique,
        "max_attempts_": known.max_attempts,
        "run_at_": tx.now + max(delay, hold, 0),
        "held_until_": tx.now + hold if hold > 0 else None,
        "outside_": int(known.outside),
        "order_id_": order_id,
        "person_id_": person_id,
        "asked_by_": asked_by,
        "created_at_": tx.now,
    }
    while not _insert_for(tx.dialect).rows(tx, **values):
        if found := _OPEN_OF_KEY.rows(tx, unique_=unique):
            return Asked(found[0][0], new=False)
        # it ended between the two statements: now the key is free
    tx.touch(TOPIC)
    tx.after_commit(RUNNERS.wake)
    return Asked(job_id, new=True)


def cancel(tx: Tx, job_id: str, by: Principal | None = None) -> None:
    """Take back a job that waits. When this is committed, nothing of what it had still to do has left or will.

    Args:
        tx: the transaction.
        job_id: which one.
        by: the caller, for the audit; None when the shop itself takes it back.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_started`` while it runs, ``already_finished`` afterwards.
    """
    ended = tx.execute(
        update(job)
        .where(job.c.id == job_id, job.c.state == "waiting")
        .values(state="cancelled", finished_at=tx.now, held_until=None)
        .returning(job)
    ).first()
    if ended is None:
        raise _cannot(tx, job_id, policy.cancel_obstacle)
    kind = KINDS.get(ended.kind)
    if kind is not None and kind.cancelled is not None:
        kind.cancelled(tx, job_of(ended))
    if by is not None:
        _audit(tx, "job.cancelled", by, ended)
    tx.touch(TOPIC)


def retry(tx: Tx, job_id: str, by: Principal | None = None, *, hold: int = 0) -> None:
    """Ask again for a job that gave up or was cancelled, or bring forward the next attempt of one that failed.

    It stays the same job: its attempts so far are kept and counted on, and it gets as many more as its kind has.

    Args:
        tx: the transaction.
        job_id: which one.
        by: the caller, for the audit, and now the one who asked for it.
        hold: milliseconds in which it can be taken back, and nothing has left.

    Raises:
        ProblemError: 404 ``not_found``; 409 with why not (`policy.retry_obstacle`), or ``already_waiting`` when
            another job of its key waits or runs.
    """
    row = tx.execute(select(job).where(job.c.id == job_id).with_for_update()).first()
    if row is None:
        raise not_found("job")
    obstacle = policy.retry_obstacle(tx, row)
    if (
        obstacle is None
        and row.unique_key is not None
        and row.state != "waiting"
        and _taken(tx, row.unique_key)
    ):
        obstacle = "already_waiting"
    if obstacle is not None:
        raise _refusal(obstacle)
    changed: dict[str, Any] = {
        "state": "waiting",
        "run_at": tx.now + max(hold, 0),
        "held_until": tx.now + hold if hold > 0 else None,
        "finished_at": None,
        "progress": None,
    }
    if row.state != "waiting":
        changed["max_attempts"] = row.attempt + KINDS[row.kind].max_attempts
    if by is not None:
        changed["asked_by"] = by.user_id
        _audit(tx, "job.retried", by, row)
    try:
        with tx.savepoint():
            tx.execute(update(job).where(job.c.id == job_id).values(**changed))
    except IntegrityError:  # somebody asked for the same in this moment
        raise _refusal("already_waiting") from None
    tx.touch(TOPIC)
    wake(tx)


def _taken(tx: Tx, unique: str) -> bool:
    return bool(_OPEN_OF_KEY.rows(tx, unique_=unique))


def _cannot(tx: Tx, job_id: str, obstacle: Callable[[Tx, Any], str | None]) -> ProblemError:
    row = tx.execute(select(job).where(job.c.id == job_id)).first()
    if row is None:
        return not_found("job")
    return _refusal(obstacle(tx, row) or "already_started")


def _refusal(code: str) -> ProblemError:
    return ProblemError(409, code, policy.SENTENCES.get(code))


def _audit(tx: Tx, action: str, by: Principal, row: Any) -> None:
    audit.record(tx, action, caller=by, resource_type="job", resource_id=row.id, metadata={"kind": row.kind})


_VALUES: Final[dict[str, Any]] = {
    name: bindparam(f"{name}_")
    for name in (
        *("id", "kind", "queue", "args", "unique_key", "max_attempts", "run_at", "held_until", "outside"),
        *("order_id", "person_id", "asked_by", "created_at"),
    )
}
_OPEN_OF_KEY: Final = Prepared(
    select(job.c.id).where(job.c.unique_key == bindparam("unique_"), text("state IN ('waiting', 'running')"))
)


@cache
def _insert_for(dialect: DialectName) -> Prepared:
    told = () if dialect == "sqlite" else (func.pg_notify(literal(CHANNEL), literal("")),)  # as `wake`
    return Prepared(
        upsert(dialect, job)
        .values(**_VALUES, state="waiting", attempt=0)
        .on_conflict_do_nothing(
            index_elements=[job.c.unique_key], index_where=text("state IN ('waiting', 'running')")
        )
        .returning(job.c.id, *told)
    )
