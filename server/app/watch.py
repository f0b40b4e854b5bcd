"""Looking at the store for all streams of this process together, whenever somebody committed something.

A commit of this process wakes it at once, one of another process through PostgreSQL; every ten seconds it looks by
itself. It reads two things: the counters, and up to where events may be read. What a stream sends it reads itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from server.kit import topics
from server.kit.db import Store
from server.kit.failures import explain
from server.kit.listening import Listener
from server.kit.tx import Tx

_log = logging.getLogger("shopbell.events")

Pause = Callable[[float], Awaitable[None]]
"""Lets seconds pass."""

BEAT_SECONDS: Final = 15.0
"""How often a silent stream says that it lives."""
LOOK_SECONDS: Final = 10.0
"""How often it looks without being woken."""
_REST_SECONDS: Final = 0.02
"""At least so long between two looks: where commits come by the hundred, one look serves many."""
_AGAIN: Final = (0.01, 0.25)
"""Seconds between two looks while somebody writes what may come first: the shortest and the longest."""


class Watched(Protocol):
    """A stream, as the watch sees it."""

    topics: frozenset[str]
    signal: asyncio.Event


class Watch:
    """Begins with the first stream and ends with the last. It belongs to the event loop that made it.

    Args:
        store: what is looked at.
        pause: lets the seconds between heartbeats and looks pass.
    """

    def __init__(self, store: Store, pause: Pause) -> None:
        self._store = store
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._woken.set()
        self._frontier = topics.frontier()
        self._streams: set[Watched] = set()
        self.counters: dict[str, int] | None = None
        """The counters as last seen; None before the first look."""
        self.place = -1
        """Events may be read up to here; -1 while that is not known."""
        self.beats = 0
        """Heartbeats so far."""
        store.moved.listen(self._wake)
        self._listener: Listener | None = None
        if store.dialect == "postgresql":
            self._listener = Listener(store, topics.CHANNEL, self._told, _log)
            self._listener.start()
        work = (self._look_again_and_again(), self._look_by_itself(), self._beat_again_and_again())
        self._tasks = [self._loop.create_task(each) for each in work]

    def add(self, stream: Watched) -> None:
        """Signal this stream from now on."""
        self._streams.add(stream)
        self._woken.set()

    def remove(self, stream: Watched) -> int:
        """Signal it no more; how many are left."""
        self._streams.discard(stream)
        return len(self._streams)

    async def end(self) -> None:
        """Look no more."""
        self._store.moved.leave(self._wake)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            await asyncio.to_thread(self._listener.stop)

    # -- being woken, in whatever thread ---------------------------------------------------------------

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._woken.set)

    def _told(self) -> None:
        self._store.look_again()
        self._wake()

    # -- in the event loop -----------------------------------------------------------------------------

    async def _beat_again_and_again(self) -> None:
        while True:
            await self._pause(BEAT_SECONDS)
            self._beat()

    def _beat(self) -> None:
        self.beats += 1
        for stream in self._streams:
            stream.signal.set()

    async def _look_by_itself(self) -> None:
        while True:
            await self._pause(LOOK_SECONDS)
            self._woken.set()

    async def _look_again_and_again(self) -> None:
        shortest, longest = _AGAIN
        wait = shortest
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait if self._frontier.waits else None):
                    await self._woken.wait()
            wait = min(2 * wait, longest) if self._frontier.waits else shortest
            self._woken.clear()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - the store's trouble ends; who follows is told later
                failure = explain(error)
                fields = {"because": failure.kind if failure else type(error).__name__}
                _log.warning("cannot look for events", extra={"fields": fields})
            await asyncio.sleep(_REST_SECONDS)

    async def _look(self) -> None:
        before = self.place
        # The counters last: then whatever was done before one of the events that are seen now moved them already.
        place, told, counters = await self._store.read_async(lambda tx: self._seen(tx, before))
        known, self.counters, self.place = self.counters, counters, place
        if counters != known:
            self._store.look_again()
        if known is not None and counters.get("access") != known.get("access"):
            self._beat()  # somebody may follow no more: all are looked at
        for stream in self._streams:
            if before < 0 or (told & stream.topics if stream.topics else counters != known):
                stream.signal.set()

    def _seen(self, tx: Tx, before: int) -> tuple[int, set[str], dict[str, int]]:
        place = self._frontier.look(tx)
        told = topics.moved_between(tx, before, place) if 0 <= before < place else set()
        return place, told, topics.counters(tx)
