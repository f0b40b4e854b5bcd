"""Answers to lists and records, kept as long as nobody commits anything.

Clients that saw a counter move all ask for the same first pages; the first of them makes the answer, the others get
it again, without a thread, the database or the framework. An answer depends on nothing but the address, the
caller's role and the store, so it is kept by the first two and forgotten as soon as the third moves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from server.app.services import AppServices

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Key = tuple[str, bytes, bytes]

_KEPT_UNDER: Final = ("/v1/activity", "/v1/orders")
_MOST_BYTES: Final = 4 * 2**20
_MOST_EACH: Final = 2**18


class Rereads:
    """The answers given since the store last changed."""

    def __init__(self, services: AppServices) -> None:
        self._store = services.store
        self._known = services.known
        self._version: object = None
        self._bytes = 0
        self._answers: dict[Key, tuple[Message, Message]] = {}

    def serves(self, scope: Scope) -> bool:
        """Whether answers to this request are kept at all."""
        path: str = scope["path"]
        return scope["method"] == "GET" and path.startswith(_KEPT_UNDER)

    def find(self, scope: Scope, authorization: bytes | None) -> tuple[Message, Message] | None:
        """The answer to the same question of the same role, if the store still stands where it was given."""
        key = self._key(scope, authorization, self._store.version_at_hand())
        return None if key is None else self._answers.get(key)

    def keeping(self, scope: Scope, authorization: bytes | None, send: Send) -> Send:
        """A ``send`` that keeps what it sends, if it is a whole answer to a caller who is let in."""
        # read before the answer is made: what is committed meanwhile makes the kept answer too old, never too new
        version = self._store.version_at_hand()
        start: Message | None = None

        async def keep(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message if message["status"] == 200 else None
            elif start is not None and not message.get("more_body", False):
                self._keep(self._key(scope, authorization, version), start, message)
            await send(message)

        return keep

    def _key(self, scope: Scope, authorization: bytes | None, version: object) -> Key | None:
        if version is None or authorization is None:
            return None
        if version != self._version:
            self._version, self._bytes = version, 0
            self._answers = {}
        known = self._known.find(authorization, version)
        return (
            None
            if known is None
            else (
                known.principal.role,
                scope.get("raw_path") or scope["path"].encode(),
                scope["query_string"],
            )
        )

    def _keep(self, key: Key | None, start: Message, body: Message) -> None:
        size = len(body.get("body", b""))
        if key is None or key in self._answers or size > _MOST_EACH:
            return
        self._bytes += size
        while self._bytes > _MOST_BYTES:  # the oldest goes: what many ask for is soon here again
            _, gone = self._answers.pop(next(iter(self._answers)))
            self._bytes -= len(gone.get("body", b""))
        self._answers[key] = (start, body)
