"""The practice shop's time: a present that runs as fast as one likes, and requests that come from another moment.

While older history is played, whoever watches lives in the present. So there is no going back and forth of the one
clock: a request carries its moment with it, in a context variable that only code of this process can set, and
everybody else reads the present.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from server.kit.db import Unit
from server.kit.sqlite import SqliteStore
from server.kit.tx import Tx

T = TypeVar("T")
_carried: ContextVar[int | None] = ContextVar("practice_moment", default=None)


class PracticeClock:
    """Stands still until it is started, then runs ``speed`` times as fast as the machine's.

    Args:
        start: the moment it stands at, milliseconds.
        monotonic: seconds from some beginning.
    """

    def __init__(self, start: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._start = start
        self._monotonic = monotonic
        self._since: float | None = None
        self.speed = 1.0

    def now(self) -> int:
        """The moment that this request carries; the present for everybody else. Milliseconds."""
        carried = _carried.get()
        return self.present() if carried is None else carried

    @staticmethod
    def carried() -> int | None:
        """The moment that this request carries; None for who lives in the present."""
        return _carried.get()

    def present(self) -> int:
        """The present, whatever this request carries. Milliseconds."""
        if self._since is None:
            return self._start
        return self._start + int((self._monotonic() - self._since) * 1000 * self.speed)

    def run(self, speed: float) -> None:
        """Let the time run from where it stands."""
        self._start = self.present()
        self._since = self._monotonic()
        self.speed = speed

    def seconds_until(self, moment: int) -> float:
        """How many seconds of the machine's time pass before the present reaches ``moment``; 0 if it has."""
        return max(0.0, (moment - self.present()) / 1000 / self.speed)

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """What is done inside, in this task and the threads it asks, is done at ``moment``."""
        token = _carried.set(moment)
        try:
            yield
        finally:
            _carried.reset(token)


class SuppliersClock:
    """The time at the local providers and the mail server: the shop's present.

    Their own threads carry no moment. So while the shop catches up with what it slept through, and asks them things at
    a moment of the past, they are told that moment.

    Args:
        shop: the shop's clock.
    """

    def __init__(self, shop: PracticeClock) -> None:
        self._shop = shop
        self._told: int | None = None

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        carried = self._shop.carried()
        if carried is not None:
            return carried
        return self._shop.present() if self._told is None else self._told

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """What the shop asks inside, in this task and the threads it asks, and what is answered, is at ``moment``."""
        self._told = moment
        try:
            with self._shop.at(moment):
                yield
        finally:
            self._told = None


class PracticeStore(SqliteStore):
    """The file store, whose writer honours the moment of the request that a unit came with.

    The writer is a thread of its own and commits units of several requests together, so the moment travels with
    the unit. Ids are made of the present: they need to rise, not to remember.
    """

    def __init__(self, path: Path, clock: PracticeClock) -> None:
        super().__init__(path, clock)

    def write(self, unit: Unit[T]) -> T:
        """Hand the unit, with its moment, to the writer and wait until it is on disk."""
        return super().write(_stamped(unit))

    async def write_async(self, unit: Unit[T]) -> T:
        """Like ``write``; the loop goes on meanwhile."""
        return await super().write_async(_stamped(unit))


def _stamped(unit: Unit[T]) -> Unit[T]:
    moment = _carried.get()
    if moment is None:
        return unit

    def stamped(tx: Tx) -> T:
        tx.now = moment
        return unit(tx)

    return stamped
