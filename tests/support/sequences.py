"""Takes a terminal's input apart and finds what the user interface itself would never write.

`Tokenizer` splits a byte stream as a terminal reads it. `foreign_sequences` lists every control that is not on
the list of those that Textual writes by itself, so that anything of a stranger's that reached the terminal
stands out: other escape sequences, C0 and C1 controls, bidirectional controls and broken UTF-8.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "c0", "c1", "bidi", "bytes", "escape", "csi", "osc", "string", "broken"]

LONGEST_SEQUENCE = 8192  # characters; an unfinished one beyond that is broken

_SEQUENCE = re.compile(
    r"\x1b(?:"
    r"\[(?P<csi>[0-?]*[ -/]*[@-~])"
    r"|\](?P<osc>[^\x07\x1b\x18\x1a\x9c]*)(?:\x07|\x1b\\|\x9c)"
    r"|[PX^_](?P<string>[^\x1b\x18\x1a\x9c]*)(?:\x1b\\|\x9c)"
    r"|(?P<escape>[ -/]*[0-OQ-WYZ`-~=>\\])"
    r")"
)
_UNFINISHED = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\x18\x1a\x9c]*\x1b?|[PX^_][^\x1b\x18\x1a\x9c]*\x1b?|[ -/]*)\Z"
)
_CONTROL = re.compile(
    r"(?P<c0>[\x00-\x1a\x1c-\x1f\x7f])"
    r"|(?P<c1>[\x80-\x9f])"
    r"|(?P<bidi>[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069])"
    r"|(?P<bytes>[\udc80-\udcff]+)"
)
_PLAIN = re.compile(
    r"[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff]+"
)  # fmt: skip


@dataclass(frozen=True)
class Token:
    """One piece of a byte stream: its kind, its characters as they came, and what is inside a sequence.

    `body` is the part between introducer and terminator (parameters and final letter of a CSI), else empty.
    """

    kind: Kind
    raw: str
    body: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.raw!r}"


class Tokenizer:
    """Splits a byte stream that may come in any number of pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._rest = ""

    def feed(self, data: bytes, *, last: bool = False) -> list[Token]:
        """The tokens that are complete now; with `last`, everything that is left as well."""
        text = self._rest + self._decoder.decode(data, last)
        tokens: list[Token] = []
        position = 0
        while position < len(text):
            token = _token_at(text, position, last=last)
            if token is None:
                break
            tokens.append(token)
            position += len(token.raw)
        self._rest = text[position:]
        return tokens


def _token_at(text: str, position: int, *, last: bool) -> Token | None:
    """The token that begins here, None when more characters are needed to tell."""
    if found := _PLAIN.match(text, position):
        return Token("text", found[0])
    if found := _CONTROL.match(text, position):
        return Token(_kind(found), found[0])
    if found := _SEQUENCE.match(text, position):
        kind = _kind(found)
        return Token(kind, found[0], found[kind])
    unfinished = _UNFINISHED.match(text, position)
    if unfinished and not last and len(unfinished[0]) < LONGEST_SEQUENCE:
        return None
    return Token("broken", unfinished[0] if unfinished else text[position])


def _kind(found: re.Match[str]) -> Kind:
    name = found.lastgroup
    assert name in {"c0", "c1", "bidi", "bytes", "escape", "csi", "osc", "string"}
    return name  # type: ignore[return-value] # the set above is part of the literal


# What Textual's full-screen driver and compositor write, and nothing else.
_OWN_CONTROLS = {"\r", "\n"}
_OWN_MODES = "7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048"
_OWN_CSI = re.compile(
    rf"(?:\d{{1,4}};\d{{1,4}})?H"  # cursor to a place
    rf"|\?(?:{_OWN_MODES})[hl]"  # modes on and off
    rf"|\?(?:2026|2048)\$p"  # is that mode known?
    rf"|>\d{{1,2}}u|<u"  # kitty's keyboard, on and off
)
# Reset, bold, dim, italic, underline, reverse, strike, overline, the 16 colours, the 256 and the 16 million.
_OWN_STYLE = re.compile(
    r"(?:0|[1-4]|7|9|53|[34][0-79]|9[0-7]|10[0-7]|[34]8;5;\d{1,3}|[34]8;2(?:;\d{1,3}){3})"
)
_STYLES = re.compile(rf"(?:{_OWN_STYLE.pattern}(?:;{_OWN_STYLE.pattern})*)?m")
# The pointer's shape, written when the mouse rests on something.
_POINTERS = re.compile(r"22;(?:default|pointer|text|not-allowed|grab|grabbing|wait|help|[a-z]{1,2}-resize)")


def is_own(token: Token) -> bool:
    """Whether the user interface writes this itself."""
    if token.kind == "text":
        return True
    if token.kind == "c0":
        return token.raw in _OWN_CONTROLS
    if token.kind == "csi":
        return bool(_OWN_CSI.fullmatch(token.body) or _STYLES.fullmatch(token.body))
    return token.kind == "osc" and bool(_POINTERS.fullmatch(token.body))


def tokens(raw: bytes) -> list[Token]:
    """A whole byte stream in pieces."""
    return Tokenizer().feed(raw, last=True)


def foreign_sequences(raw: bytes, *, expected: re.Pattern[str] | None = None) -> list[str]:
    """Every control in a byte stream that the user interface does not write by itself, as ``kind 'raw'``.

    `expected` names what this test provokes on purpose (such as a copy to the clipboard): tokens whose raw
    characters it matches as a whole are left out.
    """
    return [str(token) for token in _foreign(raw) if not (expected and expected.fullmatch(token.raw))]


def _foreign(raw: bytes) -> Iterator[Token]:
    return (token for token in tokens(raw) if not is_own(token))
