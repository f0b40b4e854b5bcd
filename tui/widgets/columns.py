"""Columns of a list: what they show, how wide they are, and how a row becomes one strip of cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.widgets.cells import fit, plain, width

T = TypeVar("T")

NARROW = 60
"""Lists below this many cells put one space between columns, wider ones two."""


class Cell(NamedTuple):
    """What a column shows of a row: a text (strangers' is fine) and the name of a style, or none."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
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
    """A column and the cells it got."""

    column: Column[T]
    cells: int


@dataclass(frozen=True, slots=True)
class Layout(Generic[T]):
    """The columns that fit into ``cells``, from left to right, ``gap`` cells apart."""

    cells: int
    gap: int
    placed: tuple[Placed[T], ...]


LEAD = 3
"""Cells before the first column: the cursor's mark, the row's icon, a space."""


def lay_out(columns: Sequence[Column[T]], cells: int) -> Layout[T]:
    """Choose and size the columns of a list ``cells`` wide; what does not fit at its right end is cut."""
    gap = 1 if cells < NARROW else 2
    shown = [column for column in columns if cells >= column.min_list_width]
    room = max(cells - LEAD - 1, 0)  # one cell of air before the scroll bar
    fixed = sum(column.width for column in shown if not column.flex)
    spare = max(room - fixed - gap * max(len(shown) - 1, 0), 0)
    shares = sum(column.flex for column in shown)
    placed: list[Placed[T]] = []
    for column in shown:
        if column.flex:
            size = spare * column.flex // shares
            spare, shares = spare - size, shares - column.flex
        else:
            size = column.width
        size = min(size, room)
        room = max(room - size - gap, 0)
        if size:
            placed.append(Placed(column, size))
    return Layout(cells, gap, tuple(placed))


class RowLook(NamedTuple):
    """What changes how a row is drawn besides its content."""

    selected: bool = False
    marked: bool = False


class Painter(Generic[T]):
    """Turns rows into strips with the styles of one theme, remembering none of them.

    ``styles`` maps a style name to a Rich style that is laid over the row's; ``match`` marks what was
    searched for. ``lead`` gives a row's icon. Every strip is exactly as wide as the layout says.
    """

    def __init__(
        self,
        layout: Layout[T],
        *,
        base: Style,
        cursor: Style,
        marked: Style,
        styles: Mapping[str, Style],
        lead: Callable[[T], Cell] | None,
        glyphs: tuple[str, str, str],
        match: re.Pattern[str] | None = None,
    ) -> None:
        self.layout = layout
        self._base, self._cursor, self._marked = base, cursor, marked
        self._styles = styles
        self._lead = lead
        self._cursor_glyph, self._mark_glyph, self._ellipsis = glyphs
        self._match = match

    def header(self, style: Style) -> Strip:
        """The titles of the columns."""
        parts = [(" " * LEAD, "")]
        for number, (column, cells) in enumerate(self.layout.placed):
            if number:
                parts.append((" " * self.layout.gap, ""))
            right = column.align == "right"
            parts.append((fit(plain(column.title), cells, right=right, ellipsis=self._ellipsis), ""))
        return self._strip(parts, style)

    def row(self, row: T, look: RowLook) -> Strip:
        """A row as a strip."""
        style = self._base
        if look.marked:
            style += self._marked
        if look.selected:
            style += self._cursor
        return self._strip(self._parts(row, look), style)

    def text(self, row: T) -> str:
        """What a row shows, cells separated by line feeds: what a search in the list looks at."""
        return "\n".join(plain(column.render(row).text) for column, _cells in self.layout.placed)

    def sentence(self, text: str, style: str) -> Strip:
        """One line that is no row: a placeholder, the end of the list."""
        cells = max(self.layout.cells - LEAD - 1, 0)
        return self._strip(
            [(" " * LEAD, ""), (fit(plain(text), cells, ellipsis=self._ellipsis), style)], self._base
        )

    def _parts(self, row: T, look: RowLook) -> list[tuple[str, str]]:
        lead = self._lead(row) if self._lead is not None else Cell(" ")
        icon = Cell(self._mark_glyph, "accent") if look.marked else lead
        parts = [
            # The mark shares the icon's style: one run of cells less on the wire.
            (self._cursor_glyph if look.selected else " ", icon.style),
            (fit(plain(icon.text), 1), icon.style),
            (" ", ""),
        ]
        for number, (column, cells) in enumerate(self.layout.placed):
            if number:
                parts.append((" " * self.layout.gap, ""))
            cell = column.render(row)
            text = plain(cell.text)
            parts.extend(
                self._searched(
                    fit(text, cells, right=column.align == "right", ellipsis=self._ellipsis), cell.style
                )
            )
        return parts

    def _searched(self, text: str, style: str) -> list[tuple[str, str]]:
        """Cut out what was searched for, to be drawn in the match style."""
        if self._match is None:
            return [(text, style)]
        parts, end = [], 0
        for found in self._match.finditer(text):
            if found.end() > found.start():
                parts += [(text[end : found.start()], style), (found[0], "match")]
                end = found.end()
        return [*parts, (text[end:], style)]

    def _strip(self, parts: list[tuple[str, str]], style: Style) -> Strip:
        """Join parts of one style to runs, and make the whole exactly as wide as the list."""
        runs: list[tuple[str, str]] = []
        for text, name in parts:
            if not text:
                continue
            # Spaces look the same in every style without a background: let them join their neighbour.
            if runs and (
                runs[-1][1] == name or (name != "match" and runs[-1][1] != "match" and text.isspace())
            ):
                runs[-1] = (runs[-1][0] + text, runs[-1][1])
            else:
                runs.append((text, name))
        segments = [
            Segment(text, style + self._styles[name] if name in self._styles else style)
            for text, name in runs
        ]
        used = sum(width(text) for text, _name in runs)
        cells = self.layout.cells
        if used < cells:
            if runs and runs[-1][1] != "match":
                last = segments[-1]
                segments[-1] = Segment(last.text + " " * (cells - used), last.style)
            else:
                segments.append(Segment(" " * (cells - used), style))
        strip = Strip(segments, max(used, cells))
        return strip if used <= cells else strip.crop(0, cells)
