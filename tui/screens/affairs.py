"""What leaves the shop about an order, as its story tells it: what waits or runs, the mails, the last attempts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Final

from tui.screens.deeds import Sending
from tui.screens.reasons import reason
from tui.widgets.blocks import SOME_LINES, Attention, Block, Gap, Happening, Rule
from tui.widgets.cells import width
from tui.widgets.format import Glyphs, Times, count, words

if TYPE_CHECKING:
    from server.contract.jobs import Attempt, JobRow
    from server.contract.mail import MailRow
    from tui.api.outside import Affairs
    from tui.screens.desk import Desk

MAILS: Final = {
    "confirmation": "Order confirmation",
    "shipping": "Shipping notification",
    "recovery": "Cart reminder",
    "lookup": "Link to the orders",
    "ticket_reply": "Ticket reply",
    "test": "Test mail",
}
"""What each kind of mail is called."""

_DOING: Final = {
    "order.submit": ("Submits", "Submitting"),
    "order.refresh": ("Asks the provider", "Asking the provider"),
    "mail.send": ("Sends a mail", "Sending a mail"),
    "catalog.sync": ("Syncs products", "Syncing products"),
}
"""What a job will do and is doing, by its kind."""

_OUTCOMES: Final = {"done": "went through", "failed": "failed", "lost": "was cut off"}

LAST: Final = 5
"""Attempts and mails that a story shows."""


def seconds_left(until: datetime | None, now: datetime) -> int:
    """Whole seconds until then; 0 when it is over."""
    return 0 if until is None else max(ceil((until - now).total_seconds()), 0)


def is_held(job: JobRow, now: datetime) -> bool:
    """Whether a job can still be taken back before anything leaves."""
    return job.state == "waiting" and seconds_left(job.held_until, now) > 0


def due(job: JobRow, times: Times) -> str:
    """What a job will do and when: ``Submits in 4 s``, ``Submits at 10:07, attempt 2 of 3``."""
    does, doing = _DOING.get(job.kind, (job.label, job.label))
    of = f" of {job.max_attempts}"
    if job.state == "running":
        return f"{doing} now" + (f", attempt {job.attempt}{of}" if job.attempt > 1 else "")
    again = f", attempt {job.attempt + 1}{of}" if job.attempt else ""
    if is_held(job, times.now):
        return f"{does} in {seconds_left(job.held_until, times.now)} s{again}"
    if job.run_at > times.now:
        return f"{does} at {times.clock(job.run_at)}{again}"
    return f"{does} as soon as it is its turn{again}"


def about(leaving: Affairs, desk: Desk) -> tuple[list[Block], list[Block]]:
    """What an order's story tells of them: what waits or runs now; what was tried and sent."""
    deed, times, glyphs = desk.deeds.to_undo, desk.times, desk.glyphs
    mine = deed.job_id if isinstance(deed, Sending) else ""
    known = leaving.submission
    parts = (
        attempts([] if known is None else known.attempts, times, glyphs),
        mails(leaving.mails, times, glyphs),
    )
    sent = [block for part in parts if part for block in (Gap(), *part)]
    return under_way(leaving.jobs, times, glyphs, mine, desk.key("undo")), sent


def under_way(jobs: Sequence[JobRow], times: Times, glyphs: Glyphs, mine: str, undo: str) -> list[Block]:
    """The jobs that wait or run, behind a bar.

    Args:
        jobs: the jobs.
        times: how moments are written.
        glyphs: the decorative characters.
        mine: the id of the job that the undo key takes back; empty for none.
        undo: the undo key.
    """
    blocks: list[Block] = []
    for job in jobs:
        told = due(job, times)
        if is_held(job, times.now) and job.id == mine:
            told += f" {glyphs.dot} {undo} takes it back"
        elif job.asked_by:
            told += f" {glyphs.dot} asked by {job.asked_by}"
        blocks.append(Attention(text=told, style="info"))
    return blocks


