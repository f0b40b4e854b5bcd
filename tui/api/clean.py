"""Strangers' text made fit for a terminal: the one place where it enters the client.

Names, messages, tracking numbers and providers' reasons may hold anything. A terminal obeys some of it (escape
sequences write to the clipboard, move the cursor, change titles), and some of it makes a reader see other
words than there are (bidirectional controls, invisible letters). What comes out of here holds only characters
that stand for themselves. Letters are never taken away: Arabic, Hebrew, Thai and Chinese stay as they were.

Widgets cut by cells and delete what they do not draw; that is their own second line of defence.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final, NewType

SafeText = NewType("SafeText", str)
"""Text that went through this module. Only it makes values of this type."""

LINE_CAP: Final = 4096
"""Characters of a line that are kept."""
BLOCK_CAP: Final = 65_536
"""Characters of a text of several lines that are kept."""
BLOCK_LINES: Final = 2000
"""Lines of a text that are kept."""
MARKS_CAP: Final = 8
"""Combining marks and joiners that may follow one base character."""
BLOCKS: Final = frozenset({"body", "description"})
"""Fields of an answer whose line breaks are kept: what somebody wrote at length."""
DEPTH_CAP: Final = 64
"""Levels of nesting in an answer that are followed."""

ELLIPSIS: Final = "…"
RETURN_SIGN: Final = "⏎"
NOTHING_VISIBLE: Final = "\ufffd"

_JOINERS: Final = "\u200c\u200d"
_DROPPED: Final = (
    "\u00ad\u115f\u1160\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e007f"
)
_NON_CHARACTERS: Final = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17)
)
_REPLACED: Final = "\x80-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff" + _NON_CHARACTERS
_BREAK: Final = re.compile("\r\n|[\n\v\f\r\u2028\u2029]")
_SUSPECT: Final = re.compile(f"[\x00-\x1f\x7f\u2028\u2029{_DROPPED}{_REPLACED}]")
_DROP: Final = re.compile(f"[{_DROPPED}]+")
_REPLACE: Final = re.compile(f"[{_REPLACED}]")
_PICTURES: Final = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: 0x2421}
_CROWD: Final = re.compile(f"[^\x00-\u02ff]{{{MARKS_CAP + 1},}}")
"""Where too many marks could stand in a row: every combining mark lies above U+02FF."""


def clean_line(text: str, cap: int = LINE_CAP) -> SafeText:
    """One line of at most ``cap`` characters that no terminal acts on.

    Line breaks become ``⏎``, tabs a space, other controls their pictures (␛), controls of the C1 range,
    bidirectional controls, halves of surrogates and non-characters U+FFFD. Invisible characters go, except
    the joiners that Persian and emoji need; of a pile of combining marks eight stay. A text that was cut ends
    in ``…``; one of which nothing is left becomes a single U+FFFD, so that it is not mistaken for no text.
    Cleaning twice changes nothing.
    """
    if len(text) <= cap and text.isascii() and text.isprintable():
        return SafeText(text)
    text = _cut(text, cap)
    if _SUSPECT.search(text):
        text = _made_safe(_BREAK.sub(RETURN_SIGN, text).replace("\t", " ")) or NOTHING_VISIBLE
    return SafeText(_thinned(text))


def clean_block(text: str) -> SafeText:
    """Text of several lines that no terminal acts on: as `clean_line`, but line breaks become ``\\n``.

    At most 65,536 characters and 2,000 lines are kept; a tab becomes four spaces.
    """
    if len(text) <= BLOCK_CAP and text.isascii() and text.isprintable():
        return SafeText(text)
    text = _cut(text, BLOCK_CAP)
    if _SUSPECT.search(text):
        text = _BREAK.sub("\n", text)
        lines = text.split("\n", BLOCK_LINES)
        if len(lines) > BLOCK_LINES:
            text = "\n".join([*lines[: BLOCK_LINES - 1], ELLIPSIS])
        text = _made_safe(text.replace("\t", "    ")) or NOTHING_VISIBLE
        text = _cut(text, BLOCK_CAP)
    return SafeText(_thinned(text))


def clean_tree(value: Any) -> Any:
    """A copy of decoded JSON in which every text, names of fields included, went through `clean_line`.

    Those of :data:`BLOCKS` went through `clean_block`.

    Raises:
        ValueError: nesting deeper than 64 levels.
    """
    return _tree(value, 0)


def _tree(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return clean_line(value)
    if depth >= DEPTH_CAP:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {clean_line(name): _field(name, item, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_tree(item, depth + 1) for item in value]
    return value


def _field(name: str, item: Any, depth: int) -> Any:
    return clean_block(item) if name in BLOCKS and isinstance(item, str) else _tree(item, depth)


def _cut(text: str, cap: int) -> str:
    return text if len(text) <= cap else text[: max(cap - 1, 0)] + ELLIPSIS


def _made_safe(text: str) -> str:
    """Everything but line breaks and tabs, which the caller has dealt with."""
    return _REPLACE.sub("\ufffd", _DROP.sub("", text)).translate(_PICTURES)


def _thinned(text: str) -> str:
    """Leave at most eight combining marks and joiners in a row."""
    if not _CROWD.search(text):
        return text
    kept: list[str] = []
    run = 0
    for letter in text:
        if letter in _JOINERS or unicodedata.category(letter)[0] == "M":
            run += 1
            if run > MARKS_CAP:
                continue
        else:
            run = 0
        kept.append(letter)
    return "".join(kept)
