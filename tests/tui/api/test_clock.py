"""The client's clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tui.api.clock import FrozenClock, SystemClock


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
