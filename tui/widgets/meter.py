"""How far something is, as a bar of characters and in words."""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.blocks import Block, Laid
from tui.widgets.cells import clip, plain, width
from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.lines import Part

LONGEST = 24
"""Cells of the bar at the most."""
LEAST = 8
"""Cells below which there is no bar, only the words."""


@dataclass(frozen=True, slots=True)
class Meter(Block):
    """``━━━━━━━━━───────  312 of 480``; without a ``total`` only the words: nobody knows how much there is."""

    done: int = 0
    total: int | None = None
    note: str = ""

    @property
    def words(self) -> str:
        """``312 of 480, Printify``."""
        return progress_words(self.done, self.total, self.note)

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """One line; the words give way at their end, the bar before them."""
        words = clip(plain(self.words), cells, glyphs.ellipsis)
        room = min(LONGEST, cells - width(words) - 2)
        if not self.total or room < LEAST:
            return [[(words, "info")]]
        full = max(min(self.done * room // self.total, room), 0)
        mark, rest = ("━", "─") if glyphs is UNICODE else ("#", "-")
        parts: list[Part] = [(mark * full, "info"), (rest * (room - full), "rule"), (f"  {words}", "")]
        return [parts]


def progress_words(done: int, total: int | None, note: str | None) -> str:
    """How far it is: ``312 of 480``, or ``312 so far``; then the note."""
    said = f"{done:,} so far" if total is None else f"{done:,} of {total:,}"
    return f"{said}, {note}" if note else said
