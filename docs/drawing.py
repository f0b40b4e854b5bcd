"""Draws a terminal's screen as an SVG picture that needs nothing from elsewhere.

Text is text, in whatever monospaced font the reader has, each run stretched to the cells it fills; lines, boxes and
blocks are shapes, so that they join whatever the font. The same screen gives the same bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME

CELL: Final = (8.4, 18.0)  # width and height; 0.6 of the letters' size is what monospaced fonts have
LETTERS: Final = 14
BASELINE: Final = 13.0
MARGIN: Final = 10
FONTS: Final = "ui-monospace, 'SF Mono', Menlo, 'Cascadia Mono', 'DejaVu Sans Mono', Consolas, monospace"

_THICK: Final = (0.0, 1.0, 3.0)
_LYING: Final = {"─": _THICK[1], "━": _THICK[2]}
_WORDS: Final = re.compile(r"[^ \u00a0]+(?:[ \u00a0][^ \u00a0]+)*")

# Strokes from the middle of a cell: up, right, down, left; 1 is thin, 2 is thick.
_STROKES: Final = {
    "─": (0, 1, 0, 1), "│": (1, 0, 1, 0), "━": (0, 2, 0, 2), "┃": (2, 0, 2, 0),
    "┌": (0, 1, 1, 0), "┐": (0, 0, 1, 1), "└": (1, 1, 0, 0), "┘": (1, 0, 0, 1),
    "╭": (0, 1, 1, 0), "╮": (0, 0, 1, 1), "╰": (1, 1, 0, 0), "╯": (1, 0, 0, 1),
    "├": (1, 1, 1, 0), "┤": (1, 0, 1, 1), "┬": (0, 1, 1, 1), "┴": (1, 1, 0, 1), "┼": (1, 1, 1, 1),
}  # fmt: skip
# Filled parts of a cell: left, top, width, height in eighths.
_BLOCKS: Final = {
    "█": (0, 0, 8, 8), "▀": (0, 0, 8, 4), "▄": (0, 4, 8, 4), "▌": (0, 0, 4, 8), "▐": (4, 0, 4, 8),
    "▏": (0, 0, 1, 8), "▎": (0, 0, 2, 8), "▍": (0, 0, 3, 8), "▋": (0, 0, 5, 8), "▊": (0, 0, 6, 8),
    "▉": (0, 0, 7, 8), "▕": (7, 0, 1, 8), "▔": (0, 0, 8, 1), "▁": (0, 7, 8, 1), "▂": (0, 6, 8, 2),
    "▃": (0, 5, 8, 3), "▅": (0, 3, 8, 5), "▆": (0, 2, 8, 6), "▇": (0, 1, 8, 7),
}  # fmt: skip


class Pen(NamedTuple):
    """How a piece of text looks."""

    colour: str
    ground: str
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A piece of a line: its text, the cell it begins in, and its look."""

    text: str
    column: int
    pen: Pen

    @property
    def width(self) -> int:
        """Cells."""
        return cell_len(self.text)


def picture(lines: Iterable[Iterable[Segment]], columns: int, title: str, ground: str) -> str:
    """A screen as SVG.

    Args:
        lines: the screen's lines.
        columns: their width in cells.
        title: what the picture shows, for those who cannot see it.
        ground: the colour around the cells, ``#rrggbb``.
    """
    rows = [list(_pieces(line, ground)) for line in lines]
    width = columns * CELL[0] + 2 * MARGIN
    height = len(rows) * CELL[1] + 2 * MARGIN
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img" xml:space="preserve">',
        f"<title>{escape(title)}</title>",
        f"<style>text{{font-family:{FONTS};font-size:{LETTERS}px;white-space:pre;font-variant-ligatures:none;"
        "font-variant-emoji:text}.b{font-weight:700}.i{font-style:italic}.m{text-anchor:middle}.s{shape-rendering:crispEdges}</style>",
        f'<rect x="0.5" y="0.5" width="{_n(width - 1)}" height="{_n(height - 1)}" rx="7" fill="{ground}" '
        'stroke="#808080" stroke-opacity="0.45"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
    ]
    for number, row in enumerate(rows):
        drawn += _grounds(row, number * CELL[1], ground)
    for number, row in enumerate(rows):
        for piece in row:
            drawn += _drawn(piece, number * CELL[1])
    return "\n".join([*drawn, "</g>", "</svg>", ""])


def _pieces(line: Iterable[Segment], ground: str) -> Iterator[Glyphs]:
    """A line's segments as pieces of one look each, neighbours of the same look joined."""
    looks = (
        (_pen(segment.style or Style.null(), ground), segment.text) for segment in line if not segment.control
    )
    column = 0
    for pen, run in groupby(looks, key=lambda look: look[0]):
        piece = Glyphs("".join(text for _, text in run), column, pen)
        column += piece.width
        yield piece


