"""HTTP/1.1 over asyncio's own streams: what carries the requests of ``wire``. Importing this costs httpx and h11.

h11 knows the protocol; here are the connections. httpx has a transport of its own that does the same for more kinds
of event loops and proxies, and loads five dozen modules for that between the first paint and the first rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import h11
import httpx

MOST: Final = 8
"""Requests that are under way at a time; others wait."""

KEPT: Final = 4
"""Idle connections that are kept."""

KEPT_FOR: Final = 60.0
"""Seconds for which an idle connection is kept."""

_HEAD_CAP: Final = 100 * 1024
_READ: Final = 1 << 16
_SECOND_ADDRESS: Final = 0.25
"""Seconds until a machine's next address is tried beside the first one."""


class _Connection:
    """One connection to the server, for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_CAP)
        self.idle_since = 0.0

    @property
    def lives(self) -> bool:
        """Whether the server has not closed it, as far as is known here."""
        return not self._reader.at_eof() and not self._writer.is_closing()

    async def ask(self, request: httpx.Request) -> h11.Response:
        """Send a request and read the head of its answer."""
        wait = request.extensions.get("timeout", {})
        asked = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        body = await request.aread()
        parts = [asked, *([h11.Data(body)] if body else []), h11.EndOfMessage()]
        try:
            self._writer.write(b"".join(self._http.send(part) or b"" for part in parts))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from None
        try:
            async with asyncio.timeout(wait.get("write")):
                # Who refuses a body may close before it has all come; what was answered can still be read.
                with contextlib.suppress(ConnectionError):
                    await self._writer.drain()
        except TimeoutError:
            raise httpx.WriteTimeout("the request could not be sent") from None
        while True:
            event = await self.event(wait.get("read"))
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError("no answer begins like this")

    async def event(self, wait: float | None) -> h11.Event:
        """The next part of an answer; no two bytes of it are further apart than ``wait`` seconds."""
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(wait):
                    self._http.receive_data(await self._reader.read(_READ))
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from None
        except TimeoutError:
            raise httpx.ReadTimeout("silence") from None
        except OSError as error:
            raise httpx.ReadError(str(error)) from error
        if isinstance(event, h11.Event):
            return event
        raise httpx.RemoteProtocolError("another protocol was begun")  # h11.PAUSED

    def rest(self, now: float) -> bool:
        """Be ready for the next request; whether that can be: the answer was read whole, and both sides agree."""
        try:
            self._http.start_next_cycle()
        except h11.LocalProtocolError:
            return False
        self.idle_since = now
        return self.lives

    def drop(self) -> None:
        """End it. Nothing is left to be said on it, so no farewell is waited for."""
        self._writer.transport.abort()


class _Body(httpx.AsyncByteStream):
    """The body of an answer. Closing it gives the connection back."""

    def __init__(self, streams: Streams, connection: _Connection, wait: float | None) -> None:
        self._streams = streams
        self._connection = connection
        self._wait = wait
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._connection.event(self._wait), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        """Give the connection back; it is used again when the body was read to its end."""
        if not self._closed:
            self._closed = True
            self._streams.take_back(self._connection)


class Streams(httpx.AsyncBaseTransport):
    """Connections to one server.

    Args:
        context: whom to trust; with one TLS is spoken, whatever the URL says, and without one it is not.
        uds: the socket to go through instead of the network.
    """

    def __init__(self, context: ssl.SSLContext | None = None, uds: Path | None = None) -> None:
        if context is not None:
            context.set_alpn_protocols(["http/1.1"])
        self._context = context
        self._uds = uds
        self._idle: list[_Connection] = []
        self._turn = asyncio.Semaphore(MOST)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a kept connection or a new one, and read the head of its answer.

        Raises:
            httpx.TransportError: as httpx's own transport does.
        """
        await self._turn.acquire()
        connection: _Connection | None = None
        try:
            connection = self._kept() or await self._connect(request)
            head = await connection.ask(request)
        except BaseException:  # also a request that was given up
            self._turn.release()
            if connection is not None:
                connection.drop()
            raise
        body = _Body(self, connection, request.extensions.get("timeout", {}).get("read"))
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=body)

    def take_back(self, connection: _Connection) -> None:
        """A request is over: keep its connection for the next one, or end it."""
        self._turn.release()
        if len(self._idle) < KEPT and connection.rest(asyncio.get_running_loop().time()):
            self._idle.append(connection)
        else:
            connection.drop()

    async def aclose(self) -> None:
        """End all idle connections."""
        while self._idle:
            self._idle.pop().drop()

    def _kept(self) -> _Connection | None:
        oldest = asyncio.get_running_loop().time() - KEPT_FOR
        while self._idle:
            connection = self._idle.pop()
            if connection.lives and connection.idle_since >= oldest:
                return connection
            connection.drop()
        return None

    async def _connect(self, request: httpx.Request) -> _Connection:
        wait = request.extensions.get("timeout", {}).get("connect")
        try:
            async with asyncio.timeout(wait):
                return _Connection(*await self._open(request.url))
        except TimeoutError:
            raise httpx.ConnectTimeout("nobody answered") from None
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    async def _open(self, url: httpx.URL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._uds is not None:
            return await asyncio.open_unix_connection(self._uds)
        return await asyncio.open_connection(
            url.raw_host.decode("ascii"),
            url.port or (80 if self._context is None else 443),
            ssl=self._context,
            happy_eyeballs_delay=_SECOND_ADDRESS,
        )
