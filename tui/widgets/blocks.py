"""What a story is made of: blocks that lay themselves out for a width, and that compare equal when unchanged.

All texts may be strangers': they are made plain when they are laid out.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.cells import clip, fit, plain, width, wrap
from tui.widgets.format import Glyphs
from tui.widgets.lines import Part

Laid = list[list[Part]]
"""Lines of a block; each at most as wide as asked for."""

LABELS = 11
"""Cells of a label before its value."""

LEAST_TEXT = 16
"""Cells below which text is not pushed to the right of something else."""

SOME_LINES = 6
"""Lines of a long text that a story shows until all of it is asked for."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a story. With an ``id`` the cursor can stand on it."""

    id: str | None = None

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:  # noqa: ARG002 - for those that follow
        """The block's lines, none wider than ``cells`` (at least :data:`tui.widgets.lines.LEAST_CELLS`)."""
        return []


@dataclass(frozen=True, slots=True)
class Gap(Block):
    """An empty line."""

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:  # noqa: ARG002 - the base's
        """One line of nothing."""
        return [[]]


def _wrapped(text: str, cells: int, most: int | None, glyphs: Glyphs) -> list[str]:
    """The lines of a text; of more than ``most`` the first ones, with an ellipsis at the end."""
    lines = wrap(text, cells)
    if most is None or len(lines) <= most:
        return lines
    room = max(cells - width(glyphs.ellipsis), 0)
    return [*lines[: most - 1], clip(lines[most - 1], room, "").rstrip() + glyphs.ellipsis]


@dataclass(frozen=True, slots=True)
class Paragraph(Block):
    """Wrapped text in one style; at most so many lines of it."""

    text: str = ""
    style: str = ""
    most: int | None = None

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """As many lines as the text needs and may have."""
        return [[(line, self.style)] for line in _wrapped(self.text, cells, self.most, glyphs)]


@dataclass(frozen=True, slots=True)
class Title(Block):
    """One line: what this is (strong), then what belongs to it, as far as there is room."""

    text: str = ""
    notes: tuple[str, ...] = ()

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """One line."""
        head = clip(plain(self.text), cells, glyphs.ellipsis)
        parts: list[Part] = [(head, "strong")]
        used = width(head)
        for note in self.notes:
            text = f" {glyphs.dot} {plain(note)}"
            if used + 4 >= cells:
                break
            text = clip(text, cells - used, glyphs.ellipsis)
            parts.append((text, ""))
            used += width(text)
        return [parts]


@dataclass(frozen=True, slots=True)
class Words(Block):
    """One wrapped line of pieces in different styles, a dot between them: ``paid · in production``."""

    pieces: tuple[Part, ...] = ()

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """A new line begins where the next piece does not fit."""
        laid: Laid = [[]]
        used = 0
        for text, style in self.pieces:
            piece = clip(plain(text), cells, glyphs.ellipsis)
            between = f" {glyphs.dot} " if laid[-1] else ""
            if used + len(between) + width(piece) > cells:
                laid.append([])
                between, used = "", 0
            laid[-1] += [(between, "muted"), (piece, style)]
            used += len(between) + width(piece)
        return laid


@dataclass(frozen=True, slots=True)
class Rule(Block):
    """A named line across: ``── Today ─────``."""

    text: str = ""

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """One line."""
        name = clip(plain(self.text), max(cells - 6, 1), glyphs.ellipsis)
        left = f"{glyphs.rule * 2} {name} " if name else ""
        return [[(clip(left + glyphs.rule * max(cells - width(left), 0), cells, ""), "rule")]]


@dataclass(frozen=True, slots=True)
class Item(Block):
    """Something and its amount at the right: ``Shipping, DHL        £4.00``."""

    left: str = ""
    right: str = ""
    style: str = ""
    indent: int = 2

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:  # noqa: ARG002 - the base's
        """The left text wraps; the amount stands on its first line, or below where both do not fit."""
        right = plain(self.right)
        indent = self.indent
        pad = " " * indent
        room = cells - indent - (width(right) + 2 if right else 0)
        if room < LEAST_TEXT and right:
            lines = [[(pad + line, self.style)] for line in wrap(self.left, cells - indent)]
            return [*lines, [(fit(right, cells, right=True), self.style)]]
        first, *rest = wrap(self.left, room)
        gap = " " * (cells - indent - width(first) - width(right))
        head: list[Part] = [(pad + first + gap + right, self.style)]
        return [head, *([(pad + line, self.style)] for line in rest)]


