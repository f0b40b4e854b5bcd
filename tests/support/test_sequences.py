"""The tokenizer loses nothing, whatever comes in whatever pieces, and lets through only what Textual writes."""

from __future__ import annotations

import re
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sequences import LONGEST_SEQUENCE, Token, Tokenizer, foreign_sequences, tokens

PIECES = st.sampled_from(
    [b"\x1b", b"[", b"]", b"P", b"?", b"1", b";", b"m", b"H", b"\x07", b"\\", b"\x9c", b"\xc2\x9b", b"\xe2\x80",
     b"\xae", b"a", "é".encode(), "漢".encode(), b"\x18", b"\r\n", b"\xff", b"\xed\xa0\x80"]
)  # fmt: skip
STREAMS = st.one_of(st.binary(), st.lists(PIECES, max_size=30).map(b"".join))


def _joined(stream: list[Token]) -> list[tuple[str, str]]:
    """Tokens with neighbouring texts made one, because a text may come in pieces."""
    parts: list[tuple[str, str]] = []
    for kind, group in groupby(stream, key=lambda token: token.kind):
        if kind in {"text", "bytes"}:
            parts.append((kind, "".join(token.raw for token in group)))
        else:
            parts.extend((kind, token.raw) for token in group)
    return parts


@given(STREAMS)
def test_nothing_is_lost(data: bytes) -> None:
    assert "".join(token.raw for token in tokens(data)).encode("utf-8", "surrogateescape") == data


@given(STREAMS, st.lists(st.integers(0, 200)))
def test_pieces_make_no_difference(data: bytes, cuts: list[int]) -> None:
    tokenizer = Tokenizer()
    edges = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    stream = [token for start, end in pairwise(edges) for token in tokenizer.feed(data[start:end])]
    stream += tokenizer.feed(b"", last=True)
    assert _joined(stream) == _joined(tokens(data))


@pytest.mark.parametrize(
    "written",
    [
        "plain, Ärger, 漢字, مرحبا, 👩‍👩‍👧",
        "\x1b[?1049h\x1b[?1000h\x1b[?25l\x1b[>25u\x1b[?2026$p\x1b[?2004h\x1b[?7l",
        "\x1b[?2026h\x1b[2;15H\x1b[1;3;38;2;224;224;224;48;2;18;18;18mtext\x1b[0m\r\n\x1b[H\x1b[m\x1b[?2026l",
        "\x1b[38;5;12;49m\x1b[97;104m\x1b[7m\x1b[9;39m\x1b]22;default\x07\x1b]22;ew-resize\x07",
        "\x1b[<u\x1b[?1049l\x1b[?25h",
    ],
)
def test_what_the_interface_writes_is_its_own(written: str) -> None:
    assert foreign_sequences(written.encode()) == []


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("\x1b]52;c;QUJD\x1b\\", "osc"),
        ("\x1b]52;c;QUJD\x07", "osc"),
        ("\x1b]8;;https://shop.example\x1b\\", "osc"),
        ("\x1b]0;title\x07", "osc"),
        ("\x1b]22;no such pointer\x07", "osc"),
        ("\x1bP$q\x1b\\", "string"),
        ("\x1b_G\x1b\\", "string"),
        ("\x1bc", "escape"),
        ("\x1b(0", "escape"),
        ("\x1b[2J", "csi"),
        ("\x1b[K", "csi"),
        ("\x1b[5A", "csi"),
        ("\x1b[6n", "csi"),
        ("\x1b[8;10;10t", "csi"),
        ("\x1b[?1002h", "csi"),
        ("\x1b[?47h", "csi"),
        ("\x1b[5m", "csi"),
        ("\x1b[8m", "csi"),
        ("\x1b[31;8m", "csi"),
        ("\x1b[38;5m", "csi"),
        ("\x1b[12345;1H", "csi"),
        ("\x1b[1\x07m", "broken"),
        ("\x1b]52;never ended", "broken"),
        ("\x1b\x1b[0m", "broken"),
        ("\x07", "c0"),
        ("\t", "c0"),
        ("\b", "c0"),
        ("\x00", "c0"),
        ("\x7f", "c0"),
        ("\x9b2J", "c1"),
        ("\x9d52;c;QUJD\x9c", "c1"),
        ("\u202egnp.exe", "bidi"),
        ("\u2066", "bidi"),
        ("\u2028", "bidi"),
    ],
)
def test_what_strangers_write_stands_out(written: str, found: str) -> None:
    foreign = foreign_sequences(f"before {written}after".encode())
    assert foreign
    assert foreign[0].split()[0] == found


def test_broken_utf_8_stands_out() -> None:
    assert foreign_sequences(b"a\x9b2Jb\xff") == [r"bytes '\udc9b'", r"bytes '\udcff'"]
    assert foreign_sequences(b"at the end\x1b") == [r"broken '\x1b'"]


def test_an_endless_sequence_does_not_hide_the_rest() -> None:
    tokenizer = Tokenizer()
    stream = tokenizer.feed(b"\x1b]52;" + b"A" * LONGEST_SEQUENCE)
    assert [token.kind for token in stream] == ["broken"]
    assert [token.raw for token in tokenizer.feed(b"seen")] == ["seen"]


def test_what_a_test_provokes_on_purpose_can_be_expected() -> None:
    copied = re.compile(r"\x1b\]52;c;[A-Za-z0-9+/=]*\x07")
    assert foreign_sequences(b"\x1b]52;c;QUJD\x07", expected=copied) == []
    assert len(foreign_sequences(b"\x1b]52;c;QUJD\x07\x1b]52;p;?\x07", expected=copied)) == 1
