"""The real application for tests: without a network, or served by uvicorn from a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from server.app.assembly import App
from server.app.serve import listen, make_server
from server.kit.config import ServerConfig
from tests.support.waiting import until


class InLoop(httpx.BaseTransport):
    """Runs an ASGI application on an event loop of its own, for a plain synchronous client."""

    def __init__(self, app: App) -> None:
        self._loop = asyncio.new_event_loop()
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=True, client=("127.0.0.1", 50_000))
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-app", daemon=True)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request through the application."""

        async def answer() -> httpx.Response:
            passed = httpx.Request(
                request.method, request.url, headers=request.headers, content=request.read()
            )
            response = await self._inner.handle_async_request(passed)
            return httpx.Response(
                response.status_code, headers=response.headers, content=await response.aread()
            )

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(30)

    def close(self) -> None:
        """Stop the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def in_process(app: App) -> httpx.Client:
    """A client of the application without a network between."""
    return httpx.Client(transport=InLoop(app), base_url="http://localhost")


@dataclass(frozen=True)
class Served:
    """A running server: its address, or its Unix socket."""

    url: str
    port: int | None = None
    uds: Path | None = None

    def client(self) -> httpx.Client:
        """A client of this server."""
        transport = httpx.HTTPTransport(uds=str(self.uds)) if self.uds else None
        return httpx.Client(base_url=self.url, transport=transport, trust_env=False, timeout=30)


@contextlib.contextmanager
def serving(app: App, config: ServerConfig, uds: Path | None = None) -> Iterator[Served]:
    """Serve an application from a thread, on a free loopback port or on a Unix socket."""
    with listen(config, port=0, uds=uds) as (opened, where):
        server = make_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, name="test-server")
        thread.start()
        try:
            until(lambda: server.started, "the server to start")
            yield Served("http://localhost" if uds else str(where), where.port, where.uds)
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the server did not stop"
