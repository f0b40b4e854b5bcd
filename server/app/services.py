"""What the application gives every route: the store, the cursors, and whose request it is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from server.accounts import service as accounts
from server.kit.access import Principal
from server.kit.clock import HOUR
from server.kit.db import Store
from server.kit.failures import explain
from server.kit.limits import RateLimit
from server.kit.paging import Cursors
from server.kit.problems import ProblemError

_log = logging.getLogger("shopbell.access")
_BEARER: Final = "bearer "
_MOST_KNOWN: Final = 4_096
LOCAL: Final = "local socket"
"""What a peer on a Unix socket is called, which has no address."""


@dataclass(frozen=True, slots=True)
class Known:
    """A token that was good when the store stood at the version of the cache. ``good_until`` in milliseconds."""

    principal: Principal
    good_until: int


class KnownTokens:
    """Tokens looked up since anything about access last changed, so that an unchanged poll asks nothing.

    Whatever makes, changes or ends a user or a token moves the topic ``access``, in this process or another: then all
    are forgotten, and a token revoked is unknown at the very next request.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: object = None
        self._access: int | None = None
        self._known: dict[bytes, Known] = {}

    def find(self, authorization: bytes, version: object) -> Known | None:
        """Whose an ``Authorization`` value is, if that is known as the store stands at this version."""
        if version is None:
            return None
        if version != self._version or self._access is None:
            self._look(version)
        known = self._known.get(authorization)
        if known is None or known.good_until <= self._store.clock.now():
            return None
        return known

    def keep(self, authorization: bytes, principal: Principal, version: object) -> None:
        """Remember what was looked up after ``find`` was asked with ``version``."""
        if version is None or version != self._version or self._access is None:
            return  # somebody committed meanwhile: it may be about this token
        if len(self._known) >= _MOST_KNOWN:
            self._known = {}
        until = self._store.clock.now() + HOUR  # so that the hour of use is noted again in time
        if principal.expires_at is not None:
            until = min(until, principal.expires_at)
        self._known[authorization] = Known(principal, until)

    def _look(self, version: object) -> None:
        """Whether the change since the last look was about access."""
        access = self._store.counter_at_hand("access")
        if access is None or access != self._access:
            self._known = {}
        self._version, self._access = version, access


class AppServices:
    """The services of one application. Its coroutines belong to the application's event loop."""

    def __init__(
        self, store: Store, cursors: Cursors, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.store = store
        self.cursors = cursors
        self.known = KnownTokens(store)
        self.bad_tokens = RateLimit(burst=20, seconds=3.0, monotonic=monotonic)
        self._noted: dict[str, int] = {}
        self.noting: set[asyncio.Task[None]] = set()

    async def authenticate(self, request: Request) -> Principal:
        """Whose request it is.

        Raises:
            ProblemError: 401 ``unauthenticated``; 429 ``rate_limited`` instead of it for a peer that keeps
                bringing bad tokens. A good token is never refused because of a neighbour's bad ones.
        """
        header = request.headers.get("authorization")
        if header is None:
            raise accounts.unauthenticated("missing")
        raw = header.encode("latin-1")
        version = self.store.version_at_hand()
        known = self.known.find(raw, version)
        if known is not None:
            principal = known.principal
        else:
            try:
                principal = await self._look_up(header)
            except ProblemError as refused:
                raise self.counted(request, refused) from None
            self.known.keep(raw, principal, version)
        self._note_use(principal)
        return principal

    async def _look_up(self, header: str) -> Principal:
        if header[: len(_BEARER)].lower() != _BEARER:
            raise accounts.unauthenticated("missing")
        text = header[len(_BEARER) :].strip()
        if self.store.dialect == "sqlite":  # a keyed read of the file is quicker than a thread
            return self.store.read(lambda tx: accounts.authenticate(tx, text))
        return await self.store.read_async(lambda tx: accounts.authenticate(tx, text))

    def counted(self, request: Request, refused: ProblemError) -> ProblemError:
        """What is answered to who brought a bad token: that it is refused, or 429 when too many came from there."""
        if refused.reason != "wrong":  # an old token of ours, not a guess
            return refused
        peer = request.client.host if request.client else LOCAL
        wait = self.bad_tokens.take(peer)
        if not wait:
            return refused
        return ProblemError(
            429,
            "rate_limited",
            "Too many requests with a bad token came from this address.",
            retry_after=wait,
        )

    def _note_use(self, principal: Principal) -> None:
        """Keep, once an hour and beside the request, that the token was used."""
        hour = self.store.clock.now() // HOUR
        if self._noted.get(principal.token_id) == hour:
            return
        if len(self._noted) >= _MOST_KNOWN:
            self._noted.clear()
        self._noted[principal.token_id] = hour
        task = asyncio.ensure_future(self._write_use(principal.token_id))
        self.noting.add(task)
        task.add_done_callback(self.noting.discard)

    async def _write_use(self, token_id: str) -> None:
        try:
            await self.store.write_async(lambda tx: accounts.note_use(tx, token_id))
        except Exception as error:  # noqa: BLE001 - a full disk must not refuse who only wants to read
            failure = explain(error)
            _log.warning(
                "use of a token not noted",
                extra={
                    "fields": {
                        "token": token_id,
                        "because": failure.kind if failure else type(error).__name__,
                    }
                },
            )
