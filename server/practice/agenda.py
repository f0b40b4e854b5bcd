"""What others still have to do, in time order: providers' work and webhooks, mails that come back, the staff."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass

from server.practice.temper import Step


@dataclass(frozen=True, slots=True)
class Move:
    """A provider goes on with an order."""

    at: int
    provider: str
    order_id: str
    number: str
    step: Step


@dataclass(frozen=True, slots=True)
class Post:
    """A provider's webhook arrives; a forged one must be refused."""

    at: int
    provider: str
    headers: dict[str, str]
    body: bytes
    query: str = ""
    forged: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail comes back. ``number`` is the order it was about, if any."""

    at: int
    message_id: str
    gone: bool
    number: str = ""


@dataclass(frozen=True, slots=True)
class Leave:
    """Somebody wants no more reminders. ``path`` is the one that their mail named."""

    at: int
    path: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Somebody of the staff submits a failed order again; ``left`` is how often they will come back to it."""

    at: int
    number: str
    left: int = 6


@dataclass(frozen=True, slots=True)
class Settle:
    """Somebody of the staff resolves what is open on an order."""

    at: int
    number: str


@dataclass(frozen=True, slots=True)
class Turn:
    """The providers' shelves change."""

    at: int


@dataclass(frozen=True, slots=True)
class Drop:
    """A provider no longer keeps an order that ended long ago."""

    at: int
    provider: str
    order_id: str


Due = Move | Post | Bounce | Leave | Retry | Settle | Turn | Drop


class Agenda:
    """Dues that wait for their time; those of one moment keep the order in which they came. For all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heap: list[tuple[int, int, Due]] = []
        self._count = 0
        self.on_change: Callable[[], None] = lambda: None
        """Called, in whichever thread, when something was put in."""

    def put(self, due: Due) -> None:
        """Something is to be done."""
        with self._lock:
            self._count += 1
            heapq.heappush(self._heap, (due.at, self._count, due))
        self.on_change()

    def next_at(self) -> int | None:
        """When the first of it is due; None when there is nothing."""
        with self._lock:
            return self._heap[0][0] if self._heap else None

    def pop(self) -> Due | None:
        """Take the first of it out."""
        with self._lock:
            return heapq.heappop(self._heap)[2] if self._heap else None

    def call_off(self, number: str) -> None:
        """Nothing more is done with an order."""
        with self._lock:
            self._heap = [
                entry
                for entry in self._heap
                if not (isinstance(entry[2], Move) and entry[2].number == number)
            ]
            heapq.heapify(self._heap)
