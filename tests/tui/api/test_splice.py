"""Laying a fresh stretch over a held list."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.api.splice import heirs, longest_rising, put_back, splice, splice_upwards


def rows(text: str) -> list[str]:
    return list(text)


@pytest.mark.parametrize(
    ("held", "start", "fresh", "complete", "ids", "gone", "moved"),
    [
        ("", 0, "abc", False, "abc", "", ""),
        ("abc", 0, "abc", False, "abc", "", ""),
        ("abc", 0, "xabc", False, "xabc", "", ""),  # one arrived at the top
        ("abc", 0, "axbc", False, "axbc", "", ""),  # one came late, in the middle
        ("abcd", 0, "acd", False, "acd", "b", ""),  # one left
        ("abcd", 0, "ab", False, "abcd", "", ""),  # what lies behind the stretch is not touched
        ("abcd", 0, "ab", True, "ab", "cd", ""),  # but for the last stretch of the list
        ("abcd", 0, "cabd", False, "cabd", "", "c"),  # one moved up
        ("abcd", 0, "ca", False, "cabd", "", "c"),  # from behind the stretch
        ("abcd", 0, "bcda", False, "bcda", "", "a"),  # one moved down
        ("abcd", 2, "cd", False, "abcd", "", ""),
        ("abcd", 2, "xcd", False, "abxcd", "", ""),
        ("abcd", 2, "cad", False, "bcad", "", "a"),  # from before the stretch
        ("abcd", 4, "ef", False, "abcdef", "", ""),  # the list grows
        ("abcd", 4, "", True, "abcd", "", ""),
        ("abcd", 1, "", True, "a", "bcd", ""),
        ("abcd", 4, "bef", False, "acdbef", "", "b"),
    ],
)
def test_splice(held: str, start: int, fresh: str, complete: bool, ids: str, gone: str, moved: str) -> None:
    result = splice(rows(held), start, rows(fresh), complete=complete)
    assert result is not None
    assert (result.ids, result.gone, result.moved) == (rows(ids), rows(gone), rows(moved))


def test_a_stretch_without_connection_is_not_laid() -> None:
    assert splice(rows("abc"), 0, rows("xyz"), complete=False) is None
    assert splice(rows("abc"), 2, rows("xab"), complete=False) is None
    assert splice_upwards(rows("abc"), 1, rows("xy"), complete=False) is None


def test_upwards_is_the_mirror_image() -> None:
    result = splice_upwards(rows("bcd"), 0, rows("xya"), complete=False)
    assert result is not None
    assert result.ids == rows("xyabcd")
    result = splice_upwards(rows("abcd"), 2, rows("xb"), complete=True)
    assert result is not None
    assert (result.ids, result.gone) == (rows("xbcd"), ["a"])


@given(st.lists(st.integers(0, 9), max_size=9))
def test_longest_rising_run(numbers: list[int]) -> None:
    run = longest_rising(numbers)
    assert run == sorted(set(run))
    places = iter(numbers)
    assert all(number in places for number in run), "not in the order given"
    best = max(
        size
        for size in range(len(numbers) + 1)
        for some in combinations(numbers, size)
        if list(some) == sorted(set(some))
    )
    assert len(run) == best


def test_rows_are_put_back_where_they_stood() -> None:
    assert put_back(rows("bd"), "", rows("abcd")) == rows("bd")
    assert put_back(rows("bd"), "ac", rows("abcd")) == rows("abcd")
    assert put_back(rows("xbyd"), "ce", rows("abcde")) == rows("xbcyde")
    assert put_back([], "ab", rows("ab")) == rows("ab")


def test_heirs_stand_below_else_above() -> None:
    assert heirs(rows("abcde"), "ad") == {"b": "d", "c": "d", "e": "d"}
    assert heirs(rows("ab"), "") == {"a": None, "b": None}
