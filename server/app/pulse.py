"""The poll: ``GET /v1/pulse``.

As long as nobody committed anything, the same token with the same ETag gets 304 out of two caches, without the
database, a thread or the framework.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from server.activity import service as activity
from server.app.services import AppServices
from server.contract.pulse import Pulse
from server.kit import topics
from server.kit.clock import instant, rfc3339
from server.kit.tx import Tx
from server.kit.web import JSON_TYPE, permit, router
from server.settings import service as settings
from server.tickets import listing as tickets

Message = dict[str, Any]
_MOST_ADMITTED: Final = 4_096
_CACHE: Final = (b"cache-control", b"private, no-cache")
_NOTHING: Final[Message] = {"type": "http.response.body", "body": b""}
NOW: Final = b"shopbell-now"
"""The header that tells this server's time, also where nothing else changed."""


class PulseCache:
    """The answer to the poll, good as long as the store stands at the version it was read at."""

    def __init__(self, services: AppServices, allows_host: Callable[[bytes], bool]) -> None:
        self._services = services
        self._allows_host = allows_host
        self._admitted: dict[tuple[bytes, bytes], int] = {}
        self._store = services.store
        self._lock = asyncio.Lock()
        self._version: object = None
        self._dropped = -1
        self._body = b""
        self._moment = -1
        self._now = b""
        self.etag = b""

    # -- the short-cut ----------------------------------------------------------------------------------

    def at_hand(self, scope: MutableMapping[str, Any]) -> tuple[Message, Message] | None:
        """The answer, if all that it takes is known already; None sends the request the long way."""
        if scope["method"] != "GET" or scope["query_string"]:
            return None
        authorization, etag, host = _three(scope["headers"])
        if authorization is None or host is None:
            return None
        version = self._store.version_at_hand()
        if version is None or version != self._version or self._dropped != self._store.drops.total:
            return None
        until = self._admitted.get((authorization, host)) or self._admit(authorization, host, version)
        moment = self._store.clock.now()
        if until <= moment:
            return None
        if moment != self._moment:  # many polls come in one millisecond
            self._moment, self._now = moment, rfc3339(moment).encode()
        now = self._now
        if etag is not None and (etag == self.etag or self._is_current(etag)):
            unchanged = [(b"etag", self.etag), _CACHE, (NOW, now)]
            return {"type": "http.response.start", "status": 304, "headers": unchanged}, _NOTHING
        body = self._with(now)
        headers = [
            (b"content-type", JSON_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"etag", self.etag),
            _CACHE,
            (NOW, now),
        ]
        return (
            {"type": "http.response.start", "status": 200, "headers": headers},
            {"type": "http.response.body", "body": body},
        )

    def _admit(self, authorization: bytes, host: bytes, version: object) -> int:
        """Until when this pair may be answered at this version (milliseconds); 0 when the long way must decide."""
        known = self._services.known.find(authorization, version)
        if known is None or not known.principal.may("pulse.read") or not self._allows_host(host):
            return 0
        if len(self._admitted) < _MOST_ADMITTED:
            self._admitted[(authorization, host)] = known.good_until
        return known.good_until

    # -- the long way -----------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Read the counts again unless they are known."""
        async with self._lock:
            version = self._store.version_at_hand()
            if version is None:
                version = await asyncio.to_thread(self._store.version)
            dropped = self._store.drops.total
            if version == self._version and dropped == self._dropped:
                return
            body = await self._store.read_async(lambda tx: _without_now(tx, dropped))
            # the version was read before the counts: what is committed in between is asked for again
            self._version, self._dropped = version, dropped
            self._admitted = {}
            self._body = body
            self.etag = b'"' + hashlib.sha256(body).hexdigest()[:24].encode() + b'"'

    def response(self, if_none_match: str | None) -> Response:
        """The answer after ``refresh``."""
        now = rfc3339(self._store.clock.now())
        headers = {"ETag": self.etag.decode(), "Cache-Control": _CACHE[1].decode(), NOW.decode(): now}
        if if_none_match is not None and self._is_current(if_none_match.encode("latin-1")):
            return Response(None, 304, headers)
        return Response(self._with(now.encode()), 200, headers, JSON_TYPE)

    def _is_current(self, if_none_match: bytes) -> bool:
        """Whether the client has what we would send: one of several ETags, a weak one, or any at all."""
        given = [part.strip().removeprefix(b"W/") for part in if_none_match.split(b",")]
        return self.etag in given or b"*" in given

    def _with(self, now: bytes) -> bytes:
        return self._body + now + b'"}'


_NEEDS_CARE: Final = frozenset({b"origin", b"sec-fetch-site", b"content-length", b"transfer-encoding"})


def _three(
    headers: list[tuple[bytes, bytes]],
) -> tuple[bytes | None, bytes | None, bytes | None]:
    """What a plain poll brings: authorization, if-none-match, host; nothing for one that needs a closer look."""
    authorization = etag = host = None
    for name, value in headers:
        if name == b"authorization":
            authorization = value
        elif name == b"if-none-match":
            etag = value
        elif name == b"host":
            host = value if host is None else b""
        elif name in _NEEDS_CARE:
            return None, None, None
    return authorization, etag, host


def _without_now(tx: Tx, dropped: int) -> bytes:
    """The JSON of the pulse up to the time of the answer, which must not change the ETag."""
    pulse = Pulse(
        attention=activity.attention_count(tx),
        tickets=tickets.waiting(tx),
        topics=dict(sorted(topics.counters(tx).items())),
        shop=settings.shop(tx),
        activity_dropped=dropped,
        now=instant(tx.now),
    )
    return to_json(pulse.model_dump(mode="json", exclude={"now"}))[:-1] + b',"now":"'


def build(pulse: PulseCache) -> APIRouter:
    """The route."""
    routes = router("/v1", "pulse")

    @routes.get(
        "/pulse",
        response_model=Pulse,
        summary="Has anything changed?",
        dependencies=[permit("pulse.read")],
    )
    async def poll(request: Request) -> Response:
        """Counts for the frame and one counter per topic. Send the ETag back: 304 while all stands still.

        Every answer tells the server's time in the header ``Shopbell-Now`` (RFC 3339).
        """
        await pulse.refresh()
        return pulse.response(request.headers.get("if-none-match"))

    return routes
