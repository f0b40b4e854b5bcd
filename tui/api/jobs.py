"""The calls about background work. Imported when its section is first gone to, for it brings the models along."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from server.contract.base import Page
from server.contract.jobs import Ask, Job, JobCounts, JobRow, JobTab, Queues, Schedule
from tui.api.client import PAGE, Client, page_query, segment

if TYPE_CHECKING:
    from tui.api.window import Direction, Edge

_ROWS: Final = Page[JobRow]
_ENDING: Final = re.compile(r"[0-9A-Za-z]{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list: those of a tab, a queue, a kind, an order (its id or number)."""

    tab: JobTab = "all"
    queue: str = ""
    kind: str = ""
    order: str = ""

    def parameters(self) -> dict[str, str]:
        """The query parameters of ``GET /v1/jobs``."""
        chosen = {"tab": self.tab, "queue": self.queue, "kind": self.kind, "order": self.order}
        return {name: value for name, value in chosen.items() if value}


async def jobs(
    client: Client, query: JobQuery, cursor: str | None = None, limit: int = PAGE, edge: Edge = "newest"
) -> Page[JobRow]:
    """A page of jobs, newest first. Raises ApiError."""
    params = query.parameters() | page_query(cursor, limit, edge)
    return await client.ask("/v1/jobs", _ROWS.model_validate, params=params)


async def job(client: Client, job_id: str) -> Job:
    """A job with its attempts. Raises ApiError."""
    return await client.ask(_path(job_id), Job.model_validate)


async def job_counts(client: Client) -> JobCounts:
    """How many jobs stand under each tab. Raises ApiError."""
    return await client.ask("/v1/jobs/counts", JobCounts.model_validate)


async def queues(client: Client) -> Queues:
    """The queues, and the jobs that come by themselves. Raises ApiError."""
    return await client.ask("/v1/queues", Queues.model_validate)


async def retry(client: Client, job_id: str, hold_seconds: int | None = None) -> JobRow:
    """Have a job tried again; ``hold_seconds`` overrides the shop's undo window. Raises ApiError."""
    body = Ask(hold_seconds=hold_seconds).model_dump_json(exclude_none=True).encode()
    return await client.change(f"{_path(job_id)}/retry", JobRow.model_validate, body)


async def withdraw(client: Client, job_id: str) -> JobRow:
    """Take back a job that waits. Raises ApiError."""
    return await client.change(f"{_path(job_id)}/cancel", JobRow.model_validate)


async def hold_up(client: Client, queue: str, *, paused: bool) -> Queues:
    """Pause a queue, or let it go on. Raises ApiError."""
    verb = "pause" if paused else "resume"
    return await client.change(f"/v1/queues/{segment(queue, 'queue')}/{verb}", Queues.model_validate)


def _path(job_id: str) -> str:
    return f"/v1/jobs/{segment(job_id, 'job')}"


@dataclass(frozen=True, slots=True)
class JobSource:
    """The jobs that a query describes, as a window reads them; its order may be the end of a number."""

    client: Client
    query: JobQuery

    async def fetch(
        self,
        cursor: str | None,
        direction: Direction,  # noqa: ARG002 - the cursor knows
        limit: int,
        edge: Edge,
    ) -> Page[JobRow]:
        """A page of jobs. Raises ApiError."""
        query, ending = self.query, self.query.order
        if _ENDING.fullmatch(ending):
            found = (await self.client.orders(q=ending)).items
            number = next((row.number for row in found if row.number.endswith(ending.upper())), ending)
            query = replace(query, order=number)
        return await jobs(self.client, query, cursor, limit, edge)


@dataclass(frozen=True, slots=True)
class ScheduleSource:
    """The jobs that come by themselves, the next one first, as a window reads them: all on one page."""

    client: Client

    async def fetch(
        self,
        cursor: str | None,  # noqa: ARG002 - there is one page
        direction: Direction,  # noqa: ARG002
        limit: int,  # noqa: ARG002
        edge: Edge,  # noqa: ARG002
    ) -> Page[Schedule]:
        """All schedules. Raises ApiError."""
        found = (await queues(self.client)).schedules
        return Page[Schedule](items=sorted(found, key=schedule_rank, reverse=True))


def schedule_rank(schedule: Schedule) -> tuple[Any, ...]:
    """Where a schedule stands among them: what comes sooner ranks higher, then by name."""
    return -schedule.next_at.timestamp(), tuple(-letter for letter in schedule.name.encode())


def build() -> None:
    """Build the models' validators now instead of with the first answer."""
    for model in (_ROWS, Job, JobCounts, Queues):
        model.model_rebuild()
