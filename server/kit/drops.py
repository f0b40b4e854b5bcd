"""Activity entries that had to be let go: counted here, so that silence for the caller is loud for the owner."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """Dropped entries that no ``activity.gap`` entry tells yet.

    ``origin`` names this count of drops among all processes, ``after`` how many were told before: together they name
    this gap, whoever writes it down, so it is written once.
    """

    origin: str
    after: int
    count: int
    first_at: int
    last_at: int


class Drops:
    """What was dropped since the process started. Safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._origin = secrets.token_hex(8)
        self._by_reason: Counter[str] = Counter()
        self._told = 0
        self._untold = 0
        self._first_at = 0
        self._last_at = 0

    def add(self, dropped: Sequence[tuple[str, str]], now: int) -> None:
        """Count entries that were dropped at ``now``: pairs of reason and event type."""
        if not dropped:
            return
        with self._lock:
            if not self._untold:
                self._first_at = now
            self._last_at = max(now, self._first_at)
            self._untold += len(dropped)
            self._by_reason.update(reason for reason, _ in dropped)

    @property
    def total(self) -> int:
        """How many since the process started."""
        with self._lock:
            return sum(self._by_reason.values())

    def by_reason(self) -> dict[str, int]:
        """The same by reason (the name of the database's error)."""
        with self._lock:
            return dict(self._by_reason)

    def gap(self) -> Gap | None:
        """What is not told yet; None when there is nothing."""
        with self._lock:
            if not self._untold:
                return None
            return Gap(self._origin, self._told, self._untold, self._first_at, self._last_at)

    def told(self, gap: Gap) -> None:
        """An ``activity.gap`` entry over this gap is committed."""
        with self._lock:
            if gap.after != self._told:
                return
            self._told += gap.count
            self._untold -= gap.count
            self._first_at = gap.last_at  # what was dropped since came at that moment or later
