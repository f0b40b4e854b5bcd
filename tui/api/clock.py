"""Time. Nothing else in the client reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol


class Clock(Protocol):
    """Where the client reads the time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC. It may jump when somebody sets the machine's clock."""
        ...

    def monotonic(self) -> float:
        """Seconds from some beginning; never goes back. For waits and limits."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from some beginning; never goes back."""
        return time.monotonic()


APART: Final = 2.0
"""Seconds that the shop's time and ours may lie apart: answers take a while to come, and need not correct that."""

_YEARS: Final = range(1990, 9000)


class ShopClock:
    """The shop's time, as far as the server told it; until then, and between its words, it runs as the machine's.

    So ages are right on a machine whose clock is wrong, and in a practice shop whose time runs faster.

    Args:
        own: the machine's clock.
    """

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """The present moment in the shop, aware, in UTC."""
        return self._own.now() + self._ahead

    def monotonic(self) -> float:
        """The machine's seconds from some beginning; never goes back."""
        return self._own.monotonic()

    def told(self, now: datetime) -> None:
        """The server said, just now, that it is this aware moment. What no clock shows is not believed."""
        if now.year in _YEARS and abs((now - self.now()).total_seconds()) > APART:
            self._ahead = now - self._own.now()


class FrozenClock:
    """A clock that moves only when told: for tests and for pictures.

    Args:
        now: an aware moment to stand at, or its RFC 3339 text.
    """

    def __init__(self, now: datetime | str) -> None:
        moment = datetime.fromisoformat(now) if isinstance(now, str) else now
        if moment.tzinfo is None:
            raise ValueError("a moment with a zone is needed")
        self._now = moment.astimezone(UTC)
        self._passed = 0.0

    def now(self) -> datetime:
        """The moment it stands at, aware, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that it was moved on by."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``. Raises ValueError for less than nothing: `set` goes back."""
        if seconds < 0:
            raise ValueError("time does not run backwards; use set")
        self._now += timedelta(seconds=seconds)
        self._passed += seconds

    def set(self, now: datetime) -> None:
        """Stand at another aware moment, as when somebody sets the machine's clock; `monotonic` stays."""
        self._now = now.astimezone(UTC)