def attempts(tries: Sequence[Attempt], times: Times, glyphs: Glyphs) -> list[Block]:
    """The last attempts, oldest first, with why they failed; nothing where nothing was tried.

    Attempts that follow one another and came to the same stand on one line, with the time of the last.
    """
    if not tries:
        return []
    runs: list[list[Attempt]] = []
    for each in tries:
        if runs and _follows(runs[-1][-1], each):
            runs[-1].append(each)
        else:
            runs.append([each])
    shown = runs[-LAST:]
    stamps = [times.short(run[-1].finished_at or run[-1].started_at) for run in shown]
    cells = max(width(stamp) for stamp in stamps)
    return [
        Rule(text="Attempts" if len(runs) <= LAST else "The last attempts"),
        *(_attempt(run, stamp, cells, glyphs) for run, stamp in zip(shown, stamps, strict=True)),
    ]


def _follows(before: Attempt, each: Attempt) -> bool:
    same = (before.outcome, before.error) == (each.outcome, each.error)
    return same and each.attempt == before.attempt + 1 and each.outcome is not None


def _attempt(run: Sequence[Attempt], stamp: str, cells: int, glyphs: Glyphs) -> Happening:
    first, last = run[0], run[-1]
    outcome = _OUTCOMES.get(last.outcome or "", "runs")
    good, bad = outcome == "went through", outcome in ("failed", "was cut off")
    which = f"Attempt {last.attempt}" if first is last else f"Attempts {first.attempt} to {last.attempt}"
    return Happening(
        time=stamp,
        time_cells=cells,
        icon=glyphs.error if bad else glyphs.info if good else glyphs.waiting,
        style="error" if bad else "success" if good else "muted",
        message=f"{which} {outcome}" + (f": {last.error}" if last.error else ""),
        most=SOME_LINES,
    )


def mails(rows: Sequence[MailRow], times: Times, glyphs: Glyphs) -> list[Block]:
    """The mails about an order, oldest first; nothing where there are none."""
    if not rows:
        return []
    shown = list(reversed(rows[:LAST]))
    stamps = [times.short(row.sent_at or row.created_at) for row in shown]
    cells = max(width(stamp) for stamp in stamps)
    more = f", the last {LAST} of {count(len(rows), 'mail')}" if len(rows) > LAST else ""
    return [
        Rule(text=f"Mails{more}"),
        *(_mail(row, stamp, cells, glyphs) for row, stamp in zip(shown, stamps, strict=True)),
    ]


def mail_name(kind: str) -> str:
    """What a kind of mail is called."""
    return MAILS.get(kind) or words(kind).capitalize()


def mail_state(row: MailRow) -> tuple[str, str]:
    """How far a mail is, in words, and the style of it."""
    if row.bounced_at is not None:
        return "came back" + (f": {row.bounce}" if row.bounce else ""), "error"
    if row.state == "failed":
        return "failed" + (f": {row.reason}" if row.reason else ""), "error"
    if row.state == "withheld":
        return f"withheld: {reason(row.reason)}", "warning"
    known = {
        "queued": ("waits to leave", "accent"),
        "sending": ("is leaving", "accent"),
        "sent": ("sent", "success"),
        "kept": ("kept in the outbox: no mail server is set up", "warning"),
        "cancelled": ("taken back", "muted"),
    }
    return known.get(row.state) or (words(row.state), "muted")


def _mail(row: MailRow, stamp: str, cells: int, glyphs: Glyphs) -> Happening:
    state, style = mail_state(row)
    icons = {"error": glyphs.error, "warning": glyphs.warning, "success": glyphs.info}
    to = f" to {row.to}" if row.to and row.state == "sent" else ""
    return Happening(
        time=stamp,
        time_cells=cells,
        icon=icons.get(style, glyphs.waiting),
        style=style,
        message=f"{mail_name(row.kind)} {state}{to}",
        quiet=style == "muted",
        most=SOME_LINES,
    )