@dataclass(frozen=True, slots=True)
class Pair(Block):
    """A label and its value: ``Happened   Mon 16 Feb 2026 14:23:05 CET``; at most so many lines of it."""

    label: str = ""
    value: str = ""
    style: str = ""
    most: int | None = None

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """The value wraps beside the label, or below it on a narrow screen."""
        label = clip(plain(self.label), cells, glyphs.ellipsis)
        indent = max(LABELS, width(label) + 1)
        if cells - indent < LEAST_TEXT:
            lines = _wrapped(self.value, max(cells - 2, 1), self.most, glyphs)
            return [[(label, "muted")], *([("  ", ""), (line, self.style)] for line in lines)]
        first, *rest = _wrapped(self.value, cells - indent, self.most, glyphs)
        head: list[Part] = [(fit(label, indent), "muted"), (first, self.style)]
        return [head, *([(" " * indent, ""), (line, self.style)] for line in rest)]


@dataclass(frozen=True, slots=True)
class Attention(Block):
    """What needs a human, behind a bar: the sentence (at most so many lines of it), then what can be done."""

    text: str = ""
    hint: str = ""
    style: str = "error"
    most: int | None = None

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """Wrapped lines, each behind the bar."""
        bar: Part = (f"{glyphs.bar} ", self.style)
        room = max(cells - 2, 1)
        said = [(line, self.style) for line in _wrapped(self.text, room, self.most, glyphs)]
        said += [(line, "") for line in (wrap(self.hint, room) if self.hint else [])]
        return [[bar, part] for part in said]


@dataclass(frozen=True, slots=True)
class Happening(Block):
    """An entry of a timeline: time, icon, what happened (at most so many lines of it); below it, quietly, what
    else is to be said."""

    time: str = ""
    time_cells: int = 6
    icon: str = " "
    word: str = ""
    style: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()
    quiet: bool = False
    most: int | None = None

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """The message wraps beside the time, or below it on a narrow screen."""
        text = f"{self.word} {glyphs.dot} {self.message}" if self.word else self.message
        body = "muted" if self.quiet else ""
        icon: list[Part] = [(fit(plain(self.icon), 1), "muted" if self.quiet else self.style), (" ", "")]
        time: Part = (fit(plain(self.time), self.time_cells, ellipsis=glyphs.ellipsis), "muted")
        beside = cells - self.time_cells - 3 >= LEAST_TEXT
        indent = self.time_cells + 3 if beside else 2
        room = max(cells - indent, 1)
        told = _wrapped(text, room, self.most, glyphs)
        lines = [self._worded(line, number, body) for number, line in enumerate(told)]
        lines += [[(line, "muted")] for note in self.notes for line in wrap(note, room)]
        pad: Part = (" " * min(indent, cells - 1), "")
        first: list[Part] = [time, (" ", ""), *icon]
        if beside:
            return [[*first, *lines[0]], *([pad, *line] for line in lines[1:])]
        return [
            [*icon, (clip(time[0].strip(), max(cells - 2, 0), glyphs.ellipsis), "muted")],
            *([pad, *line] for line in lines),
        ]

    def _worded(self, line: str, number: int, body: str) -> list[Part]:
        """Draw the level's word at the beginning in the level's style."""
        if number == 0 and self.word and not self.quiet and line.startswith(self.word):
            return [(self.word, self.style), (line[len(self.word) :], body)]
        return [(line, body)]


@dataclass(frozen=True, slots=True)
class Facts(Block):
    """Facts laid out by :func:`tui.widgets.facts.fact_lines`: (depth, label, value)."""

    facts: tuple[tuple[int, str, str], ...] = ()

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """A label and its value on a line; long values wrap below their label."""
        columns: dict[int, int] = {}
        for depth, label, value in self.facts:
            if value:
                columns[depth] = min(max(columns.get(depth, 0), width(plain(label))), LABELS + 5)
        return [line for fact in self.facts for line in _fact(fact, columns.get(fact[0], 0), cells, glyphs)]


def _fact(fact: tuple[int, str, str], column: int, cells: int, glyphs: Glyphs) -> Laid:
    """One fact; values of one depth begin in one column."""
    depth, label, value = fact
    indent = min(2 * depth, cells // 2)
    pad: Part = (" " * indent, "")
    name = clip(plain(label), max(cells - indent, 1), glyphs.ellipsis)
    start = indent + max(width(name), column) + 2 if name else indent
    if name and (not value or cells - start < LEAST_TEXT):
        inner: Part = (" " * min(indent + 2, cells - 1), "")
        lines = wrap(value, max(cells - indent - 2, 1)) if value else []
        return [[pad, (name, "muted")], *([inner, (line, "")] for line in lines)]
    first, *rest = wrap(value, max(cells - start, 1))
    head: list[Part] = [pad, (fit(name, start - indent) if name else "", "muted"), (first, "")]
    return [head, *([(" " * start, ""), (line, "")] for line in rest)]
