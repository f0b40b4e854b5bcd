"""Cleaning: nothing that a terminal acts on comes through, and no letter is lost."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import FAITHFUL, HOSTILE, Hostile
from tui.api.clean import BLOCK_CAP, BLOCK_LINES, LINE_CAP, clean_block, clean_line, clean_tree

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NASTY = (
    "\x00\x07\x1b\x7f\x85\x9b\x9d\r\n\t\v\f\u2028\u2029\u200b\u200c\u200d\ufeff\u0301\u0e34\ufe0f\ud800\uffff"
    + BIDI
)
anything = st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from(NASTY + "ab[]"))).flatmap(
    lambda text: st.sampled_from([text, text * 3, text[:1] * 300])
)
by_name = pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)


def is_harmless(letter: str) -> bool:
    """Whether a terminal and a reader take the character for what it is; written apart from the product's rules."""
    code = ord(letter)
    category = unicodedata.category(letter)
    if category in {"Cc", "Cs", "Zl", "Zp"} or letter in BIDI:
        return False
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF or 0xE0000 <= code <= 0xE007F:
        return False
    return letter not in "\u00ad\u180e\u200b\ufeff\u115f\u1160\u3164\uffa0\ufff9\ufffa\ufffb" and not (
        0x2060 <= code <= 0x206F
    )


def longest_pile(text: str) -> int:
    """The most combining marks and joiners that follow each other."""
    return max((len(pile) for pile in re.findall("m+", _shape(text))), default=0)


def _shape(text: str) -> str:
    return "".join("m" if c in "\u200c\u200d" or unicodedata.category(c)[0] == "M" else "." for c in text)


def check_line(text: str) -> None:
    line = clean_line(text)
    assert all(map(is_harmless, line)), ascii(line[:200])
    assert len(line) <= LINE_CAP
    assert longest_pile(line) <= 8
    assert clean_line(line) == line
    assert bool(line) == bool(text)
    line.encode()


def check_block(text: str) -> None:
    block = clean_block(text)
    assert all(c == "\n" or is_harmless(c) for c in block), ascii(block[:200])
    assert len(block) <= BLOCK_CAP
    assert block.count("\n") < BLOCK_LINES
    assert longest_pile(block) <= 8
    assert clean_block(block) == block
    assert bool(block) == bool(text)
    block.encode()


@given(anything)
def test_any_text_becomes_a_harmless_line(text: str) -> None:
    check_line(text)


@given(anything)
def test_any_text_becomes_a_harmless_block(text: str) -> None:
    check_block(text)


@by_name
def test_the_corpus_becomes_harmless(hostile: Hostile) -> None:
    check_line(hostile.text)
    check_block(hostile.text)


@pytest.mark.parametrize("text", FAITHFUL, ids=lambda text: text.name)
def test_letters_of_all_scripts_stay_as_they_are(text: Hostile) -> None:

    assert clean_line(text.text) == text.text
    assert clean_block(text.text) == text.text


@given(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="\u115f\u1160\u3164\uffa0")))
def test_no_letter_number_or_sign_is_lost(text: str) -> None:
    assert clean_line(text) == text


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_is_left_alone(text: str) -> None:
    assert clean_line(text) is text
    assert clean_block(text) is text


@pytest.mark.parametrize(
    ("text", "line", "block"),
    [
        ("\x1b]52;c;x\x07", "␛]52;c;x␇", "␛]52;c;x␇"),
        ("a\r\nb\rc\nd\ve\ff\u2028g\u2029h", "a⏎b⏎c⏎d⏎e⏎f⏎g⏎h", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("a\tb", "a b", "a    b"),
        ("\x7f\x00", "␡␀", "␡␀"),
        ("a\x85b\x9bc", "a\ufffdb\ufffdc", "a\ufffdb\ufffdc"),
        ("a\u202eb\u2066c\u200ed\u061ce", "a\ufffdb\ufffdc\ufffdd\ufffde", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("\ud800\ufdd0\U0010ffff", "\ufffd\ufffd\ufffd", "\ufffd\ufffd\ufffd"),
        ("ad\u200bm\u00adin\ufeff", "admin", "admin"),
        ("\u200b", "\ufffd", "\ufffd"),
        ("e" + "\u0301" * 9 + "f", "e" + "\u0301" * 8 + "f", "e" + "\u0301" * 8 + "f"),
        ("e" + "\u0301" * 5 + "\u200b" + "\u0301" * 5, "e" + "\u0301" * 8, "e" + "\u0301" * 8),
        ("e" + ("\u0301" * 4 + "\u200d") * 3, "e" + "\u0301" * 4 + "\u200d" + "\u0301" * 3, None),
        ("", "", ""),
    ],
)
def test_what_each_kind_becomes(text: str, line: str, block: str | None) -> None:
    assert clean_line(text) == line
    assert clean_block(text) == (line if block is None else block)


def test_long_texts_are_cut_and_say_so() -> None:
    assert clean_line("x" * LINE_CAP) == "x" * LINE_CAP
    assert clean_line("x" * (LINE_CAP + 1)) == "x" * (LINE_CAP - 1) + "…"
    assert clean_line("Ada Lovelace", cap=8) == "Ada Lov…"
    assert clean_block("x" * (BLOCK_CAP + 1)) == "x" * (BLOCK_CAP - 1) + "…"
    assert clean_block("x\n" * 3000).split("\n") == ["x"] * (BLOCK_LINES - 1) + ["…"]


def test_a_tree_is_cleaned_to_the_names_of_its_fields() -> None:
    tree = {"a\x1b": ["b\x00", {"c\u202e": "d\n"}], "n": 5, "f": 1.5, "t": True, "z": None}
    assert clean_tree(tree) == {"a␛": ["b␀", {"c\ufffd": "d⏎"}], "n": 5, "f": 1.5, "t": True, "z": None}


def test_a_tree_is_followed_to_64_levels() -> None:
    deep: object = "x"
    for _ in range(64):
        deep = [deep]
    assert clean_tree(deep) == deep
    with pytest.raises(ValueError, match="nested too deeply"):
        clean_tree([deep])


def test_the_corpus_is_what_others_count_on() -> None:
    names = [hostile.name for hostile in HOSTILE]
    assert len(set(names)) == len(names) >= 80
