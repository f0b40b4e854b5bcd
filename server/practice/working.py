"""Jobs of the practice shop: a runner whose seconds are the shop's, and work done at moments of the past."""

from __future__ import annotations

from typing import Final

from server.fulfilment import registry, sync
from server.jobs import claiming
from server.jobs.registry import QUEUES
from server.jobs.runner import Runner
from server.kit.clock import SECOND
from server.kit.tx import Tx
from server.orders import deadlines
from server.practice.clock import PracticeClock, PracticeStore, SuppliersClock

_SHORTEST: Final = 0.02
"""Seconds that a worker sleeps at least when there is nothing to do: so much may a fast shop be late."""
GRACE: Final = 2.0


class PracticeRunner(Runner):
    """A worker that sleeps as long as the shop's time takes, however fast that runs.

    Args:
        store: the practice shop's.
        clock: its time.
    """

    def __init__(self, store: PracticeStore, clock: PracticeClock) -> None:
        super().__init__(store, alone=True, monotonic=lambda: clock.present() / SECOND, grace=GRACE)
        self._time = clock

    def _round(self) -> float:
        pause = super()._round()
        return max(pause / self._time.speed, _SHORTEST) if pause else 0.0


class Overtime:
    """Does the jobs of the past at the moments at which they were due, one after the other.

    Only while no runner works: this one is it.

    Args:
        store: the practice shop's.
        suppliers: the clock of whom the jobs ask.
    """

    def __init__(self, store: PracticeStore, suppliers: SuppliersClock) -> None:
        self._store = store
        self._clock = suppliers
        self._runner = Runner(store, alone=True, vary=_in_the_middle)
        self._done_to = 0

    def next_at(self) -> int | None:
        """When the next job is due; None when there is none."""
        return min(self._store.read(lambda tx: claiming.due(tx, QUEUES)).values(), default=None)

    def sync(self, at: int) -> None:
        """Read the catalogues of both providers, at a moment."""

        def ask(tx: Tx) -> None:
            for known in registry.PROVIDERS.values():
                sync.want(tx, known)

        with self._clock.at(at):
            self._store.write(ask)
        self.work(at)

    def tell_overdue(self) -> None:
        """Say which orders are late, now."""
        deadlines.tell_overdue(self._store)

    def work(self, at: int) -> None:
        """Do what is due at a moment, at that moment, or at the last one if that was later."""
        self._done_to = max(at, self._done_to)
        with self._clock.at(self._done_to):
            self._runner.drain()


def _in_the_middle() -> float:
    return 0.5
