"""How jobs and schedules read in their list: state, what it does, whose order, which attempt, when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from server.contract.jobs import JobRow, Schedule
from tui.widgets.columns import Cell, Column
from tui.widgets.format import UNICODE, Glyphs, Mark, TimeFormat, Times, short_number, words
from tui.widgets.meter import progress_words

if TYPE_CHECKING:
    from datetime import datetime

Row: TypeAlias = JobRow | Schedule
"""A line of the section: a job, or under its own tab a job that comes by itself."""

WHEN = {TimeFormat.CLOCK: 6, TimeFormat.RELATIVE: 6, TimeFormat.EXACT: 15, TimeFormat.UTC: 15}
"""Cells of a moment in the list."""

_STATES = {
    "running": ("running", "info", "info"),
    "done": ("done", "success", "info"),
    "exhausted": ("exhausted", "error", "error"),
    "cancelled": ("withdrawn", "muted", "dot"),
    "waiting": ("waiting", "", "waiting"),
}


def row_id(row: Row) -> str:
    """What names a line."""
    return row.id if isinstance(row, JobRow) else f"schedule:{row.name}"


def is_held(row: JobRow, now: datetime) -> bool:
    """Whether it waits so that it can be taken back."""
    return row.state == "waiting" and row.held_until is not None and row.held_until > now


def state_mark(row: JobRow, now: datetime, glyphs: Glyphs = UNICODE) -> Mark:
    """The icon and word of a job's state; one that failed and will be tried again says so."""
    if is_held(row, now):
        return Mark(glyphs.waiting, "held", "accent")
    if row.state == "waiting" and row.attempt:
        return Mark(glyphs.warning, "failed", "warning")
    word, style, icon = _STATES.get(row.state, (words(row.state), "muted", "info"))
    return Mark(getattr(glyphs, icon), word, style)


def attempts(row: JobRow) -> str:
    """``2/3``; nothing before the first attempt."""
    return f"{row.attempt}/{row.max_attempts}" if row.attempt else ""


def when(row: Row, times: Times) -> str:
    """When it is due, for what waits; else how long ago it ended or began."""
    if isinstance(row, Schedule):
        return times.listed(row.next_at)
    if row.state == "waiting":
        return "due" if row.run_at <= times.now else times.listed(row.run_at)
    return times.listed(row.finished_at or row.started_at or row.created_at)


def note(row: Row) -> Cell:
    """How far it is, or why it failed."""
    if isinstance(row, Schedule):
        return Cell(row.when, "muted")
    if row.progress is not None:
        return Cell(progress_words(row.progress.done, row.progress.total, row.progress.note), "info")
    if row.state in {"waiting", "exhausted"} and row.error:
        return Cell(row.error, "muted")
    return Cell("")


def lead(times: Callable[[], Times], glyphs: Glyphs) -> Callable[[Row], Cell]:
    """The icon of a line."""

    def icon(row: Row) -> Cell:
        if isinstance(row, Schedule):
            return Cell(glyphs.waiting, "muted")
        mark = state_mark(row, times().now, glyphs)
        return Cell(mark.icon, mark.style)

    return icon


def columns(times: Callable[[], Times], glyphs: Glyphs, shown: TimeFormat) -> list[Column[Row]]:
    """Of jobs."""

    def state(row: Row) -> Cell:
        if isinstance(row, Schedule):
            return Cell("")
        mark = state_mark(row, times().now, glyphs)
        return Cell(mark.word, mark.style if mark.style in {"error", "warning", "muted", "accent"} else "")

    def order(row: Row) -> Cell:
        known = row.order if isinstance(row, JobRow) else None
        return Cell(short_number(known.number) if known else "", "muted")

    def tried(row: Row) -> Cell:
        return Cell(attempts(row) if isinstance(row, JobRow) else "", "muted")

    return [
        Column("STATE", state, width=9, min_list_width=44),
        Column("JOB", lambda row: Cell(row.label), flex=2),
        Column("", note, flex=3, min_list_width=72),
        Column("ORDER", order, width=5, min_list_width=40),
        Column("TRY", tried, width=4, align="right", min_list_width=50),
        Column("WHEN", lambda row: Cell(when(row, times()), "muted"), width=WHEN[shown], align="right"),
    ]


def schedule_columns(times: Callable[[], Times], shown: TimeFormat) -> list[Column[Row]]:
    """Of jobs that come by themselves."""

    def last(row: Row) -> Cell:
        known = row.last_at if isinstance(row, Schedule) else None
        return Cell(times().listed(known) if known else "", "muted")

    cells = WHEN[shown]
    return [
        Column("JOB", lambda row: Cell(row.label), flex=2),
        Column("HOW OFTEN", note, flex=3, min_list_width=44),
        Column("LAST", last, width=cells, align="right", min_list_width=60),
        Column("NEXT", lambda row: Cell(when(row, times()), ""), width=cells, align="right"),
    ]
