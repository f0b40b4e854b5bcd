"""The lines of the frame: what they say, and what gives way when there is little room."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.bar import Part, size
from tui.widgets.format import ASCII
from tui.widgets.frame import Identity, SectionMark, fit_identity

OFFLINE = ("✖ offline since 14:02, retry in 8s", "✖ offline since 14:02", "✖ offline", "✖")
SOCKS = Identity(
    shop="Sunday Socks",
    environment="practice",
    sections=(
        SectionMark("1", "Orders", "go.orders", current=True),
        SectionMark("2", "Activity", "go.activity", badge=3),
    ),
    person="jamie",
    role="Owner",
    connection=("● live", "●"),
    health="success",
)


def said(identity: Identity, cells: int) -> str:
    left, right = fit_identity(identity, cells)
    return "".join(part.text for part in [*left, *right])


def test_with_room_everything_is_said() -> None:
    left, right = fit_identity(SOCKS, 100)
    assert "".join(part.text for part in left).split() == (
        ["◆", "Sunday", "Socks", "PRACTICE", "1", "Orders", "2", "Activity", "⚑3"]
    )
    assert "".join(part.text for part in right) == "jamie·Owner  ● live"


@pytest.mark.parametrize(
    ("cells", "kept", "gone"),
    [
        (80, ["Sunday Socks", "PRACTICE", "1 Orders", "2 Activity", "⚑3", "Owner", "● live"], []),
        (60, ["PRACTICE", "⚑3", "Owner", "● live"], ["jamie"]),
        (40, ["PRACTICE", "1", "2", "⚑3", "Owner", "●"], ["jamie", "Orders"]),
    ],
)
def test_what_matters_stays_when_room_gets_scarce(cells: int, kept: list[str], gone: list[str]) -> None:
    text = said(SOCKS, cells)
    assert all(word in text for word in kept)
    assert not any(word in text for word in gone)


def test_an_offline_state_is_shortened_from_its_end() -> None:
    away = replace(SOCKS, environment="live", connection=OFFLINE, health="warning")
    assert OFFLINE[0] in said(away, 120)
    assert OFFLINE[1] in said(away, 80)
    assert "✖" in said(away, 40)


def test_since_when_there_is_no_connection_outlives_the_names_of_the_sections() -> None:
    """In a shop with every section, on a practice shop's strip too, where the words of none of them fit."""
    names = ["Orders", "Activity", "People", "Tickets", "Jobs", "Settings", "Audit"]
    marks = [SectionMark(digit, name, "") for digit, name in zip("1234678", names, strict=True)]
    marks[0] = replace(marks[0], current=True)
    marks[1], marks[3] = replace(marks[1], badge=3), replace(marks[3], number=4)
    away = replace(SOCKS, sections=tuple(marks), connection=OFFLINE, health="warning")
    assert OFFLINE[1] in said(away, 80)
    assert OFFLINE[0] in said(replace(away, environment="live"), 100)
    for cells in (80, 100):
        assert all(text in said(away, cells) for text in ("PRACTICE", "⚑3", "(4)", "Owner"))


def test_a_live_shop_does_not_say_so_and_a_big_badge_stays_short() -> None:
    shop = replace(SOCKS, environment="live", sections=(SectionMark("2", "Activity", "", badge=1234),))
    assert "LIVE" not in said(shop, 80)
    assert "⚑99+" in said(shop, 80)


def test_without_fonts_everything_is_ascii() -> None:
    assert said(replace(SOCKS, glyphs=ASCII, connection=("o live", "o")), 80).isascii()


@given(
    shop=st.text(max_size=60),
    person=st.text(max_size=60),
    cells=st.integers(40, 200),
    badge=st.integers(0, 10_000),
    wording=st.sampled_from([("● live", "●"), OFFLINE, ("◌ connecting", "◌")]),
)
def test_it_always_fits_whatever_a_shop_is_called(
    shop: str, person: str, cells: int, badge: int, wording: tuple[str, ...]
) -> None:
    identity = replace(
        SOCKS,
        shop=shop,
        person=person,
        connection=wording,
        sections=(SOCKS.sections[0], replace(SOCKS.sections[1], badge=badge)),
    )
    left, right = fit_identity(identity, cells)
    assert size(left) + size(right) < cells
    assert right[-1].text[0] == wording[0][0]
    assert "PRACTICE" in said(identity, cells)


def test_a_part_holds_nothing_that_a_terminal_acts_on() -> None:
    assert Part("a\x1b]52;c;AAAA\x07b\u202e").text == "a]52;c;AAAAb"
