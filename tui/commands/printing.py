"""What a command prints: tables and facts for people, JSON for programs. Nothing that a terminal would act on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from tui.api.clean import clean_line
from tui.api.clock import Clock
from tui.widgets.cells import fit, plain, width, wrap
from tui.widgets.format import Glyphs, Mark, TimeFormat, Times

GAP: Final = "  "
LEAST: Final = 24
"""Cells that the widest-running column keeps before other columns are left out."""

_SGR: Final = {"success": "32", "info": "36", "warning": "33", "error": "31", "muted": "2", "accent": "1"}
_PLAIN_JSON: Final = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: what stands above it.
        right: numbers stand to the right.
        flows: it takes the room that the others leave.
        spare: on a narrow terminal the column with the highest number is left out first; 0 stays.
    """

    title: str
    right: bool = False
    flows: bool = False
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and the name of its style."""

    text: str
    style: str = ""


Row = Sequence[str | Cell]


class Printer:
    """Writes to standard output and, what is not the result, to standard error.

    Args:
        out: standard output.
        err: standard error.
        clock: for how old things are.
        glyphs: the decorative characters.
        format: how moments are written on a terminal.
        colour: whether colours are wanted; only a terminal gets them.
        as_json: print documents instead of tables.
    """

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        clock: Clock,
        *,
        glyphs: Glyphs,
        format: TimeFormat = TimeFormat.CLOCK,  # noqa: A002 - as it is called everywhere
        colour: bool = True,
        as_json: bool = False,
    ) -> None:
        self._out, self._err, self._clock = out, err, clock
        self.glyphs = glyphs
        self.as_json = as_json
        self.terminal = out.isatty()
        self._format = format
        self._colour = colour and self.terminal
        self._unicode = (out.encoding or "").lower().replace("-", "") == "utf8"

    # What is written

    def document(self, raw: Any, *, flush: bool = False) -> None:
        """A document as one line of JSON. What is not printable stands as an escape: a reader of JSON gets it back."""
        text = json.dumps(raw, ensure_ascii=not self._unicode, separators=(",", ":"))
        self._write(_PLAIN_JSON.sub(_escaped, text), flush=flush)

    def line(self, text: str, style: str = "", *, flush: bool = False) -> None:
        """A line of the result, never cut."""
        self._write(self._styled(plain(clean_line(text)), style), flush=flush)

    def note(self, text: str) -> None:
        """A line that is no part of the result."""
        self._err.write(f"shopbell: {plain(clean_line(text))}\n")
        self._err.flush()

    def aside(self, text: str) -> None:
        """A line of a dialogue: on standard error, so that the result stays alone."""
        self._err.write(plain(clean_line(text)) + "\n")
        self._err.flush()

    def table(self, columns: Sequence[Column], rows: Iterable[Row], *, head: bool = True) -> None:
        """A table: on a terminal as wide as that, otherwise as wide as it is."""
        cells = [[_cell(part) for part in row] for row in rows]
        sizes = [
            max([width(column.title), *(width(row[place].text) for row in cells)])
            for place, column in enumerate(columns)
        ]
        room = self._room()
        kept = list(range(len(columns))) if room is None else _kept(columns, sizes, room)
        if head:
            titles = [Cell(columns[place].title, "muted") for place in range(len(columns))]
            cells.insert(0, titles)
        for row in cells:
            self._write(self._row(columns, sizes, row, kept, room))

    def facts(self, pairs: Iterable[tuple[str, str | Cell]]) -> None:
        """Names and values; a long value goes on in the next line. What is empty is left out."""
        told = [(_cell(name).text, _cell(value)) for name, value in pairs]
        told = [(name, cell) for name, cell in told if cell.text]
        indent = max((width(name) for name, _ in told), default=0)
        room = self._room()
        for name, cell in told:
            first = fit(name, indent)
            lines = [cell.text] if room is None else wrap(cell.text, max(room - indent - len(GAP), LEAST))
            for text in lines:
                self._write(f"{self._styled(first, 'muted')}{GAP}{self._styled(text, cell.style)}".rstrip())
                first = " " * indent

    def following(self, parts: Sequence[tuple[str | Cell, int]]) -> None:
        """A line of something that goes on: each part with the cells it has; the last part takes the rest."""
        room = self._room()
        made, used = [], 0
        for part, size in parts[:-1]:
            cell = _cell(part)
            text = fit(cell.text, max(size, width(cell.text)))
            made.append(self._styled(text, cell.style))
            used += width(text) + len(GAP)
        last = _cell(parts[-1][0])
        if room is not None and width(last.text) > max(room - used, LEAST):
            last = Cell(fit(last.text, max(room - used, LEAST), ellipsis=self.glyphs.ellipsis), last.style)
        self._write(GAP.join([*made, self._styled(last.text, last.style)]).rstrip(), flush=True)

    # How values are written

    def when(self, moment: datetime | None) -> str:
        """A moment in local time: short on a terminal, whole elsewhere; nothing for None."""
        if moment is None:
            return ""
        here = _local(moment)
        if not self.terminal:
            return f"{here:%Y-%m-%d %H:%M:%S}"
        return self._times(here).short(moment)

    def full(self, moment: datetime | None) -> str:
        """A moment with its zone and in UTC; nothing for None."""
        return "" if moment is None else self._times(_local(moment)).full(moment)

    def ahead(self, moment: datetime) -> int:
        """Whole seconds until a moment that is at most a minute away; 0 when it is past."""
        return min(max(0, round((moment - self._clock.now()).total_seconds())), 60)

    def marked(self, mark: Mark) -> Cell:
        """A mark as a cell: its sign and its word."""
        return Cell(f"{mark.icon} {mark.word}", mark.style)

    def _times(self, here: datetime) -> Times:
        return Times(self._clock.now(), here.tzinfo or UTC, self._format)

    # How it gets there

    def _row(
        self,
        columns: Sequence[Column],
        sizes: Sequence[int],
        row: Sequence[Cell],
        kept: Sequence[int],
        room: int | None,
    ) -> str:
        sizes = list(sizes)
        if room is not None:
            flowing = next((place for place in kept if columns[place].flows), kept[-1])
            others = sum(sizes[place] + len(GAP) for place in kept if place != flowing)
            sizes[flowing] = min(sizes[flowing], max(room - others, 1))
        parts, used = [], 0
        for place in kept:
            size = sizes[place] if room is None else min(sizes[place], max(room - used, 0))
            text = fit(row[place].text, size, right=columns[place].right, ellipsis=self.glyphs.ellipsis)
            used += size + len(GAP)
            if text:
                parts.append(self._styled(text.rstrip() if place == kept[-1] else text, row[place].style))
        return GAP.join(parts).rstrip()

    def _styled(self, text: str, style: str) -> str:
        code = _SGR.get(style) if self._colour else None
        return f"\x1b[{code}m{text}\x1b[0m" if code and text.strip() else text

    def _room(self) -> int | None:
        """The terminal's width; None where there is none."""
        if not self.terminal:
            return None
        try:
            return os.get_terminal_size(self._out.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _write(self, line: str, *, flush: bool = False) -> None:
        self._out.write(line + "\n")
        if flush:
            self._out.flush()

    def flush(self) -> None:
        """Hand over all that was written. Raises BrokenPipeError when nobody reads any more."""
        self._out.flush()


def _cell(part: str | Cell) -> Cell:
    found = part if isinstance(part, Cell) else Cell(part)
    return Cell(plain(clean_line(found.text)), found.style)


def _kept(columns: Sequence[Column], sizes: Sequence[int], room: int) -> list[int]:
    """Which columns there is room for."""
    kept = list(range(len(columns)))
    while any(columns[place].spare for place in kept):
        least = [min(sizes[place], LEAST) if columns[place].flows else sizes[place] for place in kept]
        if sum(least) + len(GAP) * (len(kept) - 1) <= room:
            break
        kept.remove(max(kept, key=lambda place: columns[place].spare))
    return kept


def _local(moment: datetime) -> datetime:
    """The moment on this machine's clock; unchanged where the calendar has no such day."""
    try:
        return moment.astimezone()
    except (OverflowError, ValueError, OSError):
        return moment


def _escaped(found: re.Match[str]) -> str:
    letter = found[0]
    if letter.isprintable():
        return letter
    code = ord(letter)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
