"""The threads that jobs run in, and what a running job tells about itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final

from server.jobs import claiming
from server.jobs.claiming import Claimed
from server.kit.db import Store

_PROGRESS_SECONDS: Final = 0.5


@dataclass(slots=True)
class Running:
    """A job in this worker's hands, and the sign to leave it."""

    mine: Claimed
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> tuple[str, int]:
        """The job and which attempt: one taken away may be back as the next attempt while this one still ends."""
        return self.mine.job.id, self.mine.job.attempt


class Lane:
    """The threads of one queue, made as they are needed."""

    def __init__(self, name: str, perform: Callable[[Running], None]) -> None:
        self._name = name
        self._perform = perform
        self._waiting: SimpleQueue[Running | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def give(self, running: Running, at_once: int) -> None:
        """Have a job run, which is one of ``at_once`` now."""
        if len(self._threads) < at_once:
            thread = threading.Thread(target=self._loop, name=f"jobs-{self._name}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._waiting.put(running)

    def end(self) -> None:
        """Let the threads end once they have nothing to do."""
        for _ in self._threads:
            self._waiting.put(None)

    def _loop(self) -> None:
        while (running := self._waiting.get()) is not None:
            self._perform(running)


class ProgressNotes:
    """Keeps how far a job is, twice a second at most; the end is always kept."""

    def __init__(self, store: Store, running: Running, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._running = running
        self._monotonic = monotonic
        self._next = monotonic()

    def __call__(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """So much is done, of so much in all (None: nobody knows)."""
        if self._monotonic() < self._next and done != total:
            return
        self._next = self._monotonic() + _PROGRESS_SECONDS
        mine = self._running.mine
        if not self._store.write(lambda tx: claiming.note_progress(tx, mine, done, total, note)):
            self._running.stopping.set()
