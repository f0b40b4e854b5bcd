"""Times are read strictly and written one way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.clock import (
    FrozenClock,
    SystemClock,
    instant,
    instant_or_none,
    milliseconds,
    parse_instant,
    rfc3339,
)

MOMENTS = st.integers(0, parse_instant("9999-12-31T23:59:59.999Z"))


@given(MOMENTS)
def test_what_is_written_is_read_back(at: int) -> None:
    assert parse_instant(rfc3339(at)) == at
    assert milliseconds(instant(at)) == at


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_a_zone_moves_the_words_and_not_the_moment(at: int, minutes: int) -> None:
    at = min(max(at, 86_400_000), parse_instant("9998-12-31T00:00:00Z"))
    there = instant(at).astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_instant(there.isoformat(timespec="milliseconds")) == at


def test_parts_of_a_millisecond_are_cut_off() -> None:
    assert parse_instant("2026-02-23T10:00:00.123999999Z") == parse_instant("2026-02-23T10:00:00.123Z")
    assert parse_instant("2026-02-23t10:00:00.1z") == parse_instant("2026-02-23T10:00:00.100+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-02-23",
        "2026-02-23T10:00:00",
        "2026-02-23 10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-02-23T25:00:00Z",
        "2026-02-23T10:00:60Z",
        "2026-02-23T10:00:00.Z",
        "2026-02-23T10:00:00.1234567890Z",
        "2026-02-23T10:00:00Z ",
        "\uff12\uff10\uff12\uff16-02-23T10:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-02-23T10:00:00+99:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is for people
        parse_instant(text)


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock("2026-02-23T10:00:00Z")
    assert rfc3339(clock.now()) == "2026-02-23T10:00:00.000Z"
    clock.advance(1_500)
    assert rfc3339(clock.now()) == "2026-02-23T10:00:01.500Z"
    clock.set("2026-02-23T09:00:00Z")
    assert rfc3339(clock.now()) == "2026-02-23T09:00:00.000Z"


def test_the_machines_clock_is_read_in_milliseconds() -> None:
    assert abs(SystemClock().now() - datetime.now(UTC).timestamp() * 1_000) < 5_000


def test_nothing_stays_nothing() -> None:
    assert instant_or_none(None) is None
    assert instant_or_none(0) == datetime(1970, 1, 1, tzinfo=UTC)
