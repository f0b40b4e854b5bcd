"""Streams of server-sent events: what each sends, to whom, for how long, and how many there may be.

A stream keeps nothing but its place: it reads events from their table, a page at a time and no faster than they are
taken, so a reader who is slow costs no memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Final

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from server.app.errors import log_error
from server.app.watch import Pause, Watch
from server.kit import topics
from server.kit.access import Principal
from server.kit.clock import rfc3339
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx

MOST: Final = 512
"""Streams of one process."""
MOST_EACH: Final = 16
"""Streams of one token."""
PAGE: Final = 100
"""Events that are read at a time."""
GAP_SECONDS: Final = 0.2
"""At least so long between two ``changed`` of a stream: a busy shop is asked five times a second, not a thousand."""
SEND_SECONDS: Final = 60.0
"""How long a reader may take nothing before the stream is given up."""
RETRY_MS: Final = 2_000
"""After how long a reader whose connection broke may come back."""

Admit = Callable[[], Awaitable[Principal]]
"""Whose request it is, asked anew; raises ProblemError once it is nobody's any more."""


class Streams:
    """The streams of one application. Its coroutines belong to the application's event loop."""

    def __init__(self, store: Store, pause: Pause = asyncio.sleep) -> None:
        self.store = store
        self._pause = pause
        self._open: set[Stream] = set()
        self._by_token: Counter[str] = Counter()
        self._watch: Watch | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._ending = False

    def __len__(self) -> int:
        return len(self._open)

    def open(self, caller: Principal, admit: Admit, names: Iterable[str], last: str | None) -> Stream:
        """A new stream, which is counted from now on.

        Args:
            caller: who follows.
            admit: who that is by then.
            names: the topics, which the caller may follow; none for hints alone.
            last: ``Last-Event-ID`` as it came.

        Raises:
            ProblemError: 503 ``unavailable`` where the server ends or has too many; 429 ``rate_limited`` for a token
                with too many.
        """
        if self._ending:
            raise ProblemError(
                503, "unavailable", "The server is going to stop.", reason="stopping", retry_after=5
            )
        if len(self._open) >= MOST:
            raise ProblemError(
                503,
                "unavailable",
                "Too many streams are open. Everything can be asked for without one.",
                reason="too_many_streams",
                retry_after=30,
            )
        if self._by_token[caller.token_id] >= MOST_EACH:
            raise ProblemError(
                429,
                "rate_limited",
                f"This token follows events {MOST_EACH} times already.",
                reason="too_many_streams",
                retry_after=30,
            )
        self._watch = self._watch or Watch(self.store, self._pause)
        stream = Stream(self, self._watch, caller, admit, frozenset(names), last)
        self._open.add(stream)
        self._by_token[caller.token_id] += 1
        self._watch.add(stream)
        return stream

    def close(self, stream: Stream) -> None:
        """It is over; once more does nothing."""
        if stream not in self._open:
            return
        self._open.discard(stream)
        self._by_token -= Counter([stream.token_id])
        if not stream.watch.remove(stream):
            self._watch = None
            ending = asyncio.ensure_future(stream.watch.end())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    def end(self) -> None:
        """The server stops: end every stream as soon as what is on its way was taken, and begin no other."""
        self._ending = True
        for stream in self._open:
            stream.stop()

    async def ended(self) -> None:
        """Wait until nobody looks at the store for a stream any more."""
        await asyncio.gather(*self._endings)


