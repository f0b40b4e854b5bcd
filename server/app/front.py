"""What stands before every route: which hosts and sites may ask, how large and how slow a body may be."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

from server.accounts.service import has_owner
from server.app.errors import as_problem, log_error, refusal, refused
from server.app.hosts import Hosts
from server.app.rereads import Rereads
from server.app.services import LOCAL, AppServices
from server.kit.pages import MAX_FORM, is_page
from server.kit.problems import ProblemError
from server.settings.face import face

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

MAX_BODY: Final = 256 * 1024
BODY_SECONDS: Final = 10.0
MAX_UNFINISHED: Final = 64
_DIGITS = re.compile(rb"[0-9]{1,15}", re.ASCII)
_OPEN_BEFORE_SETUP: Final = ("/healthz", "/v1/setup")
_SAME_SITE: Final = (b"same-origin", b"none")
_HEADERS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_DEFAULTS: Final[dict[bytes, bytes]] = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}


class Front:
    """The ASGI application around the routes.

    Args:
        routes: the routes.
        services: the application's services.
        hosts: the names that this server answers to.
        body_seconds: how long a body may take to arrive in all.
    """

    def __init__(
        self,
        routes: Asgi,
        services: AppServices,
        hosts: Hosts,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._routes = routes
        self._store = services.store
        self._rereads = Rereads(services)
        self._hosts = hosts
        self._body_seconds = body_seconds
        self._unfinished: Counter[str] = Counter()
        self._set_up = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answering = _Answering(send)
        try:
            await self._guarded(scope, receive, answering)
        except _GoneError:
            return
        except Exception as error:
            known = refused(error)
            if known is None:
                if answering.finished:  # the routes answered and logged it, and let it go on up
                    return
                log_error(error, scope["method"], scope["path"])
                if answering.started:
                    raise  # half an answer went out: the protocol closes the connection
            problem, headers = known or (as_problem(error), {})
            if problem.status in (408, 413):
                headers["Connection"] = "close"
            await refusal(scope["path"], problem, headers)(scope, receive, answering)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _Headers(scope["headers"])
        await self._check_address(scope, headers)
        if scope["path"].startswith("/v1/"):
            _check_site(headers)
        most = MAX_FORM if is_page(scope["path"]) else MAX_BODY
        length = _body_length(headers, most)
        if length:
            if scope["path"].startswith("/v1/"):
                _check_type(headers)
            receive = _replayed(await self._body(scope, receive, most), receive)
        if not self._set_up and scope["path"] not in _OPEN_BEFORE_SETUP:
            await self._check_set_up()
        if self._rereads.serves(scope):
            authorization = headers.single(b"authorization")
            again = self._rereads.find(scope, authorization)
            if again is not None:
                await send(again[0])
                await send(again[1])
                return
            send = self._rereads.keeping(scope, authorization, send)
        await self._routes(scope, receive, send)

    async def _check_address(self, scope: Scope, headers: _Headers) -> None:
        host = headers.single(b"host")
        if host is None or not (self._hosts.allows(host) or await self._is_public(scope["path"], host)):
            raise ProblemError(421, "misdirected_request", "This server does not answer to that host name.")
        if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
            raise ProblemError(400, "invalid_request", "The address holds a NUL.")

    async def _is_public(self, path: str, host: bytes) -> bool:
        """Whether this is the name by which customers and providers reach what is meant for them, and nothing else."""
        if not (is_page(path) or path.startswith("/webhooks/")):
            return False
        base = (await self._store.read_async(face)).base
        return base is not None and urlsplit(base).netloc.lower().encode() == host.lower()

    async def _check_set_up(self) -> None:
        """Until an Owner exists there is nobody to decide who may come in, so nobody does."""
        self._set_up = await self._store.read_async(has_owner)
        if not self._set_up:
            raise ProblemError(
                503,
                "unavailable",
                "This shop has no Owner yet. Make one with the setup code that the server wrote on its console.",
                reason="no_owner",
                retry_after=60,
            )

    async def _body(self, scope: Scope, receive: Receive, most: int) -> bytes:
        """The whole body, before any route begins.

        Raises:
            ProblemError: 413, 408, or 429 for a peer with too many bodies under way.
        """
        client = scope.get("client")
        peer = client[0] if client else LOCAL
        if self._unfinished[peer] >= MAX_UNFINISHED:
            raise ProblemError(
                429, "rate_limited", "Too many requests of this address are under way.", retry_after=1
            )
        self._unfinished[peer] += 1
        try:
            async with asyncio.timeout(self._body_seconds):
                return await _read(receive, most)
        except TimeoutError:
            raise ProblemError(408, "too_slow", "The body came too slowly.") from None
        finally:
            self._unfinished[peer] -= 1
            if not self._unfinished[peer]:
                del self._unfinished[peer]


class _GoneError(Exception):
    """The client left before its body was whole."""


class _Headers:
    """A request's headers, by name."""

    def __init__(self, headers: list[Header]) -> None:
        self._all: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            self._all.setdefault(name.lower(), []).append(value)

    def single(self, name: bytes) -> bytes | None:
        """The value of a header that came exactly once."""
        found = self._all.get(name, [])
        return found[0] if len(found) == 1 else None

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header."""
        return self._all.get(name, [])


class _Answering:
    """``send`` with the security headers of every answer, knowing whether an answer began."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.finished = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            headers += _HEADERS
            headers += [item for item in _DEFAULTS.items() if item[0] not in present]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.finished = True
        await self._send(message)


def _check_site(headers: _Headers) -> None:
    """Refuse what a page of another site made a browser send."""
    host = headers.single(b"host") or b""
    foreign = [site for site in headers.all(b"sec-fetch-site") if site.lower() not in _SAME_SITE]
    ours = (b"http://" + host.lower(), b"https://" + host.lower())
    foreign += [origin for origin in headers.all(b"origin") if origin.lower() not in ours]
    if foreign:
        raise ProblemError(
            403, "forbidden", "Pages of other sites may not ask this server.", reason="foreign_site"
        )


def _body_length(headers: _Headers, most: int) -> int | None:
    """How long the body says it is; -1 when it does not say; 0 or None for no body.

    Raises:
        ProblemError: 400 for a length that is no number; 413 for one that is too large.
    """
    if headers.all(b"transfer-encoding"):
        return -1
    lengths = set(headers.all(b"content-length"))
    if not lengths:
        return None
    text = lengths.pop()
    if lengths or not _DIGITS.fullmatch(text):
        raise ProblemError(400, "invalid_request", "Content-Length is not a number.")
    length = int(text)
    if length > most:
        raise _too_large(most)
    return length


def _too_large(most: int) -> ProblemError:
    return ProblemError(413, "payload_too_large", f"A body may have at most {most // 1024} KiB.")


def _check_type(headers: _Headers) -> None:
    kind = (headers.single(b"content-type") or b"").split(b";")[0].strip().lower()
    if kind != b"application/json":
        raise ProblemError(415, "unsupported_media_type", "Send the body as application/json.")


async def _read(receive: Receive, most: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body once more, then what really comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
