"""Hints of the server: heard at once over TCP and over a socket, and done without when they do not come."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.tui.api import answers
from tui.api import events
from tui.api.client import Client
from tui.api.clock import FrozenClock
from tui.api.endpoint import Endpoint
from tui.api.events import Follower, Frames
from tui.api.secret import Secret

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CHANGED = b'event: changed\ndata: {"topics":["orders"]}\n\n'
REFUSAL = b'{"type":"about:blank","title":"Not allowed","status":403,"code":"forbidden"}'
Visit = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@contextlib.asynccontextmanager
async def serving(place: Path | None, visit: Visit) -> AsyncIterator[Endpoint]:
    """A server, on a Unix socket or on TCP, that reads each request's head and then does as ``visit`` says."""

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await visit(reader, writer)
        writer.close()

    token = Secret("sbl_pat_Abcd1234_0123456789")
    if place is not None:
        server = await asyncio.start_unix_server(came, place)
        endpoint = Endpoint(uds=place, token=token)
    else:
        server = await asyncio.start_server(came, "127.0.0.1", 0)
        endpoint = Endpoint(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", token=token)
    try:
        yield endpoint
    finally:
        server.close()


class Heard:
    """What a follower told, and the pauses it made: all but those between hints wait until they are let go."""

    def __init__(self) -> None:
        self.clock = FrozenClock("2026-02-23T10:14:00Z")
        self.hints = 0
        self.stands: list[bool] = []
        self.pauses: list[float] = []
        self.moved = asyncio.Condition()
        self._go = asyncio.Semaphore(0)

    def follower(self, client: Client) -> Follower:
        return Follower(client, self.clock, self._hinted, self.stands.append, self._pause, lambda: 1.0)

    def go(self) -> None:
        """Let one pause between two tries pass."""
        self._go.release()

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not what():  # noqa: ASYNC110 - the follower runs in this loop
                await asyncio.sleep(0)

    def _hinted(self) -> None:
        self.hints += 1

    async def _pause(self, seconds: float) -> None:
        if seconds == events.GAP:
            await asyncio.sleep(0)
            return
        self.pauses.append(seconds)
        await self._go.acquire()


@contextlib.asynccontextmanager
async def following(endpoint: Endpoint) -> AsyncIterator[Heard]:
    heard = Heard()
    async with Client(endpoint) as client:
        task = asyncio.create_task(heard.follower(client).follow())
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled(), "nothing but its end ends a follower"


@pytest.mark.parametrize("kind", ["tcp", "socket"])
async def test_a_hint_is_heard_while_the_stream_goes_on(home: Path, kind: str) -> None:
    told = asyncio.Event()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"retry: 2000\n\n") + chunk(CHANGED))
        await told.wait()
        writer.write(chunk(b":\n\n") + chunk(CHANGED[:20]))
        await writer.drain()
        writer.write(chunk(CHANGED[20:]))
        await reader.read()

    place = home / "run" / "test.sock" if kind == "socket" else None
    async with serving(place, visit) as endpoint, following(endpoint) as heard:
        await heard.until(lambda: heard.hints == 1)
        assert heard.stands == [True]
        told.set()
        await heard.until(lambda: heard.hints == 2)
        assert heard.pauses == []


async def test_other_requests_go_on_beside_it(home: Path) -> None:
    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count.append(1)
        if len(count) == 1:
            writer.write(HEAD + chunk(CHANGED))
            await reader.read()
        else:
            body = json.dumps(answers.ME).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()

    count: list[int] = []
    async with serving(home / "run" / "test.sock", visit) as endpoint, following(endpoint) as heard:
        await heard.until(lambda: heard.hints == 1)
        async with Client(endpoint) as client:
            await client.me()


BAD = {
    "refused": b"HTTP/1.1 403 X\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%s"
    % (len(REFUSAL), REFUSAL),
    "missing": b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<html",
    "cut at once": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "cut in the middle": HEAD + b"ffff\r\nevent: cha",
    "ended": HEAD + b"0\r\n\r\n",
    "no chunks": HEAD + b"garbage\r\n",
    "a line without end": HEAD + chunk(b"x" * 70_000),
    "bytes": HEAD + chunk(bytes(range(256)) * 9 + b"\n\n") + b"0\r\n\r\n",
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\nxx",
}


@pytest.mark.parametrize("what", BAD)
async def test_what_is_no_stream_is_tried_again_later_and_later(home: Path, what: str) -> None:
    async def visit(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(BAD[what])
        await writer.drain()

    async with serving(home / "run" / "test.sock", visit) as endpoint, following(endpoint) as heard:
        for count in range(1, 9):
            await heard.until(lambda count=count: len(heard.pauses) == count)  # type: ignore[misc]
            heard.go()
        assert heard.hints == 0
        assert True not in heard.stands
        if what == "refused":
            assert heard.pauses == [300.0] * 8
        else:
            assert heard.pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


async def test_a_server_that_hints_and_ends_again_and_again_is_asked_ever_less(home: Path) -> None:
    async def visit(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(CHANGED) + b"0\r\n\r\n")
        await writer.drain()

    async with serving(home / "run" / "test.sock", visit) as endpoint, following(endpoint) as heard:
        for count in range(1, 5):
            await heard.until(lambda count=count: len(heard.pauses) == count)  # type: ignore[misc]
            heard.go()
        assert heard.pauses == [1.0, 2.0, 4.0, 8.0]
        assert heard.stands == [True, False] * 4


async def test_a_stream_that_lived_for_a_while_is_soon_sought_again(home: Path) -> None:
    end = asyncio.Event()

    async def visit(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(CHANGED))
        await end.wait()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async with serving(home / "run" / "test.sock", visit) as endpoint, following(endpoint) as heard:
        for count in range(1, 4):
            await heard.until(lambda count=count: heard.hints == count)  # type: ignore[misc]
            heard.clock.advance(events.LIVED)
            end.set()
            await heard.until(lambda count=count: len(heard.pauses) == count)  # type: ignore[misc]
            heard.go()
        assert heard.pauses == [1.0, 1.0, 1.0]


async def test_a_silent_stream_is_given_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SILENCE", 0.05)

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(CHANGED))
        await reader.read()

    async with serving(home / "run" / "test.sock", visit) as endpoint, following(endpoint) as heard:
        await heard.until(lambda: len(heard.pauses) == 1)
        assert heard.stands == [True, False]


async def test_a_flood_of_hints_is_few(home: Path) -> None:
    async def visit(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for _ in range(1_000):
            writer.write(chunk(CHANGED))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async with serving(home / "run" / "test.sock", visit) as endpoint, following(endpoint) as heard:
        await heard.until(lambda: bool(heard.pauses))
        assert heard.hints >= 1


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([CHANGED], [{b"changed"}]),
        ([CHANGED.replace(b"\n", b"\r\n")], [{b"changed"}]),
        ([CHANGED[:9], CHANGED[9:]], [set(), {b"changed"}]),
        ([b"event: changed\n\n"], [set()]),  # without data it is no event
        ([b"event: other\ndata: {}\n\n" + CHANGED], [{b"other", b"changed"}]),
        ([b": changed\n\n", b"data: changed\n\n"], [set(), {b""}]),
    ],
)
def test_frames(parts: list[bytes], found: list[set[bytes]]) -> None:
    frames = Frames()
    assert [frames.feed(part) for part in parts] == found
