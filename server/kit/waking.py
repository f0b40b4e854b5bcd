"""Waking those who wait for something, in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Waking:
    """Who is to be woken. Safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] = []

    def listen(self, call: Callable[[], None]) -> None:
        """Call this at every waking, in the thread that wakes; it must be quick and must not raise."""
        with self._lock:
            self._waiting.append(call)

    def leave(self, call: Callable[[], None]) -> None:
        """Do not call it any more."""
        with self._lock:
            if call in self._waiting:
                self._waiting.remove(call)

    def wake(self) -> None:
        """Wake all who listen."""
        with self._lock:
            for call in self._waiting:
                call()
