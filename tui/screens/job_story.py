"""A job as a story: how it stands, what became of each attempt, and what happens next by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from server.contract.jobs import Attempt, Job, JobRow, Queue, Schedule
from tui.screens.job_rows import is_held, state_mark
from tui.widgets.blocks import Attention, Block, Facts, Gap, Happening, Pair, Paragraph, Rule, Title, Words
from tui.widgets.cells import width
from tui.widgets.facts import fact_lines
from tui.widgets.format import Glyphs, Mark, Times, count
from tui.widgets.meter import Meter

SOME = 4
"""Lines of an attempt's error that are shown until all of it is asked for."""


def heading(row: JobRow, times: Times, glyphs: Glyphs) -> list[Block]:
    """The first two lines, known from the list already."""
    mark = state_mark(row, times.now, glyphs)
    pieces = [(f"{mark.icon} {mark.word}", mark.style)]
    if row.attempt:
        pieces.append((f"attempt {row.attempt} of {row.max_attempts}", ""))
    notes = (row.order.number,) if row.order else ()
    return [Title(text=row.label, notes=notes), Words(pieces=tuple(pieces))]


def glimpse(row: JobRow, times: Times, glyphs: Glyphs) -> list[Block]:
    """What is known of a job before its attempts are fetched."""
    return [*heading(row, times, glyphs), Gap(), Paragraph(text="Loading…", style="muted")]


def job_story(
    job: Job, times: Times, glyphs: Glyphs, *, queue: Queue | None = None, hint: str = "", raw: bool = False
) -> list[Block]:
    """The whole story. ``hint`` says what can be done; ``raw`` shows errors whole and what the job was given."""
    blocks = heading(job, times, glyphs)
    blocks += [Gap(), *_now(job, times, queue, hint)]
    if tried := _attempts(job.attempts, times, glyphs, whole=raw):
        blocks += [Gap(), *tried]
    blocks += [Gap(), Rule(text="Details"), *_details(job, times, queue)]
    if raw:
        blocks += [
            Gap(),
            Rule(text="Given to it"),
            Pair(label="Id", value=job.id),
            Facts(facts=fact_lines(job.args) or ((0, "", "nothing"),)),
        ]
    return blocks


def _now(job: Job, times: Times, queue: Queue | None, hint: str) -> Iterable[Block]:
    """How it stands, and what happens next by itself."""
    if job.state == "running":
        if job.progress is not None:
            known = job.progress
            yield Meter(done=known.done, total=known.total, note=known.note or "")
        else:
            yield Paragraph(text="It runs.")
    elif job.state == "exhausted":
        yield Attention(
            text=f"Gave up after {count(job.attempt, 'attempt')}: {job.error or 'no reason was given'}",
            hint=hint,
            most=SOME,
        )
        return
    elif job.state == "waiting":
        yield from _waiting(job, times, queue, hint)
        return
    elif job.state == "cancelled":
        yield Paragraph(text="Withdrawn: nothing of what it had still to do has left or will.")
    else:
        yield Paragraph(text="Done.")
    if hint:
        yield Paragraph(text=hint, style="muted")


def _waiting(job: Job, times: Times, queue: Queue | None, hint: str) -> Iterable[Block]:
    due = _due(job.run_at, times)
    held = job.held_until if is_held(job, times.now) else None
    if held is not None:
        yield Paragraph(
            text=f"Held until {times.local(held):%H:%M:%S}: nothing has left yet.", style="accent"
        )
    if job.attempt:
        said = f"Attempt {job.attempt} failed: {job.error or 'no reason was given'}"
        again = f"Tried again {due}." if held else f"Tried again by itself {due}."
        yield Attention(text=said, hint=again, style="warning", most=SOME)
    elif held is None:
        yield Paragraph(text=f"It begins by itself {due}.")
    if queue is not None and queue.paused_at is not None:
        yield Paragraph(
            text=f"Its queue is paused{_by(queue)}: it waits until that goes on.", style="warning"
        )
    if hint:
        yield Paragraph(text=hint, style="muted")


def _due(moment: datetime, times: Times) -> str:
    if moment <= times.now:
        return "as soon as there is room"
    return f"at {times.local(moment):%H:%M:%S} ({times.ago(moment)})".replace("(just now)", "(in a moment)")


def _by(queue: Queue) -> str:
    return f" by {queue.paused_by}" if queue.paused_by else ""


def _attempts(tried: Sequence[Attempt], times: Times, glyphs: Glyphs, *, whole: bool) -> list[Block]:
    if not tried:
        return []
    stamps = [times.short(each.started_at) for each in tried]
    cells = max(width(stamp) for stamp in stamps)
    blocks: list[Block] = [Rule(text="Attempts")]
    for each, stamp in zip(tried, stamps, strict=True):
        mark, said = _outcome(each, glyphs)
        blocks.append(
            Happening(
                id=f"attempt:{each.attempt}",
                time=stamp,
                time_cells=cells,
                icon=mark.icon,
                word=mark.word,
                style=mark.style,
                message=said,
                notes=(took,) if (took := _took(each)) else (),
                most=None if whole else SOME,
            )
        )
    return blocks


def _outcome(each: Attempt, glyphs: Glyphs) -> tuple[Mark, str]:
    number = f"attempt {each.attempt}"
    if each.outcome == "failed":
        said = each.error or "no reason was given"
        return Mark(glyphs.error, f"{number} failed", "error"), said
    if each.outcome == "lost":
        return Mark(glyphs.warning, f"{number} lost", "warning"), "its worker died; it costs no attempt"
    if each.outcome == "done":
        return Mark(glyphs.info, "", "success"), f"{number} done"
    return Mark(glyphs.waiting, "", "info"), f"{number} runs"


def _took(each: Attempt) -> str:
    """How long it took, where that is worth saying."""
    if each.finished_at is None:
        return ""
    seconds = (each.finished_at - each.started_at).total_seconds()
    if seconds < 1:
        return ""
    return f"took {seconds:.0f} s" if seconds < 120 else f"took {seconds / 60:.0f} min"


def _details(job: Job, times: Times, queue: Queue | None) -> Iterable[Block]:
    name = job.queue if queue is None else queue.label
    pairs: list[tuple[str, str | None]] = [
        ("Asked by", job.asked_by or "the shop itself"),
        ("Asked at", times.full(job.created_at)),
        ("Began", times.full(job.started_at) if job.started_at else None),
        ("Ended", times.full(job.finished_at) if job.finished_at else None),
        ("Queue", name),
        ("Reaches", "outside the shop" if job.outside else None),
        ("Order", job.order.number if job.order else None),
        ("Kind", job.kind),
    ]
    return [Pair(label=label, value=value) for label, value in pairs if value]


def schedule_story(schedule: Schedule, times: Times) -> list[Block]:
    """A job that comes by itself."""
    pairs = [
        ("How often", schedule.when),
        ("Next", f"{times.full(schedule.next_at)} ({times.ago(schedule.next_at)})"),
        ("Last", times.full(schedule.last_at) if schedule.last_at else "not yet"),
        ("Name", schedule.name),
    ]
    return [
        Title(text=schedule.label),
        Words(pieces=(("comes by itself", "muted"),)),
        Gap(),
        *(Pair(label=label, value=value) for label, value in pairs),
    ]
