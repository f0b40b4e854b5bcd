"""What somebody said, as a block of a story: whose words they are, and who gets to read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tui.widgets.blocks import Block, Laid
from tui.widgets.cells import MAX_LINE, clip, plain, width, wrap
from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.lines import Part

INTERNAL: Final = "INTERNAL"
"""The word that stands on all that the customer never sees."""


@dataclass(frozen=True, slots=True)
class Said(Block):
    """Somebody's words behind a bar: who and when on the first line, then what they wrote, whole.

    What is for staff alone has a frame around it, another sign at each of its lines, another colour and the word
    INTERNAL, so that none of them alone must carry it.
    """

    who: str = ""
    role: str = ""
    when: str = ""
    text: str = ""
    style: str = ""
    internal: bool = False

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """The heading, the text, and for an internal note the lines of its frame."""
        if self.internal:
            return self._framed(cells, glyphs)
        bar: Part = (f"{glyphs.bar} ", self.style)
        room = max(cells - 2, 1)
        head = self._head(room, glyphs, "strong")
        return [[bar, *head], *([bar, (line, "")] for line in wrapped(self.text, room))]

    def _framed(self, cells: int, glyphs: Glyphs) -> Laid:
        corners = ("╔", "║", "╚", "═") if glyphs is UNICODE else ("#", "#", "#", "=")
        top, side, bottom, rule = corners
        room = max(cells - 2, 1)
        word: Part = (clip(f" {INTERNAL} ", max(cells - 1, 0), ""), "new")
        spare = max(cells - 1 - len(word[0]) - 1, 0)
        head: list[Part] = [(top, "warning"), word]
        head += [(" ", ""), *self._head(spare, glyphs, "warning")] if spare > 8 else []
        lines: Laid = [head]
        if spare <= 8:
            lines.append([(f"{side} ", "warning"), *self._head(room, glyphs, "warning")])
        lines += [[(f"{side} ", "warning"), (line, "warning")] for line in wrapped(self.text, room)]
        return [*lines, [(bottom + rule * min(max(cells - 1, 0), 24), "warning")]]

    def _head(self, room: int, glyphs: Glyphs, style: str) -> list[Part]:
        """Who it was and in which role; at the right end when."""
        when = plain(self.when)
        who = clip(plain(self.who), room, glyphs.ellipsis)
        parts: list[Part] = [(who, style)]
        used = width(who)
        role = f" {glyphs.dot} {plain(self.role)}" if self.role else ""
        if used + width(role) <= room:
            parts.append((role, "muted"))
            used += width(role)
        if used + 2 + width(when) <= room:
            parts += [(" " * (room - used - width(when)), ""), (when, "muted")]
        return parts


def wrapped(text: str, cells: int) -> list[str]:
    """All lines of a text, also of a line that is longer than a story looks at otherwise."""
    pieces: list[str] = []
    for line in text.split("\n"):
        pieces += [line[at : at + MAX_LINE] for at in range(0, len(line), MAX_LINE)] or [""]
    return wrap("\n".join(pieces), cells)
