"""A shopbell server's answers as calls: typed, cleaned, and with every failure as a sentence.

The module itself imports next to nothing, because it is read before the first paint; httpx and the contract's
models come with ``prepare()`` or with the first call.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from tui.api.endpoint import Endpoint
from tui.api.errors import ApiError, BadAnswer, Refused, ServerTrouble, Unauthenticated
from tui.api.feed_query import FeedQuery
from tui.api.secret import Secret

if TYPE_CHECKING:
    import httpx

    from server.contract.access import Me
    from server.contract.activity import Entry, Reopen, Resolve, Resolved
    from server.contract.base import Page
    from server.contract.orders import FulfilmentStep, Order, OrderCounts, OrderRow, OrderSort, OrderTab
    from server.contract.pulse import Pulse
    from tui.api.answers import Readers
    from tui.api.wire import Patience, Reply, Wire

__all__ = ["Client", "Edge", "Endpoint", "FeedQuery", "Secret"]

T = TypeVar("T")
Edge = Literal["newest", "oldest"]

PAGE: Final = 50
"""Rows of a page unless said otherwise; the server gives at most 200."""

_PAGES_OF_TIMELINE: Final = 50
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ETAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"', re.ASCII)
_TOKEN_ID: Final = re.compile(r"sbl_pat_([0-9A-Za-z]{8})_", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,5}", re.ASCII)

_WHO: Final = {
    "missing": "The server wants to know who you are.",
    "wrong": "The server does not know this token.",
    "expired": "Your token has expired.",
    "revoked": "Your token was revoked.",
}


class Client:
    """Calls to one server. Use it in one event loop, and close it.

    Every call raises an `ApiError` when it brings no usable answer: ``Unreachable``, ``Unauthenticated``,
    ``Refused``, ``ServerTrouble`` or ``BadAnswer``.

    Args:
        endpoint: the server.
        transport: what carries requests instead of the network.
        patience: how long to wait for an answer.
        new_key: makes the ``Idempotency-Key`` of a change.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        patience: Patience | None = None,
        new_key: Callable[[], str] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._transport = transport
        self._patience = patience
        self.new_key = new_key or _random_key
        self._open: Wire | None = None
        self._etag: str | None = None
        self.shop_now: datetime | None = None
        """The server's time as the last pulse told it, changed or not."""

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; a later call would open them anew."""
        wire, self._open = self._open, None
        if wire is not None:
            await wire.close()

    def prepare(self) -> None:
        """Import and build what the first call needs (about 0.1 s). May run in a thread before the first call.

        Raises:
            StartError: the endpoint's certificates cannot be read.
        """
        from tui.api import answers  # noqa: PLC0415 - after the first paint

        self._wire()
        answers.build()

    # What the frame asks

    async def pulse(self, etag: str | None = None) -> Pulse | None:
        """The counts of the frame, or None when nothing changed since the last answer.

        The answer's ETag is kept inside. ``etag`` is sent in its place; an empty one asks for a full answer.
        """
        known = self._etag if etag is None else etag
        reply = await self._send("GET", "/v1/pulse", headers={"If-None-Match": known} if known else {})
        if reply.status == 304 and known:
            self.shop_now = _moment(reply.headers.get("shopbell-now", ""))
            return None
        pulse = self._read(reply, _readers().pulse)
        self.shop_now = pulse.now
        tag = reply.headers.get("etag", "")
        self._etag = tag if _ETAG.fullmatch(tag) else None
        return pulse

    async def me(self) -> Me:
        """Who the token is."""
        return await self.ask("/v1/me", _readers().me)

    async def revoke_token(self) -> None:
        """Make the token that this client uses worthless, on the server and for good."""
        found = _TOKEN_ID.match(self.endpoint.token.reveal()) if self.endpoint.token else None
        name = found[1] if found else ""
        await self._change(f"/v1/tokens/{segment(name, 'token')}", None, "DELETE")

    # Orders

    async def orders(
        self,
        tab: OrderTab = "all",
        q: str = "",
        cursor: str | None = None,
        limit: int = PAGE,
        edge: Edge = "newest",
        sort: OrderSort = "newest",
    ) -> Page[OrderRow]:
        """A page of orders in the order ``sort``; ``edge="oldest"`` begins at the far end, whatever the order."""
        query = {"status": tab} | ({"q": q.strip()} if q.strip() else {})
        query |= ({"sort": sort} if sort != "newest" else {}) | page_query(cursor, limit, edge)
        return await self.ask("/v1/orders", _readers().orders, params=query)

    async def order_counts(self) -> OrderCounts:
        """How many orders stand under each tab."""
        return await self.ask("/v1/orders/counts", _readers().counts)

    async def order(self, id_or_number: str) -> Order:
        """An order whole. Raises `Refused` ``not_found`` for an unknown one."""
        return await self.ask(f"/v1/orders/{segment(id_or_number, 'order')}", _readers().order)

    async def timeline(self, order_id: str) -> list[Entry]:
        """All entries of an order, oldest first."""
        path = f"/v1/orders/{segment(order_id, 'order')}/timeline"
        entries: list[Entry] = []
        params: dict[str, str] = {}
        for _ in range(_PAGES_OF_TIMELINE):
            page = self._read(await self._send("GET", path, params=params), _readers().entries)
            entries += page.items
            if page.next is None:
                break
            params = {"cursor": page.next}
        return entries

    async def ship(self, order_id: str, step: FulfilmentStep) -> Order:
        """Tell a step that the order took. Raises `Refused` ``invalid_transition`` when it cannot take it."""
        body = step.model_dump_json(exclude_none=True).encode()
        path = f"/v1/orders/{segment(order_id, 'order')}/fulfilment"
        return await self.change(path, _readers().order, body)

    # Activity

    async def feed(
        self, query: FeedQuery, cursor: str | None = None, limit: int = PAGE, edge: Edge = "newest"
    ) -> Page[Entry]:
        """A page of activity, newest first; ``edge="oldest"`` begins at the far end."""
        params = query.parameters() | page_query(cursor, limit, edge)
        return await self.ask("/v1/activity", _readers().entries, params=params)

    async def resolve(
        self,
        entry_id: str,
        *,
        group: bool = False,
        seen: str | None = None,
        ids: Sequence[str] | None = None,
    ) -> Resolved:
        """Resolve an entry; with ``group`` all open entries like it, up to the newest one ``seen``.

        What to send as ``seen`` is in the entry's ``group.seen``. With ``ids`` (at most 500) exactly those; with
        ``group`` too, only those of them that are of the group and were seen.
        """
        from server.contract.activity import Resolve  # noqa: PLC0415 - after the first paint

        asked = Resolve(group=group, seen=seen, ids=None if ids is None else list(ids))
        return await self._mark(f"{segment(entry_id, 'entry')}/resolve", asked)

    async def reopen(
        self,
        entry_id: str,
        *,
        group: bool = False,
        seen: str | None = None,
        ids: Sequence[str] | None = None,
    ) -> Resolved:
        """Open a resolved entry again.

        With ``group`` all that was resolved together with it, up to the newest one ``seen``; with ``ids`` exactly
        those, as a `Resolved` listed them.
        """
        from server.contract.activity import Reopen  # noqa: PLC0415 - after the first paint

        asked = Reopen(group=group, seen=seen, ids=None if ids is None else list(ids))
        return await self._mark(f"{segment(entry_id, 'entry')}/reopen", asked)

    async def resolve_order(self, order_id: str) -> Resolved:
        """Resolve all that is open on an order."""
        path = f"/v1/orders/{segment(order_id, 'order')}/activity/resolve"
        return await self.change(path, _readers().resolved)

    async def _mark(self, path: str, asked: Resolve | Reopen) -> Resolved:
        body = asked.model_dump_json(exclude_none=True).encode()
        return await self.change(f"/v1/activity/{path}", _readers().resolved, body)

    # How

    async def ask(self, path: str, read: Callable[[Any], T], *, params: Mapping[str, str] | None = None) -> T:
        """What ``read`` makes of the answer to a question: the rooms' own calls stand on this."""
        return self._read(await self._send("GET", path, params=params), read)

    async def change(
        self,
        path: str,
        read: Callable[[Any], T],
        body: bytes | None = b"{}",
        method: str = "POST",
        *,
        key: str | None = None,
    ) -> T:
        """The same for what changes something.

        The same ``key`` for the same body lets it happen once, however often it is sent; without one, each call
        has its own (:attr:`new_key` makes them).
        """
        return self._read(await self._change(path, body, method, key), read)

    async def stream(
        self, path: str, kind: str | None, silence: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of an answer of this media type (None: any) as they come, and whole unless this raises.

        It is given up after so many seconds without one; None: as for any answer.
        """
        async with contextlib.aclosing(self._wire().stream(path, kind, silence)) as parts:
            async for part in parts:
                if not isinstance(part, bytes):
                    raise self._failure(part) if part.status >= 400 else self._stranger()
                yield part

    def _wire(self) -> Wire:
        if self._open is None:
            _import_httpx()
            from tui.api.wire import Wire  # noqa: PLC0415 - after the first paint

            self._open = Wire(self.endpoint, self._transport, self._patience)
        return self._open

    async def _change(
        self, path: str, body: bytes | None, method: str = "POST", key: str | None = None
    ) -> Reply:
        return await self._send(method, path, body=body, headers={"Idempotency-Key": key or self.new_key()})

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        reply = await self._wire().send(method, path, params=params, body=body, headers=headers)
        if reply.status >= 400:
            raise self._failure(reply)
        return reply

    def _read(self, reply: Reply, read: Callable[[Any], T]) -> T:
        """The model of an answer. Raises BadAnswer for anything else; what was wrong in it is not repeated."""
        if not 200 <= reply.status < 300 or not _is_json(reply):
            raise self._stranger()
        try:
            return read(_readers().decode(reply.body))
        except ValueError:  # pydantic's ValidationError is one
            raise BadAnswer(
                f"{self.endpoint.label} answers what this client does not understand. Are both of one version?"
            ) from None

    def _failure(self, reply: Reply) -> ApiError:
        problem = None
        if _is_json(reply):
            with contextlib.suppress(ValueError):
                problem = _readers().problem(_readers().decode(reply.body))
        wait = _retry_after(reply)
        if reply.status == 401:
            reason = problem.reason if problem else None
            code = reason if reason in _WHO else "wrong"
            return Unauthenticated(
                f"{_WHO[code]} Ask the shop's Owner for one, then run `shopbell login`.", code
            )
        if reply.status >= 500:
            said = problem.detail if problem else None
            sentence = said or f"{self.endpoint.label} has trouble of its own and cannot answer now."
            return ServerTrouble(sentence, reply.status, problem.code if problem else None, wait)
        if problem is None:
            return self._stranger()
        sentence = problem.detail or f"The server refused this: {problem.code.replace('_', ' ')}."
        if wait is not None:
            sentence += f" Try again in {wait:.0f} s."
        return Refused(sentence, problem, wait)

    def _stranger(self) -> BadAnswer:
        return BadAnswer(f"What answers at {self.endpoint.label} is not a shopbell server. Is the URL right?")


def _import_httpx() -> None:
    """Import httpx without the command line that it brings along: that one costs as much as all the rest.

    A module that is None in ``sys.modules`` cannot be imported, and httpx does without this one.
    """
    if "httpx" not in sys.modules:
        sys.modules["httpx._main"] = None  # type: ignore[assignment]
        try:
            import httpx  # noqa: F401, PLC0415
        finally:
            del sys.modules["httpx._main"]


def _readers() -> type[Readers]:
    from tui.api.answers import Readers  # noqa: PLC0415 - after the first paint

    return Readers


def _random_key() -> str:
    from uuid import uuid4  # noqa: PLC0415 - only for changes

    return str(uuid4())


def segment(name: str, what: str) -> str:
    """A path segment from an id or a number. Raises Refused ``not_found`` for what cannot be one."""
    if _NAME.fullmatch(name):
        return name
    from server.contract.base import Problem  # noqa: PLC0415 - after the first paint

    detail = f"There is no such {what}."
    raise Refused(detail, Problem(title="Not found", status=404, code="not_found", detail=detail))


def page_query(cursor: str | None, limit: int, edge: Edge) -> dict[str, str]:
    """The parameters that ask for a page."""
    return {"limit": str(limit)} | ({"edge": edge} if cursor is None else {"cursor": cursor})


def _is_json(reply: Reply) -> bool:
    from tui.api.wire import media_type  # noqa: PLC0415 - after the first paint

    return media_type(reply.headers) in {"application/json", "application/problem+json"}


def _moment(text: str) -> datetime | None:
    """An RFC 3339 moment; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment


def _retry_after(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "")
    return float(text) if _SECONDS.fullmatch(text) else None
