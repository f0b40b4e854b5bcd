"""Ids: UUIDv7 text, sortable by when they were made; and random text for secrets."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable

from server.kit.clock import Clock

_COUNTER_BITS = 42
_COUNTER_START_BITS = 41  # the counter starts below its top, so a busy millisecond has room to count


class Ids:
    """Makes UUIDv7s that rise strictly within the process, also when the clock stands still or steps back."""

    def __init__(self, clock: Clock, randomness: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random = randomness
        self._lock = threading.Lock()
        self._last_ms = -1
        self._counter = 0

    def new(self) -> str:
        """The next id, 36 characters."""
        with self._lock:
            now = self._clock.now()
            if now > self._last_ms:
                self._last_ms = now
                self._counter = int.from_bytes(self._random(6), "big") >> (48 - _COUNTER_START_BITS)
            else:
                self._counter += 1
                if self._counter >> _COUNTER_BITS:
                    self._last_ms += 1
                    self._counter = 0
            stamp, counter = self._last_ms, self._counter
        tail = int.from_bytes(self._random(4), "big")
        value = (stamp & (1 << 48) - 1) << 80
        value |= 0x7 << 76 | (counter >> 30 & 0xFFF) << 64
        value |= 0b10 << 62 | (counter & (1 << 30) - 1) << 32 | tail
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def random_text(length: int, alphabet: str) -> str:
    """Unguessable text of ``length`` letters out of ``alphabet``."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def random_fraction() -> float:
    """Any number from 0 up to, but not, 1: for waits that are not to fall on one moment."""
    return secrets.randbelow(1 << 53) / (1 << 53)


def random_bytes(length: int) -> bytes:
    """Unguessable bytes."""
    return secrets.token_bytes(length)
