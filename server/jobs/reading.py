"""Jobs as clients see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select, text

from server.contract.activity import OrderRef
from server.contract.jobs import Attempt, Job, JobCounts, JobRow, JobTab, Progress
from server.jobs import policy
from server.jobs.asking import OPEN
from server.jobs.models import job, job_attempt
from server.jobs.registry import label_of
from server.kit import refs
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none, milliseconds
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.people.staff import staff_names

_FAILED: Final = text("state = 'waiting' AND attempt > 0")
_TABS: Final[dict[JobTab, ColumnElement[bool] | Any]] = {
    "running": job.c.state == "running",
    "waiting": text("state = 'waiting' AND attempt = 0"),
    "failed": _FAILED,
    "exhausted": job.c.state == "exhausted",
    "done": job.c.state == "done",
}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which jobs are wanted: those of a tab, a queue, a kind, an order (its id)."""

    tab: JobTab = "all"
    queue: str | None = None
    kind: str | None = None
    order_id: str | None = None

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"jobs {self.tab} {self.queue} {self.kind} {self.order_id}"


def place(row: JobRow) -> tuple[int, str]:
    """Where a row stands in the list."""
    return milliseconds(row.created_at), row.id


def listing(tx: Tx, query: ListQuery, page: PageRequest, caller: Principal) -> Slice[JobRow]:
    """One page of jobs, newest first."""
    statement = select(job)
    if query.tab != "all":
        statement = statement.where(_TABS[query.tab])
    for column, wanted in (
        (job.c.queue, query.queue),
        (job.c.kind, query.kind),
        (job.c.order_id, query.order_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    found = slice_of(tx.execute(keyset(statement, page, job.c.created_at, job.c.id)).all(), page)
    return Slice(rows(tx, found.rows, caller), found.older, found.newer)


def counts(tx: Tx) -> JobCounts:
    """How many jobs stand under each tab."""
    tab = case((_FAILED, "failed"), else_=job.c.state)
    found: dict[str, int] = {
        row.tab: row.many
        for row in tx.execute(select(tab.label("tab"), func.count().label("many")).group_by(tab))
    }
    return JobCounts(
        all=sum(found.values()),
        **{name: found.get(name, 0) for name in ("running", "waiting", "failed", "exhausted", "done")},
    )


def row(tx: Tx, job_id: str, caller: Principal) -> JobRow:
    """A job as a list shows it.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    return rows(tx, [_find(tx, job_id)], caller)[0]


def whole(tx: Tx, job_id: str, caller: Principal) -> Job:
    """A job with its attempts, oldest first, and what it was given.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    found = _find(tx, job_id)
    tried = tx.execute(
        select(job_attempt).where(job_attempt.c.job_id == job_id).order_by(job_attempt.c.attempt)
    ).all()
    return Job(
        **dict(rows(tx, [found], caller)[0]),
        attempts=[_attempt(each) for each in tried],
        args={name: value for name, value in found.args.items() if isinstance(value, str | int | None)},
    )


def attempts(tx: Tx, *, kind: str, order_id: str) -> list[Attempt]:
    """Every attempt of every job of a kind about an order that is still kept, oldest first."""
    tried = tx.execute(
        select(job_attempt)
        .join(job, job.c.id == job_attempt.c.job_id)
        .where(job.c.order_id == order_id, job.c.kind == kind)
        .order_by(job_attempt.c.started_at, job_attempt.c.job_id, job_attempt.c.attempt)
    ).all()
    return [_attempt(each) for each in tried]


def by_unique(tx: Tx, unique: str) -> Any | None:
    """The row of the table of the job of this key that waits or runs; None when there is none."""
    return tx.execute(select(job).where(job.c.unique_key == unique, job.c.state.in_(OPEN))).first()


def rows(tx: Tx, found: Sequence[Any], caller: Principal) -> list[JobRow]:
    """Rows of the table as this caller sees them."""
    numbers = _numbers(tx, {each.order_id for each in found if each.order_id})
    names = staff_names(tx, {each.asked_by for each in found if each.asked_by})
    return [
        JobRow(
            id=each.id,
            kind=each.kind,
            label=label_of(each.kind),
            queue=each.queue,
            state=each.state,
            attempt=each.attempt,
            max_attempts=each.max_attempts,
            run_at=instant(each.run_at),
            held_until=instant_or_none(each.held_until),
            outside=bool(each.outside),
            progress=Progress(**each.progress) if each.progress and each.state == "running" else None,
            error=each.error,
            order=OrderRef(id=each.order_id, number=numbers[each.order_id])
            if each.order_id in numbers
            else None,
            asked_by=names.get(each.asked_by),
            created_at=instant(each.created_at),
            started_at=instant_or_none(each.started_at),
            finished_at=instant_or_none(each.finished_at),
            actions=policy.job_actions(tx, each, caller),
        )
        for each in found
    ]


def _numbers(tx: Tx, ids: set[str]) -> dict[str, str]:
    table = refs.orders()
    if table is None or not ids:
        return {}
    found = tx.execute(select(table.c.id, table.c.number).where(table.c.id.in_(ids)))
    return {row.id: row.number for row in found}


def _find(tx: Tx, job_id: str) -> Any:
    found = tx.execute(select(job).where(job.c.id == job_id)).first()
    if found is None:
        raise not_found("job")
    return found


def _attempt(each: Any) -> Attempt:
    return Attempt(
        attempt=each.attempt,
        started_at=instant(each.started_at),
        finished_at=instant_or_none(each.finished_at),
        outcome=each.outcome,
        error=each.error,
    )
