"""Values as they are written on the screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract.activity import Level
from server.contract.base import Money
from server.contract.orders import FulfilmentStatus, PaymentStatus
from tests.tui.widgets.samples import NOW
from tui.widgets.cells import width
from tui.widgets.format import (
    ASCII,
    UNICODE,
    Glyphs,
    TimeFormat,
    Times,
    badge,
    count,
    fulfilment_mark,
    lateness,
    level_mark,
    money,
    money_of,
    order_mark,
    payment_mark,
    person,
    short_number,
    size,
    words,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (4300, "GBP", "£43.00"), (0, "EUR", "€0.00"), (5, "USD", "$0.05"), (-5, "EUR", "-€0.05"),
        (1200, "JPY", "¥1,200"), (1250, "KWD", "KWD 1.250"), (950, "CHF", "CHF 9.50"),
        (123456789, "GBP", "£1,234,567.89"), (12345, "CLF", "CLF 1.2345"), (-100, "JPY", "-¥100"),
        (10**15, "GBP", "£10,000,000,000,000.00"), (100, "XXX", "XXX 1.00"),
    ],
)  # fmt: skip
def test_money(amount: int, currency: str, written: str) -> None:
    assert money(amount, currency) == written
    assert money_of(Money(amount=amount, currency=currency)) == written


def test_no_money_is_nothing() -> None:
    assert money_of(None) == ""


@given(st.integers(min_value=-(10**15), max_value=10**15), st.sampled_from(["GBP", "JPY", "KWD", "CLF"]))
def test_no_digit_of_an_amount_is_lost(amount: int, currency: str) -> None:
    written = money(amount, currency)
    digits = "".join(char for char in written if char.isdigit())
    assert int(digits) == abs(amount)
    assert written.startswith("-") == (amount < 0)


@pytest.mark.parametrize(
    ("ago", "written"),
    [
        (0, "now"), (59, "now"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_399, "23h"), (86_400, "1d"),
        (13 * 86_400, "13d"), (14 * 86_400, "2w"), (364 * 86_400, "52w"), (365 * 86_400, "1y"),
        (-30, "now"), (-60, "in 1m"), (-7200, "in 2h"),
    ],
)  # fmt: skip
def test_relative_times(ago: int, written: str) -> None:
    assert Times(NOW).relative(NOW - timedelta(seconds=ago)) == written


@pytest.mark.parametrize(("ago", "written"), [(0, "just now"), (300, "5m ago"), (-300, "in 5m")])
def test_relative_times_in_words(ago: int, written: str) -> None:
    assert Times(NOW).ago(NOW - timedelta(seconds=ago)) == written


def test_clock_for_today_and_date_for_older_days_in_the_readers_zone() -> None:
    late_evening = datetime(2026, 2, 22, 23, 30, tzinfo=UTC)
    assert Times(NOW).clock(late_evening) == "22 Feb"
    assert Times(NOW, BERLIN).clock(late_evening) == "00:30"
    assert Times(NOW).clock(datetime(2023, 2, 16, tzinfo=UTC)) == "16 Feb 2023"
    assert Times(NOW).clock(NOW) == "14:23"


def test_days_have_names_as_headings() -> None:
    times = Times(NOW)
    assert times.day(NOW) == "Today"
    assert times.day(NOW - timedelta(days=1)) == "Yesterday"
    assert times.day(NOW - timedelta(days=7)) == "16 Feb"
    assert times.day(NOW - timedelta(days=365)) == "23 Feb 2025"
    assert times.day(NOW + timedelta(days=1)) == "24 Feb"


def test_the_full_form_says_the_zone_and_utc() -> None:
    assert Times(NOW).full(NOW) == "Mon 23 Feb 2026 14:23:00 UTC"
    assert Times(NOW, BERLIN).full(NOW) == "Mon 23 Feb 2026 15:23:00 CET · 14:23:00 UTC"
    night = datetime(2026, 2, 22, 23, 30, tzinfo=UTC)
    assert Times(NOW, BERLIN).full(night) == "Mon 23 Feb 2026 00:30:00 CET · 22 Feb 23:30:00 UTC"


def test_formats_go_round() -> None:
    seen = [TimeFormat.CLOCK]
    while (following := seen[-1].following()) != TimeFormat.CLOCK:
        seen.append(following)
    assert seen == list(TimeFormat)
    moment = datetime(2026, 2, 16, 13, 23, 5, tzinfo=UTC)
    written = [Times(NOW, BERLIN, each).short(moment) for each in seen]
    assert written == ["16 Feb", "7d", "16 Feb 14:23:05", "02-16 13:23:05Z"]
    assert Times(NOW).listed(moment) == "7d"
    assert Times(NOW, UTC, TimeFormat.EXACT).listed(moment) == "16 Feb 13:23:05"


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(list(TimeFormat)))
def test_any_moment_can_be_written(moment: datetime, chosen: TimeFormat) -> None:
    times = Times(NOW, ZoneInfo("Pacific/Kiritimati"), chosen)
    assert times.short(moment)
    assert times.full(moment)
    assert times.day(moment)


def test_the_minute_is_what_relative_times_hang_on() -> None:
    assert Times(NOW).minute + 1 == Times(NOW + timedelta(seconds=60)).minute
    assert Times(NOW).minute == Times(NOW + timedelta(seconds=59)).minute


def test_lateness() -> None:
    assert lateness(NOW, NOW + timedelta(hours=3)) == "arrived 3h late"
    assert lateness(NOW, NOW + timedelta(minutes=4)) is None
    assert lateness(NOW, NOW - timedelta(hours=1)) is None


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_level_and_state_has_icon_and_word(glyphs: Glyphs) -> None:
    levels = [level_mark(level, glyphs) for level in get_args(Level)]
    assert len({mark.icon for mark in levels}) == len({mark.word for mark in levels}) == 3
    for payment in get_args(PaymentStatus):
        for fulfilment in get_args(FulfilmentStatus):
            marks = (
                payment_mark(payment, glyphs),
                fulfilment_mark(fulfilment, glyphs),
                order_mark(payment, fulfilment),
            )
            assert all(mark.word and width(mark.icon) == 1 for mark in marks)
    assert all(width(getattr(glyphs, name)) == 1 for name in glyphs.__slots__)
    assert glyphs is UNICODE or all(getattr(glyphs, name).isascii() for name in glyphs.__slots__)


def test_words_of_states() -> None:
    assert fulfilment_mark("processing").word == "in production"
    assert payment_mark("pending").word == "unpaid"
    assert fulfilment_mark("on_a_boat").word == "on a boat"
    assert level_mark("fatal").word == "fatal"


def test_an_order_shows_first_what_went_wrong() -> None:
    assert order_mark("paid", "shipped").word == "shipped"
    assert order_mark("pending", "unfulfilled").word == "unpaid"
    assert order_mark("paid", "failed", 1).style == "error"
    assert order_mark("refunded", "cancelled").word == "cancelled"
    assert order_mark("paid", "shipped", attention=2).icon == UNICODE.warning
    assert order_mark("failed", "cancelled").word == "payment failed"


def test_people_numbers_and_counts() -> None:
    assert person("Ines", "ines@example.com") == "Ines"
    assert person(None, "ines@example.com") == "ines@example.com"
    assert person(None, None, "7F2A") == "⟨erased 7F2A⟩"
    assert person(None, None) == "no customer"
    assert short_number("SS-260223-0046") == "0046"
    assert short_number("46") == "46"
    assert count(1, "entry", "entries") == "1 entry"
    assert count(1204, "entry", "entries") == "1,204 entries"
    assert badge(99) == "99"
    assert badge(100) == "99+"
    assert [size(length) for length in (1, 999, 4_200, 12_520_000)] == [
        "1 byte",
        "999 bytes",
        "4 kB",
        "12.5 MB",
    ]
    assert words("insufficient_permissions") == "insufficient permissions"
    assert words("") == "unknown"
