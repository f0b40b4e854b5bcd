"""Hearing at once that something changed: the server's stream of hints. Importing this costs next to nothing.

Nothing depends on it. A stream that is refused, missing, cut, silent or full of nonsense is tried again later and
later, and meanwhile the timer asks as it always did.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final, Protocol

from tui.api.clock import Clock
from tui.api.errors import ApiError, BadAnswer, Refused, Unauthenticated

PATH: Final = "/v1/events"
KIND: Final = "text/event-stream"
SILENCE: Final = 40.0
"""Seconds without a byte after which a stream is given up; the server says every 15 that it lives."""
GAP: Final = 0.2
"""Seconds between two hints at the least: what comes in between is one hint."""
LIVED: Final = 10.0
"""Seconds after which a stream that ended was a good one: the next try is soon."""
LINE_CAP: Final = 64 * 1024
"""Bytes of one line that are read."""

_FIRST_WAIT, _LAST_WAIT, _REFUSED_WAIT = 1.0, 60.0, 300.0
_HINTS: Final = frozenset({b"changed", b"reset"})


class Line(Protocol):
    """What the follower asks of the client."""

    def stream(self, path: str, kind: str, silence: float) -> AsyncGenerator[bytes, None]:
        """The parts of an answer of this media type as they come; raises `ApiError`."""


class Follower:
    """Follows the hints of one server, for as long as ``follow`` is awaited.

    Args:
        line: the client.
        clock: where the time is read.
        hinted: called when something changed.
        stands: called with whether the stream stands, whenever that changed.
        pause: lets seconds pass.
        chance: gives numbers from 0 to 1, so that many clients do not come back at the same moment.
    """

    def __init__(
        self,
        line: Line,
        clock: Clock,
        hinted: Callable[[], None],
        stands: Callable[[bool], None],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._line = line
        self._clock = clock
        self._hinted = hinted
        self._stands = stands
        self._pause = pause
        self._chance = chance
        self._failures = 0

    async def follow(self) -> None:
        """Follow, and come back whenever the stream ends."""
        while True:
            begun = self._clock.monotonic()
            least = 0.0
            try:
                await self._listen()
            except ApiError as error:
                refused = isinstance(error, Refused | Unauthenticated)
                least = max(error.retry_after or 0.0, _REFUSED_WAIT if refused else 0.0)
            finally:
                self._stands(False)
            if self._clock.monotonic() - begun >= LIVED:
                self._failures = 0
            wait = min(_FIRST_WAIT * 2.0**self._failures, _LAST_WAIT)
            self._failures = min(self._failures + 1, 16)
            await self._pause(max(wait, min(least, _REFUSED_WAIT)) * (0.5 + self._chance() / 2))

    async def _listen(self) -> None:
        frames = Frames()
        async with contextlib.aclosing(self._line.stream(PATH, KIND, SILENCE)) as parts:
            async for part in parts:
                if not _HINTS.isdisjoint(frames.feed(part)):
                    self._stands(True)
                    self._hinted()
                    await self._pause(GAP)


class Frames:
    """Finds the events in a stream's bytes, as far as their names go."""

    def __init__(self) -> None:
        self._rest = b""
        self._event = b""
        self._told = False

    def feed(self, part: bytes) -> set[bytes]:
        """The names of the events that ended in this part.

        Raises:
            BadAnswer: a line without an end.
        """
        *lines, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > LINE_CAP:
            raise BadAnswer("The stream of events is none.")
        found = set()
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b":")
            if name == b"event":
                self._event = value.strip()
            elif name == b"data":
                self._told = True
            elif not name and not value:
                if self._told:
                    found.add(self._event)
                self._event, self._told = b"", False
        return found
