"""How the feed reads: its columns, its tabs, and what narrows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.screens.unfolding import Row
from tui.widgets.format import Glyphs, TimeFormat, Times, level_mark, short_number
from tui.widgets.record_list import Cell, Column

if TYPE_CHECKING:
    from server.contract.activity import Level

CATEGORIES = ("orders", "syncs", "emails", "carts", "tickets", "system", "custom")
"""The categories there are, in the order of the menu."""

LEVELS: tuple[Level | None, ...] = (None, "error", "warning", "info")
"""What the level key goes through."""

AGE = {TimeFormat.CLOCK: 4, TimeFormat.RELATIVE: 4, TimeFormat.EXACT: 15, TimeFormat.UTC: 15}
"""Cells of a moment in a list."""


def lead(glyphs: Glyphs) -> Callable[[Row], Cell]:
    """The icon of a row: its level; what is resolved is quiet, and a member hangs below its group."""

    def icon(row: Row) -> Cell:
        if row.member:
            return Cell(
                "└" if row.last and glyphs.rule == "─" else "├" if glyphs.rule == "─" else "|", "muted"
            )
        mark = level_mark(row.entry.level, glyphs)
        if row.entry.resolved_at is not None:
            return Cell(glyphs.marked, "muted")
        return Cell(mark.icon, mark.style)

    return icon


def columns(times: Callable[[], Times], glyphs: Glyphs, shown: TimeFormat) -> list[Column[Row]]:
    """What kind of event, how often, what it says, whose order, how long ago."""

    def quiet(row: Row) -> str:
        return "muted" if row.entry.resolved_at is not None else ""

    def kind(row: Row) -> Cell:
        mark = level_mark(row.entry.level, glyphs)
        raised = row.entry.level != "info" and not quiet(row) and not row.member
        return Cell(row.entry.label, quiet(row) or (mark.style if raised else ""))

    def times_over(row: Row) -> Cell:
        count = row.entry.group.count
        return Cell(f"×{count}" if count > 1 and not row.member else "", "accent")  # noqa: RUF001

    def order(row: Row) -> Cell:
        if row.entry.order is None:
            return Cell("")
        more = "+" if row.entry.group.orders > 1 and not row.member else ""
        return Cell(short_number(row.entry.order.number) + more, quiet(row) or "muted")

    return [
        Column("EVENT", kind, width=19, min_list_width=72),
        Column("WHAT HAPPENED", lambda row: Cell(row.entry.message, quiet(row)), flex=1),
        Column("", times_over, width=4, align="right"),
        Column("ORDER", order, width=5, min_list_width=44),
        Column(
            "AGE",
            lambda row: Cell(times().listed(row.entry.occurred_at), "muted"),
            width=AGE[shown],
            align="right",
        ),
    ]
