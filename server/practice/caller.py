"""Asking the server from inside its own process: the same routes and the same front as over a socket."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

_Message = MutableMapping[str, Any]
Asgi = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]


class Caller(Protocol):
    """Sends one request and gives the status and the body of the answer."""

    async def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", query: str = ""
    ) -> tuple[int, bytes]:
        """Ask. ``query`` is quoted already."""
        ...


def in_process(app: Asgi) -> Caller:
    """A caller of an ASGI application. The request runs in the caller's task and sees its context."""

    async def call(
        method: str, path: str, headers: Mapping[str, str], body: bytes = b"", query: str = ""
    ) -> tuple[int, bytes]:
        given = {"host": "localhost", "content-length": str(len(body)), **headers}
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
            "client": None,
            "server": None,
        }
        status = 0
        answer = bytearray()

        async def receive() -> _Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: _Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                answer.extend(message.get("body", b""))

        await app(scope, receive, send)
        return status, bytes(answer)

    return call


class NotTakenError(Exception):
    """The server answered something else than it should have."""

    def __init__(self, status: int, answer: bytes) -> None:
        super().__init__(str(status))
        self.status = status
        self.answer = answer


async def ask(
    call: Caller,
    token: str,
    method: str,
    path: str,
    told: dict[str, Any] | None = None,
    key: str | None = None,
    *,
    query: str = "",
) -> dict[str, Any]:
    """Ask for something with a token, and give what was answered.

    Args:
        call: reaches the server.
        token: of who asks.
        method: of HTTP.
        path: of the route.
        told: the body.
        key: the ``Idempotency-Key``.
        query: quoted already.

    Raises:
        NotTakenError: the answer was neither 200 nor 201.
    """
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    if key is not None:
        headers["idempotency-key"] = key
    status, answer = await call(
        method, path, headers, b"" if told is None else json.dumps(told).encode(), query
    )
    if status not in (200, 201):
        raise NotTakenError(status, answer)
    found: dict[str, Any] = json.loads(answer)
    return found