class Stream(Response):
    """One reader's stream, as the answer to its request."""

    def __init__(
        self,
        streams: Streams,
        watch: Watch,
        caller: Principal,
        admit: Admit,
        names: frozenset[str],
        last: str | None,
    ) -> None:
        super().__init__(media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]  # it has no end yet
        self.topics = names
        self.signal = asyncio.Event()
        self.watch = watch
        self.token_id = caller.token_id
        self._streams = streams
        self._admit = admit
        self._last = last
        self._over = False
        self._beats = watch.beats

    def stop(self) -> None:
        """Send nothing more."""
        self._over = True
        self.signal.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader leaves, may follow no more, or the server stops (ASGI)."""
        gone = asyncio.ensure_future(_until_gone(receive))
        gone.add_done_callback(lambda _: self.stop())
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            async with contextlib.aclosing(self._parts()) as parts:
                async for part in parts:
                    await _taken(send, {"type": "http.response.body", "body": part, "more_body": True})
            await _taken(send, {"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # half an answer: the protocol closes the connection
        except Exception as error:  # noqa: BLE001 - the store's trouble; the reader comes back
            log_error(error, "GET", scope["path"])
        finally:
            gone.cancel()
            self._streams.close(self)

    # -- what is sent ----------------------------------------------------------------------------------

    async def _parts(self) -> AsyncGenerator[bytes]:
        yield b"retry: %d\n\n" % RETRY_MS
        async for part in self._events() if self.topics else self._hints():
            # Asked after what is to be sent was read: so nobody is sent what happened after he was shut out.
            if self._over or not await self._still_admitted():
                return
            yield part

    async def _still_admitted(self) -> bool:
        try:
            caller = await self._admit()
        except ProblemError:
            return False
        return may_follow_all(caller, self.topics) is None

    async def _hints(self) -> AsyncGenerator[bytes]:
        seen: dict[str, int] | None = None
        while not self._over:
            self.signal.clear()
            counters = self.watch.counters
            if counters is not None and counters != seen:
                known = seen or {}
                moved = sorted(name for name, count in counters.items() if known.get(name) != count)
                seen = counters
                yield _frame("changed", {"topics": moved})
                await asyncio.sleep(GAP_SECONDS)
            elif self._beat_is_due():
                yield b":\n\n"
            else:
                await self.signal.wait()

    async def _events(self) -> AsyncGenerator[bytes]:
        while self.watch.place < 0 and not self._over:
            self.signal.clear()
            if self._beat_is_due():
                yield b":\n\n"
            await self.signal.wait()
        place, complete = await self._begin()
        yield _mark(place) if complete else _frame("reset", {}, place)
        while not self._over:
            self.signal.clear()
            if place < self.watch.place:
                upto = self.watch.place
                events, forgotten = await self._streams.store.read_async(_reading(self.topics, place, upto))
                if forgotten > place:
                    place = upto
                    yield _frame("reset", {}, place)
                    continue
                place = events[-1].seq if len(events) == PAGE else upto
                if events:
                    yield b"".join(map(_told, events))
            elif self._beat_is_due():
                yield b":\n" + _mark(place)
            else:
                await self.signal.wait()

    async def _begin(self) -> tuple[int, bool]:
        """Where to begin, and whether the reader missed nothing up to there."""
        if self._last is None:
            return self.watch.place, True
        drawn, forgotten = await self._streams.store.read_async(
            lambda tx: (topics.drawn(tx), topics.forgotten(tx))
        )
        last = int(self._last) if self._last.isascii() and self._last.isdigit() else -1
        if forgotten <= last <= drawn:
            return last, True
        return self.watch.place, False

    def _beat_is_due(self) -> bool:
        due = self._beats != self.watch.beats
        self._beats = self.watch.beats
        return due


def may_follow_all(caller: Principal, names: Iterable[str]) -> str | None:
    """The first topic that the caller may not follow; None when there is none.

    Hints say when what staff see changed, so for them a caller must be one who may poll: else it is the empty name.
    """
    asked = sorted(names)
    if not asked:
        return None if caller.may("events.follow") and caller.may("pulse.read") else ""
    return next((name for name in asked if not topics.may_follow(caller, name)), None)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _taken(send: Send, message: Message) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send(message)


def _reading(names: frozenset[str], place: int, upto: int) -> Callable[[Tx], tuple[list[topics.Event], int]]:
    # What is forgotten is asked last: what went while the page was read is known then.
    return lambda tx: (topics.after(tx, names, place, upto, PAGE), topics.forgotten(tx))


def _mark(place: int) -> bytes:
    """A place without an event: where to resume when nothing comes before the connection breaks."""
    return b"id: %d\n\n" % place


def _frame(event: str, data: dict[str, object], place: int | None = None) -> bytes:
    mark = "" if place is None else f"id: {place}\n"
    return f"{mark}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _told(event: topics.Event) -> bytes:
    # The data was stored as JSON, which has no line ends.
    return (
        f"id: {event.seq}\nevent: {event.event}\n"
        f'data: {{"topic":{json.dumps(event.topic)},"data":{event.data},"at":"{rfc3339(event.at)}"}}\n\n'
    ).encode()
