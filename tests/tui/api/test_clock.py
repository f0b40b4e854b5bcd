"""The client's clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tui.api.clock import APART, FrozenClock, ShopClock, SystemClock


def test_the_machines_clock_is_aware_and_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    assert clock.monotonic() <= clock.monotonic()


def test_a_frozen_clock_moves_when_it_is_told() -> None:
    clock = FrozenClock("2026-02-23T11:00:00+01:00")
    assert clock.now() == datetime(2026, 2, 23, 10, tzinfo=UTC)
    clock.advance(90.5)
    assert clock.now().isoformat() == "2026-02-23T10:01:30.500000+00:00"
    assert clock.monotonic() == 90.5
    clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert clock.monotonic() == 90.5
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="zone"):
        FrozenClock("2026-02-23T10:00:00")


def test_the_shops_time_is_what_the_server_told() -> None:
    own = FrozenClock("2026-02-23T07:00:00Z")
    clock = ShopClock(own)
    assert clock.now() == own.now()
    noon = datetime(2026, 2, 23, 12, tzinfo=UTC)
    clock.told(noon)
    own.advance(5)
    assert clock.now() == noon + timedelta(seconds=5)
    assert clock.monotonic() == 5
    clock.told(noon)
    assert clock.now() == noon, "it may go back, as any clock that is set"


def test_what_an_answer_takes_to_come_moves_no_clock() -> None:
    clock = ShopClock(FrozenClock("2026-02-23T12:00:00Z"))
    before = clock.now()
    clock.told(before - timedelta(seconds=APART))
    assert clock.now() == before
    clock.told(before - timedelta(seconds=APART + 0.1))
    assert clock.now() < before


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_that_no_clock_shows_is_not_believed(moment: str) -> None:
    clock = ShopClock(FrozenClock("2026-02-23T12:00:00Z"))
    clock.told(datetime.fromisoformat(moment))
    assert clock.now() == datetime(2026, 2, 23, 12, tzinfo=UTC)
