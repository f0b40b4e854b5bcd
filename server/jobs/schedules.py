"""Jobs that come by themselves. Whoever moves a schedule's ``next_at`` on asks for its job, so one process does.

A tick that was missed, because no server ran or the clock jumped ahead, comes once, late. When the clock is set back,
or a setting moves a schedule, ``next_at`` is set right without a tick.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Insert, select, update

from server.jobs.asking import TOPIC, enqueue
from server.jobs.models import job_schedule
from server.jobs.registry import SCHEDULES, Every, Schedule
from server.kit.clock import DAY, HOUR
from server.kit.db import Store
from server.kit.prepared import Prepared
from server.kit.tx import DialectName, Tx
from server.kit.upsert import upsert

_log = logging.getLogger("shopbell.jobs")
_BELIEVED: Final = DAY + HOUR
"""How far ahead of the clock the last tick may be: farther, and the clock was wrong then."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A schedule that is to be moved from one moment (None: it is new) to another, and whether its job is due."""

    schedule: Schedule
    old: int | None
    new: int
    fires: bool


def ask_for_due(store: Store) -> int | None:
    """Ask for every scheduled job that is due now.

    Returns:
        When the next one is due (ms); None when there is no schedule.
    """
    steps, upcoming = store.read(_look)
    if steps:
        store.write(lambda tx: _move(tx, steps))
    return min((*upcoming, *(step.new for step in steps)), default=None)


def next_of(tx: Tx, schedule: Schedule, known: tuple[int, int | None] | None) -> int:
    """When a schedule comes next (ms): as its row (``next_at``, ``last_at``) says, or will as soon as it is seen to."""
    step = _step(tx, schedule, known)
    if known is not None and (step is None or step.fires):
        return known[0]
    return step.new if step is not None else tx.now


def _look(tx: Tx) -> tuple[list[_Step], list[int]]:
    rows = {name: (next_at, last_at) for name, next_at, last_at in ALL.rows(tx)}
    steps, upcoming = [], []
    for name, schedule in SCHEDULES.items():
        try:
            step = _step(tx, schedule, rows.get(name))
        except ValueError:  # a setting that cannot be meant: the others go on
            _log.error("schedule not understood", extra={"fields": {"schedule": name}})
            continue
        if step is None:
            upcoming.append(rows[name][0])
        else:
            steps.append(step)
    return steps, upcoming


def _step(tx: Tx, schedule: Schedule, known: tuple[int, int | None] | None) -> _Step | None:
    """What is to be done about a schedule now; None when it waits for its moment."""
    when = schedule.when
    if known is None:
        return _Step(schedule, None, when.next(tx, tx.now), fires=False)
    next_at, last_at = known
    if next_at <= tx.now:
        return _Step(schedule, next_at, when.next(tx, tx.now), fires=True)
    if isinstance(when, Every):
        latest = when.next(tx, tx.now)
        return _Step(schedule, next_at, latest, fires=False) if next_at > latest else None
    # After a small step back of the clock the tick that was is not told again.
    believed = last_at is not None and tx.now < last_at <= tx.now + _BELIEVED
    right = when.next(tx, last_at if believed and last_at is not None else tx.now)
    return _Step(schedule, next_at, right, fires=False) if right != next_at else None


def _move(tx: Tx, steps: list[_Step]) -> None:
    for step in steps:
        schedule = step.schedule
        if step.old is None:
            tx.execute(_insert_for(tx.dialect), {"name": schedule.name, "next_at": step.new})
            continue
        changed: dict[str, Any] = {"next_at": step.new}
        if step.fires:
            changed["last_at"] = tx.now
        mine = tx.execute(
            update(job_schedule)
            .where(job_schedule.c.name == schedule.name, job_schedule.c.next_at == step.old)
            .values(**changed)
            .returning(job_schedule.c.name)
        ).first()
        if mine is None:  # another process was first
            continue
        tx.touch(TOPIC)
        if step.fires and (schedule.wanted is None or schedule.wanted(tx)):
            enqueue(tx, schedule.kind, schedule.args, unique=schedule.unique or f"schedule:{schedule.name}")


ALL: Final = Prepared(select(job_schedule.c.name, job_schedule.c.next_at, job_schedule.c.last_at))
"""Every schedule that somebody saw to: its name, ``next_at`` and ``last_at``."""


@cache
def _insert_for(dialect: DialectName) -> Insert:
    return upsert(dialect, job_schedule).on_conflict_do_nothing(index_elements=[job_schedule.c.name])
