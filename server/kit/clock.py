"""Time. Nothing else in the server reads the wall clock.

Stored times are integer milliseconds since 1970 in UTC; on the wire they are RFC 3339 with ``Z``.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Protocol

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = date(1970, 1, 1).toordinal()

_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


class Clock(Protocol):
    """Where the server reads the time."""

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000


class FrozenClock:
    """A clock that moves only when told: for tests and for pictures."""

    def __init__(self, start: int | str) -> None:
        self._now = parse_instant(start) if isinstance(start, str) else start

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Move on (or, with a negative number, back)."""
        self._now += milliseconds

    def set(self, at: int | str) -> None:
        """Stand at another moment."""
        self._now = parse_instant(at) if isinstance(at, str) else at


def parse_instant(text: str) -> int:
    """Read RFC 3339 with a zone into milliseconds UTC; parts of a millisecond are cut off.

    Raises:
        ValueError: not RFC 3339, no zone, or no such moment.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not a time with a zone (RFC 3339, for example 2026-02-23T10:00:00Z)")
    fraction = (match[7] or "").ljust(3, "0")[:3]
    zone = "+00:00" if match[8] in "Zz" else match[8]
    moment = datetime.fromisoformat(
        f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}:{match[6]}.{fraction}{zone}"
    )
    return milliseconds(moment)


def milliseconds(moment: datetime) -> int:
    """Turn an aware datetime into milliseconds since 1970, exactly (no float on the way)."""
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * DAY + delta.seconds * SECOND + delta.microseconds // 1_000


def instant(at: int) -> datetime:
    """Turn stored milliseconds into an aware datetime in UTC."""
    seconds, rest = divmod(at, 1_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000)


def instant_or_none(at: int | None) -> datetime | None:
    """Turn stored milliseconds into an aware datetime; nothing stays nothing."""
    return None if at is None else instant(at)


def rfc3339(at: int) -> str:
    """Write stored milliseconds as RFC 3339 UTC with milliseconds and ``Z``.

    Raises:
        ValueError, OverflowError: a moment outside the years 1 to 9999.
    """
    days, rest = divmod(at, DAY)
    minutes, rest = divmod(rest, MINUTE)
    return f"{_day(days)}{_HOURS_MINUTES[minutes]}{_SECONDS[rest // SECOND]}{_THOUSANDTHS[rest % SECOND]}"


# A page writes a hundred times: putting pieces together takes a third of formatting them.
_HOURS_MINUTES = [f"T{minutes // 60:02d}:{minutes % 60:02d}:" for minutes in range(DAY // MINUTE)]
_SECONDS = [f"{second:02d}" for second in range(60)]
_THOUSANDTHS = [f".{thousandth:03d}Z" for thousandth in range(SECOND)]


@lru_cache(maxsize=1024)
def _day(days: int) -> str:
    """The date so many days after 1970-01-01: a page of rows has few."""
    return date.fromordinal(_EPOCH + days).isoformat()
