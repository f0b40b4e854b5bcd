"""Text as terminal cells: the one place where widgets measure, clip, pad and wrap.

Everything that a widget of this room draws passes through :func:`plain`, so that no control sequence, no
direction override and no half character reaches the terminal even if a string was never cleaned before.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size, split_graphemes

DEAD = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200d-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Characters that are never drawn: they move the cursor, turn the direction of writing, or take no place.

The joiner and the variation selectors are among them because terminals do not agree how wide the characters
around them become; without them the width of a text is the sum of its characters everywhere.
"""

_LINE_FEEDS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_HALVES = re.compile("[\ud800-\udfff]")
_SAFE = re.compile("[ -~\xa0-\xac\xae-\u02ff]*").fullmatch

MAX_LINE = 4096
"""Characters of one line that are looked at; the rest is cut before anything is measured."""

MAX_LINES = 2000
"""Lines of one text that are looked at."""


def plain(text: str) -> str:
    """Give back ``text`` as one line without anything a terminal acts on.

    Tabs and line feeds become spaces, halves of characters become U+FFFD, :data:`DEAD` characters vanish.
    """
    if _SAFE(text):
        return text if len(text) <= MAX_LINE else text[:MAX_LINE]
    text = text[:MAX_LINE].replace("\t", " ").replace("\n", " ")
    text = DEAD.sub("", text)
    return _HALVES.sub("\ufffd", text)


def width(text: str) -> int:
    """How many cells a :func:`plain` text takes."""
    return cell_len(text)


def fit(text: str, cells: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """Make a :func:`plain` text exactly ``cells`` wide: padded on its loose side, or cut with an ellipsis.

    A wide character that stands across the cut is replaced by a space. ``right`` pads on the left.
    """
    if cells <= 0:
        return ""
    size = cell_len(text)
    if size == cells:
        return text
    if size < cells:
        space = " " * (cells - size)
        return space + text if right else text + space
    return clip(text, cells, ellipsis)


def clip(text: str, cells: int, ellipsis: str = "…") -> str:
    """Cut a :func:`plain` text that is wider than ``cells`` so that it is exactly that wide."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text
    mark = cell_len(ellipsis)
    if cells <= mark:
        return _cut(text, cells)
    return _cut(text, cells - mark) + ellipsis


def _cut(text: str, cells: int) -> str:
    """Cut between graphemes, then fill what a wide one left open."""
    if text.isascii():
        return text[:cells]
    taken, end = 0, 0
    for _start, stop, size in split_graphemes(text)[0]:
        if taken + size > cells:
            break
        taken, end = taken + size, stop
    return set_cell_size(text[:end], cells) if taken else " " * cells


def lines(text: str) -> list[str]:
    """Split a text into its :func:`plain` lines; at least one, at most :data:`MAX_LINES` and one that says so."""
    found = _LINE_FEEDS.split(text[: MAX_LINE * 16])
    result = [plain(line) for line in found[:MAX_LINES]]
    if len(found) > MAX_LINES or len(text) > MAX_LINE * 16:
        result.append("… and more")
    return result


def wrap(text: str, cells: int) -> list[str]:
    """Break a text into lines of at most ``cells`` cells, at spaces where that is possible.

    Line feeds in the text begin a new line. Words longer than a line are cut between graphemes.
    """
    cells = max(cells, 1)
    result: list[str] = []
    for line in lines(text):
        if cell_len(line) <= cells:
            result.append(line.rstrip())
        else:
            result.extend(_wrap_line(line, cells))
    return result


def _wrap_line(line: str, cells: int) -> list[str]:
    result: list[str] = []
    current, used = "", 0
    for word in line.split(" "):
        size = cell_len(word)
        if current and used + 1 + size <= cells:
            current, used = f"{current} {word}", used + 1 + size
            continue
        if current:
            result.append(current)
        if size <= cells:
            current, used = word, size
            continue
        *whole, current = _chop(word, cells)
        result.extend(whole)
        used = cell_len(current)
    result.append(current)
    return result


def _chop(word: str, cells: int) -> list[str]:
    """Cut a word into pieces that fit; a character wider than the line is given up."""
    pieces, start, taken = [], 0, 0
    for begin, _end, size in split_graphemes(word)[0]:
        if taken + size > cells and begin > start:
            pieces.append(word[start:begin])
            start, taken = begin, 0
        taken += size
    pieces.append(word[start:])
    return [piece if cell_len(piece) <= cells else "?" * cells for piece in pieces]
