"""Plain text in columns."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.mail.plain import greeting_name, one_line, row, rule, width, wrap
from tests.support.hostile import FAITHFUL, HOSTILE, Hostile


def test_words_are_wrapped() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    lines = wrap(text, 30, "  ", "    ").split("\n")
    assert lines[0].startswith("  one")
    assert all(line.startswith("    ") for line in lines[1:])
    assert all(len(line) <= 30 for line in lines)
    assert " ".join(" ".join(lines).split()) == text


def test_a_link_is_never_cut() -> None:
    link = "https://shop.example/" + "a" * 100
    assert link in wrap(f"Look here: {link} and there", 40).split("\n")


def test_amounts_stand_at_the_right_end() -> None:
    assert row("2 of Wool socks", "£24.00", 30) == "2 of Wool socks         £24.00"
    wide = row("龍のソックス", "£24.00", 30)
    assert width(wide) == 30
    assert wide.endswith("£24.00")
    long = row("a very long name of a thing that somebody sells", "£24.00", 30, hanging="    ").split("\n")
    assert width(long[0]) == 30
    assert long[0].endswith("£24.00")
    assert all(line.startswith("    ") for line in long[1:])
    assert rule(10, "  ") == "  ────────"


@given(st.text(max_size=300), st.integers(min_value=12, max_value=80))
def test_no_line_is_wider_than_it_may_be(text: str, columns: int) -> None:
    line = one_line(text)
    for wrapped in wrap(line, columns).split("\n"):
        assert width(wrapped) <= columns or wrapped.strip().startswith("http")
    if line:
        first = row(line, "£1.00", columns).split("\n")[0]
        assert first.endswith("£1.00")


@pytest.mark.parametrize("hostile", HOSTILE, ids=[one.name for one in HOSTILE])
def test_a_strangers_text_is_one_harmless_line(hostile: Hostile) -> None:
    line = one_line(hostile.text)
    assert len(line) <= 255
    assert line == line.strip()
    assert not [sign for sign in line if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")
    assert one_line(line) == line


@pytest.mark.parametrize("hostile", FAITHFUL, ids=[one.name for one in FAITHFUL])
def test_letters_of_every_script_come_through(hostile: Hostile) -> None:
    if "\U000e0067" not in hostile.text:
        assert one_line(hostile.text, 1000) == hostile.text


@pytest.mark.parametrize("name", ["Mary Example", "Ngô Thị Hằng", "王小明", "M. O'Neil-Smith", "محمد"])
def test_who_is_greeted(name: str) -> None:
    assert greeting_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "   ",
        "win at evil.example",
        "https://evil.example",
        "www evil",
        "a" * 61,
        "x@y",
        "<b>Mary</b>",
    ],
)
def test_who_is_not(name: str | None) -> None:
    assert greeting_name(name) is None


def test_a_greeting_is_one_line() -> None:
    assert greeting_name("Mary\r\n\r\nBcc you") == "Mary Bcc you"
