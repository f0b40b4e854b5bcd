"""``shopbell jobs``: the shop's work in the background."""

from __future__ import annotations

from typing import Final

from server.contract.base import Page
from server.contract.jobs import Ask, Job, JobRow, Queues
from tui.api.client import segment
from tui.api.documents import Document
from tui.commands.printing import Cell, Column, Printer
from tui.commands.work import DONE, Work
from tui.widgets.format import Mark

_COLUMNS: Final = (
    Column("STATE"),
    Column("JOB", flows=True),
    Column("ORDER", spare=3),
    Column("TRIES", right=True, spare=1),
    Column("WHEN", spare=2),
    Column("LAST ERROR", spare=4),
    Column("ID"),
)
_QUEUES: Final = (
    Column("QUEUE"),
    Column("RUNNING", right=True),
    Column("WAITING", right=True),
    Column("STATE"),
)
_SCHEDULES: Final = (Column("SCHEDULE"), Column("WHEN", flows=True), Column("NEXT"), Column("LAST", spare=1))
_STATES: Final = {
    "waiting": ("waiting", "muted"),
    "running": ("info", "info"),
    "done": ("info", "success"),
    "exhausted": ("error", "error"),
    "cancelled": ("dot", "muted"),
}


async def listing(work: Work) -> int:
    """List jobs."""
    given = work.given
    params = {"tab": given.tab, "queue": given.queue, "kind": given.kind, "order": given.order}
    return await work.print_page("/v1/jobs", params, Page[JobRow].model_validate, _COLUMNS, _row)


def _row(out: Printer, job: JobRow) -> list[str | Cell]:
    moment = job.run_at if job.state == "waiting" else job.finished_at or job.started_at or job.created_at
    return [
        out.marked(_mark(out, job)),
        job.label,
        job.order.number if job.order else "",
        f"{job.attempt}/{job.max_attempts}",
        out.when(moment),
        Cell((job.error or "").split("\n", 1)[0], "error"),
        Cell(job.id, "muted"),
    ]


def _mark(out: Printer, job: JobRow) -> Mark:
    icon, style = _STATES.get(job.state, ("info", "muted"))
    if job.state == "waiting" and job.attempt:
        return Mark(out.glyphs.warning, "failed", "warning")
    return Mark(getattr(out.glyphs, icon), job.state, style)


async def show(work: Work) -> int:
    """Show a job with its attempts."""
    found = await work.client.document(_path(work))
    job = found.read(Job.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    _tell(work.out, job)
    if job.attempts:
        work.out.line("")
        columns = (
            Column("TRY", right=True),
            Column("BEGAN"),
            Column("ENDED", spare=1),
            Column("OUTCOME"),
            Column("ERROR", flows=True),
        )
        work.out.table(
            columns,
            [
                [
                    str(tried.attempt),
                    work.out.when(tried.started_at),
                    work.out.when(tried.finished_at),
                    Cell(tried.outcome or "runs", "error" if tried.outcome in {"failed", "lost"} else ""),
                    tried.error or "",
                ]
                for tried in job.attempts
            ],
        )
    return DONE


def _tell(out: Printer, job: JobRow) -> None:
    progress = job.progress
    told = (
        f"{progress.done}{f' of {progress.total}' if progress.total is not None else ''}" if progress else ""
    )
    given = ", ".join(f"{name} {value}" for name, value in job.args.items()) if isinstance(job, Job) else ""
    out.facts(
        [
            ("job", job.label),
            ("state", out.marked(_mark(out, job))),
            ("queue", job.queue),
            ("order", job.order.number if job.order else ""),
            ("tries", f"{job.attempt} of {job.max_attempts}"),
            ("due", out.full(job.run_at) if job.state == "waiting" else ""),
            ("can be taken back until", out.full(job.held_until) if job.state == "waiting" else ""),
            ("progress", " ".join(filter(None, [told, progress.note if progress else ""]))),
            ("error", Cell(job.error or "", "error")),
            ("asked by", job.asked_by or ""),
            ("asked for", out.full(job.created_at)),
            ("ended", out.full(job.finished_at)),
            ("given", given),
            ("id", job.id),
        ]
    )


async def retry(work: Work) -> int:
    """Have a job tried again."""
    body = Ask(hold_seconds=work.option("hold")).model_dump_json(exclude_none=True).encode()
    found = await work.client.changed(f"{_path(work)}/retry", body)
    job = found.read(JobRow.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        work.waits_here()
        return DONE
    work.asked_for(job)
    return DONE


async def withdraw(work: Work) -> int:
    """Take back a job that waits."""
    found = await work.client.changed(f"{_path(work)}/cancel")
    job = found.read(JobRow.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
    else:
        work.out.line(f"{job.label}: taken back.")
    return DONE


async def queues(work: Work) -> int:
    """List the queues and what comes by itself."""
    return _overview(work, await work.client.document("/v1/queues"))


async def pause(work: Work) -> int:
    """Let no more jobs of a queue begin."""
    return _overview(work, await work.client.changed(f"{_queue(work)}/pause"))


async def resume(work: Work) -> int:
    """Let a paused queue go on."""
    return _overview(work, await work.client.changed(f"{_queue(work)}/resume"))


def _overview(work: Work, found: Document) -> int:
    told = found.read(Queues.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    out = work.out
    rows: list[list[str | Cell]] = []
    for queue in told.queues:
        by = f" by {queue.paused_by}" if queue.paused_by else ""
        state = f"PAUSED since {out.when(queue.paused_at)}{by}" if queue.paused_at else ""
        rows.append(
            [queue.name, f"{queue.running}/{queue.limit}", str(queue.waiting), Cell(state, "warning")]
        )
    out.table(_QUEUES, rows)
    if told.schedules:
        out.line("")
        out.table(
            _SCHEDULES,
            [
                [schedule.label, schedule.when, out.when(schedule.next_at), out.when(schedule.last_at)]
                for schedule in told.schedules
            ],
        )
    return DONE


def _path(work: Work) -> str:
    return f"/v1/jobs/{segment(work.given.job, 'job')}"


def _queue(work: Work) -> str:
    return f"/v1/queues/{segment(work.given.queue, 'queue')}"
