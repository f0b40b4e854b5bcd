"""Text measured in cells: whatever comes in, what is drawn is plain and exactly as wide as asked for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.support.hostile import FAITHFUL, HOSTILE, SHORT, Hostile
from tui.widgets.cells import MAX_LINES, clip, fit, lines, plain, width, wrap

STRANGE = st.one_of(
    st.text(),
    st.sampled_from([each.text for each in SHORT]),
    st.text(alphabet="a龍\u0301\u200d\ufe0f\x1b\n 👩"),
)
CELLS = st.integers(min_value=1, max_value=90)

FORBIDDEN = {
    chr(code)
    for code in [*range(32), *range(127, 160), 0x61C, 0x200E, 0x200F, 0x200D, 0xFE0F, 0x2028, 0x2029]
} | {chr(code) for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)]}


@given(STRANGE)
def test_plain_text_holds_nothing_a_terminal_acts_on(text: str) -> None:
    assert not FORBIDDEN & set(plain(text))
    assert plain(plain(text)) == plain(text)


@given(STRANGE, STRANGE)
def test_the_width_of_two_plain_texts_is_the_sum_of_theirs(one: str, other: str) -> None:
    one, other = plain(one), plain(other)
    assert cell_len(one + other) == cell_len(one) + cell_len(other)


@given(STRANGE, CELLS, st.booleans())
def test_a_fitted_text_is_exactly_as_wide_as_asked(text: str, cells: int, right: bool) -> None:
    assert width(fit(plain(text), cells, right=right)) == cells


@given(STRANGE, st.integers(min_value=0, max_value=90))
def test_a_clipped_text_is_never_wider(text: str, cells: int) -> None:
    assert width(clip(plain(text), cells)) <= cells


@given(STRANGE, CELLS)
def test_no_wrapped_line_is_wider_and_no_word_is_lost(text: str, cells: int) -> None:
    wrapped = wrap(text, cells)
    assert wrapped
    assert all(width(line) <= cells for line in wrapped)
    if cells > 1:  # a wide character does not fit into one cell
        kept = [char for char in "".join(wrapped) if not char.isspace()]
        given_chars = [char for line in lines(text) for char in line if not char.isspace()]
        assert kept == given_chars


@pytest.mark.parametrize("hostile", FAITHFUL, ids=lambda each: each.name)
def test_letters_are_never_taken_away(hostile: Hostile) -> None:
    kept = [char for char in plain(hostile.text) if unicodedata.category(char)[0] in "LMN"]
    unseen = "\ufe0f"  # a selector, not a letter, though it counts as a mark
    assert kept == [
        char for char in hostile.text if unicodedata.category(char)[0] in "LMN" and char not in unseen
    ]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: each.name)
def test_any_size_is_laid_out_within_its_caps(hostile: Hostile) -> None:
    wrapped = wrap(hostile.text, 40)
    assert len(wrapped) <= MAX_LINES * 120
    assert all(width(line) <= 40 for line in wrapped)


def test_what_is_cut_says_so() -> None:
    assert clip("Heavy Cotton Tee", 9) == "Heavy Co…"
    assert clip("龍龍龍", 4) == "龍 …"  # half a character is not drawn: a space stands in its place
    assert fit("£4.00", 8, right=True) == "   £4.00"
    assert lines("\n" * 100_000)[-1] == "… and more"


def test_words_wrap_at_spaces_and_long_words_are_cut() -> None:
    assert wrap("variant out of stock", 11) == ["variant out", "of stock"]
    assert wrap("SS-260223-0046", 6) == ["SS-260", "223-00", "46"]
    assert wrap("first\nsecond", 20) == ["first", "second"]
    assert wrap("", 5) == [""]
