"""Entries of the activity log as stories: the timeline of an order, and one entry with all that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.widgets.blocks import (
    SOME_LINES,
    Attention,
    Block,
    Facts,
    Gap,
    Happening,
    Pair,
    Paragraph,
    Rule,
    Title,
    Words,
)
from tui.widgets.cells import width
from tui.widgets.facts import fact_lines
from tui.widgets.format import UNICODE, Glyphs, Times, count, lateness, level_mark, words

if TYPE_CHECKING:
    from server.contract.activity import Actor, Entry
    from server.contract.orders import Expected


def timeline(
    entries: Sequence[Entry],
    times: Times,
    glyphs: Glyphs = UNICODE,
    *,
    whole: Collection[str] = (),
    expected: Expected | None = None,
) -> list[Block]:
    """The entries as they follow one another, oldest first as given, with a rule where a day begins.

    Each entry is a block of its own id, so that the cursor can stand on it. Of a long message only the beginning
    is shown, except of the entries whose ids are in ``whole``. What is ``expected`` next stands dotted at the end.
    """
    stamps = [times.short(entry.occurred_at) for entry in entries]
    cells = max((width(stamp) for stamp in stamps), default=5)
    blocks: list[Block] = []
    day = None
    for entry, stamp in zip(entries, stamps, strict=True):
        if (today := times.day(entry.occurred_at)) != day:
            day = today
            blocks.append(Rule(text=today))
        blocks.append(happening(entry, stamp, cells, times, glyphs, whole=entry.id in whole))
    if expected is not None:
        blocks.append(not_yet(expected, cells, times, glyphs))
    return blocks


def not_yet(expected: Expected, cells: int, times: Times, glyphs: Glyphs = UNICODE) -> Happening:
    """The step that has not come yet: ``next: in production, expected by 10:37``, or since when it is late."""
    by = times.clock(expected.by)
    late = expected.overdue
    said = (
        f"late: {expected.label} was expected by {by}"
        if late
        else f"next: {expected.label}, expected by {by}"
    )
    return Happening(
        time=glyphs.dot.center(cells),
        time_cells=cells,
        icon=glyphs.waiting,
        style="warning" if late else "muted",
        message=said,
        quiet=not late,
    )


def happening(
    entry: Entry, stamp: str, cells: int, times: Times, glyphs: Glyphs = UNICODE, *, whole: bool = False
) -> Happening:
    """One entry of a timeline, a long message ``whole`` or not; ``stamp`` is its time in a column ``cells`` wide."""
    mark = level_mark(entry.level, glyphs)
    notes = []
    if late := lateness(entry.occurred_at, entry.inserted_at):
        notes.append(late)
    if entry.resolved_at is not None:
        notes.append(f"{glyphs.marked} {resolved(entry, times)}")
    return Happening(
        id=entry.id,
        time=stamp,
        time_cells=cells,
        icon=mark.icon,
        word="" if entry.level == "info" else mark.word,
        style=mark.style,
        message=entry.message,
        notes=tuple(notes),
        quiet=entry.resolved_at is not None,
        most=None if whole else SOME_LINES,
    )


def resolved(entry: Entry, times: Times) -> str:
    """``resolved by jamie at 14:30``; empty for what is open."""
    if entry.resolved_at is None:
        return ""
    who = f" by {entry.resolved_by}" if entry.resolved_by else ""
    return f"resolved{who}, {times.clock(entry.resolved_at)}"


def needs_attention(entries: Iterable[Entry], hint: str = "", most: int = 3) -> list[Block]:
    """The open warnings and errors behind a bar, the newest first; ``hint`` says what can be done.

    Entries of one group, or that say the same, share one line with their count: it is the same problem.
    """
    problems: list[list[Entry]] = []
    known: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.level == "info" or entry.resolved_at is not None:
            continue
        alike = known.get(entry.group.key) or known.get(entry.message)
        if alike is None:
            alike = []
        else:
            problems.remove(alike)  # it stands where its newest one does
        alike.append(entry)
        problems.append(alike)
        known[entry.group.key] = known[entry.message] = alike
    if not problems:
        return []
    shown = [_attention(alike) for alike in reversed(problems[-most:])]
    if len(problems) > most:
        shown.append(Attention(text=f"and {len(problems) - most:,} more", style="warning"))
    if hint:
        shown[-1] = replace(shown[-1], hint=hint)
    return [*shown]


def _attention(alike: Sequence[Entry]) -> Attention:
    """Entries about one problem as what the newest says."""
    newest, over = alike[-1], f" ×{len(alike):,}" if len(alike) > 1 else ""  # noqa: RUF001 - as lists have it
    return Attention(
        text=f"Needs attention{over}: {newest.message}", style=level_mark(newest.level).style, most=SOME_LINES
    )


def entry_story(
    entry: Entry, times: Times, glyphs: Glyphs = UNICODE, *, hint: str = "", raw: bool = True
) -> list[Block]:
    """An entry with all that is known of it; ``raw`` shows a long message whole and adds the facts."""
    mark, most = level_mark(entry.level, glyphs), None if raw else SOME_LINES
    state = (resolved(entry, times), "muted") if entry.resolved_at else ("needs attention", mark.style)
    pieces = [(f"{mark.icon} {mark.word}", mark.style), (entry.category, "")]
    if entry.level != "info":
        pieces.insert(1, state)
    if entry.internal:
        pieces.append(("internal", "muted"))
    blocks: list[Block] = [Title(text=entry.label), Words(pieces=tuple(pieces)), Gap()]
    if entry.level != "info" and entry.resolved_at is None:
        blocks.append(Attention(text=entry.message, hint=hint, style=mark.style, most=most))
    else:
        blocks.append(Paragraph(text=entry.message, most=most))
    blocks += [Gap(), *_pairs(entry, times)]
    if raw:
        blocks += [Gap(), Rule(text="Raw facts"), Facts(facts=fact_lines(entry.facts) or ((0, "", "none"),))]
    return blocks


def _pairs(entry: Entry, times: Times) -> list[Block]:
    pairs = [("Happened", f"{times.full(entry.occurred_at)} ({times.ago(entry.occurred_at)})")]
    late = lateness(entry.occurred_at, entry.inserted_at)
    pairs.append(("Recorded", times.full(entry.inserted_at) + (f" ({late})" if late else "")))
    if entry.order is not None:
        pairs.append(("Order", entry.order.number))
    pairs += [("By", actor(entry.actor)), ("Type", entry.type)]
    if entry.group.count > 1:
        first, last = times.clock(entry.group.first_at), times.clock(entry.group.last_at)
        pairs.append(
            ("Group", f"{count(entry.group.count, 'entry', 'entries')} like this, {first} to {last}")
        )
    if entry.resolved_at is not None:
        by = f"{entry.resolved_by}, " if entry.resolved_by else ""
        pairs.append(("Resolved", by + times.full(entry.resolved_at)))
    return [Pair(label=label, value=value) for label, value in pairs]


def actor(who: Actor) -> str:
    """Who did it: ``jamie@example.com (staff)``, ``Printify (provider)``, ``system``."""
    return f"{who.name} ({words(who.kind)})" if who.name else words(who.kind)
