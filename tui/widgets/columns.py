"""Columns of a list: what they show, how wide they are, and how a row becomes one strip of cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Literal, NamedTuple, TypeVar

from rich.style import Style
from textual.strip import Strip

from tui.widgets.cells import clip, fit, plain
from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.lines import Part, cut_matches, strip_of

T = TypeVar("T")

NARROW = 60
"""Lists below this many cells put one space between columns, wider ones two; where a column that ends at its right
side meets one that begins at its left there are always two."""


class Cell(NamedTuple):
    """What a column shows of a row: a text (strangers' is fine) and the name of a style, or none."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column. Give ``width`` (cells) or ``flex`` (a share of what the others leave).

    ``render`` writes a row's cell; it must depend on the row and on the present minute alone.
    ``min_list_width`` is the narrowest list, in cells, that still shows the column.
    """

    title: str
    render: Callable[[T], Cell]
    width: int = 0
    flex: int = 0
    align: Literal["left", "right"] = "left"
    min_list_width: int = 0


class Placed(NamedTuple, Generic[T]):
    """A column, the cells it got, and the empty cells before it."""

    column: Column[T]
    cells: int
    gap: int = 0


@dataclass(frozen=True)
class Layout(Generic[T]):
    """The columns that fit into ``cells``, from left to right."""

    cells: int
    placed: tuple[Placed[T], ...]


LEAD = 3
"""Cells before the first column: the cursor's mark, the row's icon, a space."""

AIR = 2
"""Cells after the last column: a space and the scroll bar."""


LEAST_FLEX = 8
"""Cells that a flexible column keeps: before it gets fewer, columns at the right end give way."""


def lay_out(columns: Sequence[Column[T]], cells: int) -> Layout[T]:
    """Choose and size the columns of a list ``cells`` wide.

    Columns whose ``min_list_width`` is more are left out; while the flexible ones have too little room, so
    are those of a fixed width, from the right. What still does not fit is cut.
    """
    room = max(cells - LEAD - AIR, 0)
    shown = [column for column in columns if cells >= column.min_list_width]
    while (spare := _spare(shown, room, cells)) < LEAST_FLEX * sum(bool(column.flex) for column in shown):
        last = next((at for at in range(len(shown) - 1, 0, -1) if not shown[at].flex), None)
        if last is None:
            break
        del shown[last]
    shares = sum(column.flex for column in shown)
    placed: list[Placed[T]] = []
    for column, gap in zip(shown, _gaps(shown, cells), strict=True):
        size = column.width
        if column.flex:
            size = spare * column.flex // shares
            spare, shares = spare - size, shares - column.flex
        size = max(min(size, room - gap), 0)
        room = max(room - size - gap, 0)
        if size:
            placed.append(Placed(column, size, gap))
    return Layout(cells, tuple(placed))


def _gaps(columns: Sequence[Column[T]], cells: int) -> list[int]:
    """The empty cells before each column; none before the first."""
    usual = 1 if cells < NARROW else 2
    meet = (left.align == "right" and right.align == "left" for left, right in pairwise(columns))
    return [0, *(2 if touching else usual for touching in meet)][: len(columns)]


def _spare(columns: Sequence[Column[T]], room: int, cells: int) -> int:
    """Cells that are left for the flexible columns."""
    fixed = sum(column.width for column in columns if not column.flex)
    return max(room - fixed - sum(_gaps(columns, cells)), 0)


class RowLook(NamedTuple):
    """What changes how a row is drawn besides its content."""

    selected: bool = False
    marked: bool = False


@dataclass(frozen=True)
class Painter(Generic[T]):
    """Turns rows into strips with the styles of one theme; every strip is exactly as wide as the layout.

    Attributes:
        layout: the columns and their cells.
        base: the style of plain text.
        styles: what each style name lays over it.
        cursor_styles: the same on the cursor's line.
        lead: gives a row's icon, one cell.
        glyphs: the decorative characters.
        match: what was searched for.
    """

    layout: Layout[T]
    base: Style
    styles: dict[str, Style]
    cursor_styles: dict[str, Style]
    lead: Callable[[T], Cell] | None = None
    glyphs: Glyphs = UNICODE
    match: re.Pattern[str] | None = None

    def header(self) -> Strip:
        """The titles of the columns."""
        parts: list[Part] = [(" " * LEAD, "header")]
        for column, cells, gap in self.layout.placed:
            parts.append((" " * gap, "header"))
            parts.append((self._fit(plain(column.title), cells, column.align), "header"))
        return strip_of(parts, self.layout.cells, self.base, self.styles)

    def row(self, row: T, look: RowLook) -> Strip:
        """A row as a strip."""
        style = self.base
        if look.marked:
            style += self.styles["marked"]
        styles = self.styles
        if look.selected:
            style, styles = style + self.styles["cursor"], self.cursor_styles
        return strip_of(self._parts(row, look), self.layout.cells, style, styles)

    def text(self, row: T) -> str:
        """What a row shows, cells separated by line feeds: what a search in the list looks at."""
        return "\n".join(plain(column.render(row).text) for column, _cells, _gap in self.layout.placed)

    def sentence(self, text: str, style: str) -> Strip:
        """One line that is no row: a placeholder, the end of the list."""
        room = max(self.layout.cells - LEAD - AIR, 0)
        parts = [(" " * LEAD, ""), (clip(plain(text), room, self.glyphs.ellipsis), style)]
        return strip_of(parts, self.layout.cells, self.base, self.styles)

    def _parts(self, row: T, look: RowLook) -> list[Part]:
        lead = self.lead(row) if self.lead is not None else Cell(" ")
        icon = Cell(self.glyphs.marked, "accent") if look.marked else lead
        # The cursor's mark shares the icon's style: one run of cells less on the wire.
        parts: list[Part] = [
            (self.glyphs.cursor if look.selected else " ", icon.style),
            (fit(plain(icon.text), 1), icon.style),
            (" ", ""),
        ]
        for column, cells, gap in self.layout.placed:
            parts.append((" " * gap, ""))
            cell = column.render(row)
            text = self._fit(plain(cell.text), cells, column.align)
            parts.extend(cut_matches(text, cell.style, self.match))
        return parts

    def _fit(self, text: str, cells: int, align: str) -> str:
        return fit(text, cells, right=align == "right", ellipsis=self.glyphs.ellipsis)
