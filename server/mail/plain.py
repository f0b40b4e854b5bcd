"""Plain text for mails: strangers' words made harmless, lines of at most 72 columns, amounts set to the right.

Widths are those of a terminal or of a mail program with a fixed font: a Chinese letter takes two columns, an accent
that stands over its letter none.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

WIDTH: Final = 72
"""Columns of a mail: quoted once or twice, a line still fits the usual 80."""

_UNSTORABLE: Final = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
# What turns the reading direction or is not seen at all. The joiners stay: letters of many scripts need them.
_UNSEEN: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_GREETABLE: Final = re.compile(r"[\w ,'\u2019.\-]{1,60}")
_LINK_LIKE: Final = re.compile(r"\w\.\w|\bwww\b", re.IGNORECASE)
_MOST_MARKS: Final = re.compile(
    r"([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{4})[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)


def one_line(text: str, most: int = 255) -> str:
    """A stranger's text as one line: no control, nothing that turns the reading direction, single spaces.

    Args:
        text: anything.
        most: signs that are kept; what is cut off leaves an ellipsis.
    """
    seen = _UNSEEN.sub("", text)
    shown = "".join(" " if unicodedata.category(sign) in _UNSTORABLE else sign for sign in seen[: most * 8])
    line = _MOST_MARKS.sub(r"\1", " ".join(shown.split()))
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def greeting_name(name: str | None) -> str | None:
    """A customer's name for a greeting; None when it holds anything that is no name, such as a link.

    Who orders under somebody else's address must not be able to make the shop write to them what they like.
    """
    if name is None:
        return None
    line = one_line(name, 80)
    return line if _GREETABLE.fullmatch(line) and not _LINK_LIKE.search(line) else None


def width(text: str) -> int:
    """How many columns a line takes."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(sign) or unicodedata.category(sign) in ("Me", "Mn", "Cf")
        else 2
        if unicodedata.east_asian_width(sign) in "WF"
        else 1
        for sign in text
    )


def wrap(text: str, columns: int = WIDTH, indent: str = "", hanging: str | None = None) -> str:
    """A paragraph in lines of at most ``columns``. A link keeps a line of its own, however long; other words break.

    Args:
        text: words; where lines ended before does not matter.
        columns: of each line, with its indent.
        indent: before the first line.
        hanging: before every further one; ``indent`` when left out.
    """
    lines: list[str] = []
    line, begun = indent, False
    further = indent if hanging is None else hanging
    for word in text.split():
        for piece in _pieces(word, columns - max(width(indent), width(further))):
            if begun and width(line) + 1 + width(piece) > columns:
                lines.append(line)
                line, begun = further, False
            line += f" {piece}" if begun else piece
            begun = True
    return "\n".join([*lines, line]) if begun else "\n".join(lines)


def row(left: str, right: str, columns: int = WIDTH, *, indent: str = "", hanging: str | None = None) -> str:
    """Words to the left and an amount to the right end of the first line; long words go on below, beside nothing."""
    room = max(columns - width(right) - 2, 8)
    first, *rest = wrap(left, room, indent, hanging).split("\n")
    return "\n".join([first + " " * max(2, columns - width(first) - width(right)) + right, *rest])


def rule(columns: int = WIDTH, indent: str = "") -> str:
    """A line across."""
    return indent + "─" * (columns - width(indent))


def _pieces(word: str, room: int) -> list[str]:
    """A word cut where it would not fit a line; a link is never cut."""
    if width(word) <= room or word.startswith(("https://", "http://")):
        return [word]
    pieces = [""]
    for sign in word:
        if width(pieces[-1]) + width(sign) > room:
            pieces.append("")
        pieces[-1] += sign
    return pieces