def _pen(style: Style, ground: str) -> Pen:
    colour, back = _hex(style.color, foreground=True), _hex(style.bgcolor, foreground=False, plain=ground)
    if style.reverse:
        colour, back = back, colour
    if style.dim:
        colour = _mixed(colour, back)
    return Pen(colour, back, bool(style.bold), bool(style.italic), bool(style.underline), bool(style.strike))


def _hex(colour: Color | None, *, foreground: bool, plain: str | None = None) -> str:
    if plain is not None and (colour is None or colour.is_default):
        return plain
    triplet = (colour or Color.default()).get_truecolor(SVG_EXPORT_THEME, foreground=foreground)
    return triplet.hex


def _mixed(colour: str, ground: str) -> str:
    one, other = (tuple(bytes.fromhex(text.lstrip("#"))) for text in (colour, ground))
    return ColorTriplet(*(round(a * 0.6 + b * 0.4) for a, b in zip(one, other, strict=True))).hex


def _grounds(row: Sequence[Glyphs], y: float, ground: str) -> Iterator[str]:
    """What lies behind a line's text, where it differs from the picture's ground."""
    for back, run in groupby(row, key=lambda piece: piece.pen.ground):
        pieces = list(run)
        if back != ground:
            width = sum(piece.width for piece in pieces) * CELL[0]
            yield _rect(pieces[0].column * CELL[0], y, width, CELL[1], back)


def _drawn(piece: Glyphs, y: float) -> Iterator[str]:
    column = piece.column
    for kind, run in groupby(piece.text, key=_kind):
        text = "".join(run)
        if kind in ("text", "leftward"):
            for words in _WORDS.finditer(text):
                yield _text(words[0], column + cell_len(text[: words.start()]), y, piece.pen)
        elif kind in _LYING:
            thick, width = _LYING[kind], len(text) * CELL[0]
            yield _rect(column * CELL[0], y + (CELL[1] - thick) / 2, width, thick, piece.pen.colour)
        else:
            for letter, at in _placed(text, column):
                yield from _single(letter, at, y, piece.pen)
        column += cell_len(text)


def _kind(letter: str) -> str:
    """How a character is set: in a run of text, which keeps step by its length, or alone in its cells."""
    if letter in _LYING:
        return letter
    if letter in _STROKES or letter in _BLOCKS:
        return "shape"
    if unicodedata.bidirectional(letter) in ("R", "AL"):
        return "leftward"
    return "text" if letter < "\u0250" or unicodedata.category(letter)[0] in "LMN" else "sign"


def _placed(text: str, column: int) -> Iterator[tuple[str, int]]:
    for letter in text:
        width = cell_len(letter)
        if width:
            yield letter, column
        column += width


def _text(text: str, column: int, y: float, pen: Pen) -> str:
    place = f'x="{_n(column * CELL[0])}" y="{_n(y + BASELINE)}" textLength="{_n(cell_len(text) * CELL[0])}"'
    return f"<text {place}{_look(pen)}>{escape(text, quote=False)}</text>"


def _single(letter: str, column: int, y: float, pen: Pen) -> Iterator[str]:
    x = column * CELL[0]
    if letter in _BLOCKS:
        left, top, width, height = (part / 8 for part in _BLOCKS[letter])
        place = (x + left * CELL[0], y + top * CELL[1], width * CELL[0], height * CELL[1])
        yield _rect(*place, pen.colour)
    elif letter in _STROKES:
        yield from _strokes(_STROKES[letter], x, y, pen.colour)
    else:
        middle = _n(x + cell_len(letter) * CELL[0] / 2)
        yield f'<text x="{middle}" y="{_n(y + BASELINE)}"{_look(pen, "m")}>{escape(letter)}</text>'


def _strokes(strokes: Sequence[int], x: float, y: float, colour: str) -> Iterator[str]:
    """Upright strokes whole, and lying ones from the middle outwards."""
    up, right, down, left = (_THICK[weight] for weight in strokes)
    middle, centre = x + CELL[0] / 2, y + CELL[1] / 2
    upright, lying = max(up, down), max(left, right)
    if upright:
        top = y if up else centre - lying / 2
        bottom = y + CELL[1] if down else centre + lying / 2
        yield _rect(middle - upright / 2, top, upright, bottom - top, colour)
    if lying:
        begin = x if left else middle
        end = x + CELL[0] if right else middle
        yield _rect(begin, centre - lying / 2, end - begin, lying, colour)


def _look(pen: Pen, *more: str) -> str:
    names = [*more, *(name for name, on in (("b", pen.bold), ("i", pen.italic)) if on)]
    lines = [name for name, on in (("underline", pen.underline), ("line-through", pen.strike)) if on]
    classes = f' class="{" ".join(names)}"' if names else ""
    decoration = f' text-decoration="{" ".join(lines)}"' if lines else ""
    return f'{classes} fill="{pen.colour}"{decoration}'


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{colour}" class="s"/>'
    )


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
