"""How acts read in the audit log: who, what, to what, when. Also where one record's history is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.contract.audit import AuditRow
from tui.widgets.blocks import Block, Facts, Gap, Happening, Pair, Paragraph, Rule, Title, Words
from tui.widgets.columns import Cell, Column
from tui.widgets.facts import fact_lines
from tui.widgets.format import Glyphs, TimeFormat, Times, words

WHEN = {TimeFormat.CLOCK: 6, TimeFormat.RELATIVE: 6, TimeFormat.EXACT: 15, TimeFormat.UTC: 15}
"""Cells of a moment in the list."""

_MACHINE = "this machine"
_MODES = {"auto": "by itself", "cron": "by schedule", "script": "by a script"}
_ENDED = frozenset(
    [
        "deleted",
        "revoked",
        "deactivated",
        "barred",
        "cancelled",
        "withdrawn",
        "voided",
        "removed",
        "refused",
        "paused",
    ]
)


def rank(row: AuditRow) -> tuple[Any, ...]:
    """Where an act stands among them: the newest first."""
    return row.at, row.id


def who(row: AuditRow) -> str:
    """Who did it: by name while they are known, else by the role they had."""
    actor = row.actor
    if actor.name:
        return actor.name
    if actor.user_id is None and actor.role is None:
        return _MACHINE
    return "somebody who is gone" if actor.user_id else f"a {actor.role} program"


def how(row: AuditRow) -> str:
    """In which role, and how it came about where no hand did it."""
    return ", ".join(part for part in (row.actor.role or "", _MODES.get(row.mode, "")) if part)


def _style(row: AuditRow) -> str:
    """What takes something away stands out a little."""
    return "warning" if row.action.rpartition(".")[2].rpartition("_")[2] in _ENDED else ""


def lead(glyphs: Glyphs) -> Callable[[AuditRow], Cell]:
    """The icon of a line."""

    def icon(row: AuditRow) -> Cell:
        style = _style(row)
        return Cell(glyphs.warning if style else glyphs.dot, style or "muted")

    return icon


def columns(times: Callable[[], Times], shown: TimeFormat) -> list[Column[AuditRow]]:
    """Of acts."""
    return [
        Column("WHO", lambda row: Cell(who(row), "strong"), flex=3),
        Column("WHAT", lambda row: Cell(row.summary), flex=5),
        Column("AREA", lambda row: Cell(words(row.module), "muted"), width=9, min_list_width=72),
        Column("WHEN", lambda row: Cell(times().listed(row.at), "muted"), width=WHEN[shown], align="right"),
    ]


def act_story(row: AuditRow, times: Times, *, hint: str = "", raw: bool = False) -> list[Block]:
    """One act, whole. ``hint`` says what can be done from here."""
    role = how(row)
    blocks: list[Block] = [
        Title(text=row.summary),
        Words(pieces=((who(row), "strong"), *(((role, "muted"),) if role else ()))),
        Gap(),
        Paragraph(text=times.full(row.at), style="muted"),
    ]
    if row.changes:
        heading = "What changed" if any(" → " in line for line in row.changes) else "Facts"
        blocks += [Gap(), Rule(text=heading), *(_change(line) for line in row.changes)]
    if hint:
        blocks += [Gap(), Paragraph(text=hint, style="muted")]
    blocks += [Gap(), Rule(text="Details"), Pair(label="Action", value=row.action)]
    if row.resource_type:
        blocks.append(Pair(label="Done to", value=words(row.resource_type)))
    if row.target_user_id:
        blocks.append(Pair(label="Concerns", value=row.target_name or "somebody who is gone"))
    if raw:
        blocks += [Gap(), Rule(text="As it was recorded"), *_ids(row)]
        blocks.append(Facts(facts=fact_lines(row.metadata) or ((0, "", "nothing"),)))
    return blocks


def _ids(row: AuditRow) -> list[Block]:
    """The ids, for who looks for them elsewhere."""
    known = (
        ("Id", row.id),
        ("Record", row.resource_id),
        ("User", row.target_user_id),
        ("Token", row.actor.token_id),
    )
    return [Pair(label=label, value=value) for label, value in known if value]


def _change(line: str) -> Block:
    name, colon, said = line.partition(": ")
    return Pair(label=name, value=said) if colon else Paragraph(text=line)


def history(rows: list[AuditRow], times: Times, glyphs: Glyphs, *, more: bool = False) -> list[Block]:
    """The acts on one record, newest first, as lines under one another."""
    if not rows:
        return [Paragraph(text="Nothing was recorded about it that you may see.", style="muted")]
    icon = lead(glyphs)
    blocks: list[Block] = [
        Happening(
            id=row.id,
            time=times.short(row.at),
            icon=icon(row).text,
            style=_style(row),
            message=f"{row.summary}, by {who(row)}",
            notes=tuple(row.changes),
        )
        for row in rows
    ]
    return (
        [*blocks, Gap(), Paragraph(text="There is more: the Audit section has it.", style="muted")]
        if more
        else blocks
    )
