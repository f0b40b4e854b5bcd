"""Queues and schedules: what waits where, and holding a queue up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from server.audit import service as audit
from server.contract.jobs import Queue, Queues, Schedule
from server.jobs import policy, schedules
from server.jobs.asking import OPEN, TOPIC
from server.jobs.models import job, job_queue
from server.jobs.registry import QUEUES, SCHEDULES, label_of
from server.jobs.waking import wake
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.people.staff import staff_names


def pause(tx: Tx, name: str, by: Principal | None = None) -> None:
    """Let no more jobs of a queue begin; those that run go on.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_paused``.
    """
    if _paused(tx, name) is not None:
        raise ProblemError(409, "already_paused", policy.SENTENCES["already_paused"])
    _set(tx, name, tx.now, by)
    _told(tx, "queue.paused", name, by)


def resume(tx: Tx, name: str, by: Principal | None = None) -> None:
    """Let a paused queue go on.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``not_paused``.
    """
    if _paused(tx, name) is None:
        raise ProblemError(409, "not_paused", policy.SENTENCES["not_paused"])
    _set(tx, name, None, None)
    _told(tx, "queue.resumed", name, by)
    wake(tx)


def overview(tx: Tx, caller: Principal) -> Queues:
    """All queues and all schedules, by the names they were registered under."""
    return Queues(queues=_queues(tx, caller), schedules=_schedules(tx))


def _queues(tx: Tx, caller: Principal) -> list[Queue]:
    rows = tx.execute(
        select(job.c.queue, job.c.state, func.count().label("many"))
        .where(job.c.state.in_(OPEN))
        .group_by(job.c.queue, job.c.state)
    )
    counted: dict[tuple[str, str], int] = {(row.queue, row.state): row.many for row in rows}
    kept = {row.name: row for row in tx.execute(select(job_queue).where(job_queue.c.paused_at.is_not(None)))}
    names = staff_names(tx, {row.paused_by for row in kept.values() if row.paused_by})
    return [
        Queue(
            name=queue.name,
            label=queue.label,
            limit=queue.limit,
            running=counted.get((queue.name, "running"), 0),
            waiting=counted.get((queue.name, "waiting"), 0),
            paused_at=instant_or_none(kept[queue.name].paused_at) if queue.name in kept else None,
            paused_by=names.get(kept[queue.name].paused_by) if queue.name in kept else None,
            actions=policy.queue_actions(caller, paused=queue.name in kept),
        )
        for queue in QUEUES.values()
    ]


def _schedules(tx: Tx) -> list[Schedule]:
    known = {name: (next_at, last_at) for name, next_at, last_at in schedules.ALL.rows(tx)}
    return [
        Schedule(
            name=each.name,
            label=each.label or label_of(each.kind),
            when=each.when.words(tx),
            next_at=instant(schedules.next_of(tx, each, known.get(each.name))),
            last_at=instant_or_none(known[each.name][1]) if each.name in known else None,
        )
        for each in SCHEDULES.values()
        if each.wanted is None or each.wanted(tx)
    ]


def _paused(tx: Tx, name: str) -> Any | None:
    if name not in QUEUES:
        raise not_found("queue")
    return tx.execute(
        select(job_queue.c.name).where(job_queue.c.name == name, job_queue.c.paused_at.is_not(None))
    ).first()


def _set(tx: Tx, name: str, at: int | None, by: Principal | None) -> None:
    insert = upsert(tx.dialect, job_queue)
    values = {"paused_at": at, "paused_by": by.user_id if by else None}
    tx.execute(
        insert.values(name=name, **values).on_conflict_do_update(
            index_elements=[job_queue.c.name], set_=values
        )
    )


def _told(tx: Tx, action: str, name: str, by: Principal | None) -> None:
    audit.record(tx, action, caller=by, resource_type="queue", resource_id=name)
    tx.touch(TOPIC)
