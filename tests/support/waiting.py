"""Waiting for something that another process or thread does, without a fixed pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE = 0.01  # seconds between two looks


def until(look: Callable[[], T], what: str, *, seconds: float = 10.0) -> T:
    """Call `look` until it answers something true and return that; fail the test after the deadline."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(PAUSE)
    return seen
