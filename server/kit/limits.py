"""How often somebody may do something: a bucket per key that refills with time. In memory, by the monotonic clock."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

_MOST_KEYS = 10_000


class RateLimit:
    """Lets ``burst`` through at once and then one each ``seconds`` (the generic cell rate algorithm).

    Args:
        burst: how many at once.
        seconds: how long until one more is let through.
        monotonic: where it reads the time.
    """

    def __init__(self, burst: int, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.burst = burst
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}

    def take(self, key: str) -> int:
        """Count one for ``key``: 0 when it is let through, else after how many seconds to try again."""
        now = self._monotonic()
        with self._lock:
            if len(self._full_at) >= _MOST_KEYS:
                self._full_at = {name: at for name, at in self._full_at.items() if at > now}
            if len(self._full_at) >= _MOST_KEYS and key not in self._full_at:
                return math.ceil(self._seconds)
            reaches = max(self._full_at.get(key, now), now) + self._seconds
            over = reaches - now - self.burst * self._seconds
            if over > 1e-9:
                return max(1, math.ceil(over))
            self._full_at[key] = reaches
            return 0
