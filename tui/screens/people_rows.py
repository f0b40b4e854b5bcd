"""How people read in their list: who it is, where they can be reached, what they may do here, what they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tui.widgets.columns import Cell, Column
from tui.widgets.format import Glyphs, TimeFormat, Times
from tui.widgets.standing import standing

if TYPE_CHECKING:
    from server.contract.people import PersonRow

SINCE: Final = {TimeFormat.CLOCK: 6, TimeFormat.RELATIVE: 6, TimeFormat.EXACT: 15, TimeFormat.UTC: 15}
"""Cells of a moment in the list."""


def name_of(row: PersonRow) -> str:
    """Who it is: the name, else how a sentence names them."""
    return row.name or row.shown


def lead(glyphs: Glyphs) -> Callable[[PersonRow], Cell]:
    """The sign of a row."""

    def icon(row: PersonRow) -> Cell:
        mark = standing(row, glyphs)
        return Cell(mark.icon, mark.style)

    return icon


def columns(times: Callable[[], Times], glyphs: Glyphs, shown: TimeFormat) -> list[Column[PersonRow]]:
    """What the list shows of people.

    Args:
        times: how moments are written now.
        glyphs: the decorative characters.
        shown: the format of moments.
    """

    def who(row: PersonRow) -> Cell:
        return Cell(name_of(row), "muted" if row.erased_at is not None else "")

    def email(row: PersonRow) -> Cell:
        return Cell(row.email or "", "muted")

    def state(row: PersonRow) -> Cell:
        mark = standing(row, glyphs)
        return Cell(mark.word, mark.style if mark.style in {"warning", "accent", "muted"} else "")

    def bought(row: PersonRow) -> Cell:
        return Cell(f"{row.orders:,}" if row.orders else "")

    def asked(row: PersonRow) -> Cell:
        return Cell(f"{row.open_tickets:,}" if row.open_tickets else "", "accent")

    def since(row: PersonRow) -> Cell:
        return Cell(times().listed(row.created_at), "muted")

    return [
        Column("NAME", who, flex=4),
        Column("E-MAIL", email, flex=5, min_list_width=56),
        Column("ROLE", state, width=9, min_list_width=36),
        Column("ORDERS", bought, width=6, align="right", min_list_width=44),
        Column("OPEN", asked, width=4, align="right", min_list_width=52),
        Column("SINCE", since, width=SINCE[shown], align="right", min_list_width=64),
    ]
