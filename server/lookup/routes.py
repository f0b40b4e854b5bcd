"""The pages on which customers find their orders."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request, Response

from server.kit import pages
from server.kit.clock import SECOND
from server.kit.folding import fold_email
from server.kit.limits import RateLimit
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.kit.web import open_to_all, services
from server.lookup import reading
from server.lookup import service as lookup
from server.lookup.service import LinkRefusedError
from server.settings import service as settings
from server.settings.face import Face, face

COOKIE: Final = "shopbell_orders"
_PATH: Final = "/orders"
_WHO: Final = "customers; the session of a link from their own mailbox decides what they see"
_EMAIL: Final = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,190}")
_WRONG: Final = "This is no e-mail address. It has an @ in its middle, as in name@example.com."
_REFUSED: Final = {
    "expired": (
        410,
        "This link is too old",
        "A link is good for an hour. Ask for a new one; it comes at once.",
    ),
    "used": (
        410,
        "This link was used already",
        "A link works once. If it was not you who used it, somebody else reads your mail. Ask for a new one.",
    ),
    "unknown": (
        404,
        "This link is not whole",
        "Part of it seems to be missing, or was changed. Copy all of it from the mail, or ask for a new one.",
    ),
}


class Limits:
    """How often somebody may try, in one process.

    Args:
        monotonic: the clock.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.by_peer = RateLimit(burst=5, seconds=12.0, monotonic=monotonic)
        self.by_address = RateLimit(burst=3, seconds=360.0, monotonic=monotonic)
        self.opening = RateLimit(burst=20, seconds=3.0, monotonic=monotonic)


routes: Final[APIRouter] = pages.page_router(_PATH)
_OPEN: Final = [open_to_all(_WHO)]


@routes.get("/orders/find", dependencies=_OPEN)
def find(request: Request) -> Response:
    """The field for the e-mail."""
    shown = _offered(request)
    return _off(shown) if shown.base is None else _find(shown)


@routes.post("/orders/find", dependencies=_OPEN)
async def ask(request: Request) -> Response:
    """Ask for the mail: the same answer and the same work whether the address is known or not."""
    email = (await pages.form(request)).get("email", "").strip()
    store = services(request).store
    shown = await store.read_async(_face_if_offered)
    if shown.base is None:
        return _off(shown)
    if not _EMAIL.fullmatch(email):
        return _find(shown, email[:254], _WRONG)
    limits = _limits(request)
    _limit(limits.by_peer, pages.peer(request))
    _limit(limits.by_address, hashlib.sha256(fold_email(email).encode()).hexdigest())
    await store.write_async(lambda tx: lookup.ask(tx, email))
    return pages.see("/orders/sent")


@routes.get("/orders/sent", dependencies=_OPEN)
def sent(request: Request) -> Response:
    """What to do next, for known and unknown addresses."""
    return pages.html("lookup/sent.html", _offered(request).shop, title="Look into your mailbox")


@routes.get("/orders/open/{token}", dependencies=_OPEN)
def look(request: Request, token: str) -> Response:
    """A button; the link stays good, for programs that look at mail open links too."""

    def unit(tx: Tx) -> Response:
        shown = face(tx)
        try:
            lookup.look(tx, token)
        except LinkRefusedError as refused:
            return _refused(tx, request, shown, refused)
        return pages.html("lookup/open.html", shown.shop, title="Open your orders", token=token)

    return services(request).store.read(unit)


@routes.post("/orders/open/{token}", dependencies=_OPEN)
async def use(request: Request, token: str) -> Response:
    """Use the link up, and remember the browser."""
    _limit(_limits(request).opening, pages.peer(request))

    def unit(tx: Tx) -> Response:
        shown = face(tx)
        try:
            session = lookup.open_link(tx, token)
        except LinkRefusedError as refused:
            return _refused(tx, request, shown, refused)
        seen = pages.see(_PATH)
        _remember(seen, session, shown)
        return seen

    return await services(request).store.write_async(unit)


@routes.post("/orders/leave", dependencies=_OPEN)
async def leave(request: Request) -> Response:
    """Forget the browser."""
    shown = await services(request).store.read_async(face)
    seen = pages.see("/orders/find")
    _remember(seen, None, shown)
    return seen


@routes.get("/orders", dependencies=_OPEN)
def listing(request: Request) -> Response:
    """The paid orders of the session's person."""

    def unit(tx: Tx) -> Response:
        person_id = lookup.whose(tx, request.cookies.get(COOKIE))
        if person_id is None:
            return pages.see("/orders/find")
        shown = face(tx)
        found = reading.orders_of(tx, person_id, shown)
        return pages.html("lookup/list.html", shown.shop, title="Your orders", orders=found)

    return services(request).store.read(unit)


@routes.get("/orders/{number}", dependencies=_OPEN)
def one(request: Request, number: str) -> Response:
    """One of them; somebody else's is not found."""

    def unit(tx: Tx) -> Response:
        person_id = lookup.whose(tx, request.cookies.get(COOKIE))
        if person_id is None:
            return pages.see("/orders/find")
        shown = face(tx)
        found = reading.order_of(tx, person_id, number, shown)
        if found is None:
            return pages.html("lookup/missing.html", shown.shop, status=404, title="No such order")
        return pages.html(
            "lookup/order.html",
            shown.shop,
            images=[line.image for line in found.lines if line.image],
            title=f"Order {found.card.number}",
            order=found,
        )

    return services(request).store.read(unit)


def _limits(request: Request) -> Limits:
    found: Limits = request.app.state.lookup_limits
    return found


def _offered(request: Request) -> Face:
    return services(request).store.read(_face_if_offered)


def _face_if_offered(tx: Tx) -> Face:
    """The shop's face; without an address of its pages where no link could be sent."""
    shown = face(tx)
    return shown if settings.get(tx, "lookup.enabled") else Face(shown.shop, None, shown.zone)


def _off(shown: Face) -> Response:
    return pages.html("lookup/off.html", shown.shop, status=404, title="Not offered here")


def _find(shown: Face, email: str = "", wrong: str | None = None) -> Response:
    return pages.html(
        "lookup/find.html",
        shown.shop,
        status=422 if wrong else 200,
        title="Find your orders",
        email=email,
        wrong=wrong,
    )


def _refused(tx: Tx, request: Request, shown: Face, refused: LinkRefusedError) -> Response:
    if refused.why == "used" and lookup.whose(tx, request.cookies.get(COOKIE)) is not None:
        return pages.see(_PATH)  # the button was pressed twice, or the page loaded again
    status, title, text = _REFUSED[refused.why]
    return pages.html("lookup/refused.html", shown.shop, status=status, title=title, text=text)


def _remember(response: Response, session: str | None, shown: Face) -> None:
    """Set the cookie of a session, or take it away."""
    response.set_cookie(
        COOKIE,
        session or "",
        max_age=lookup.SESSION // SECOND if session else 0,
        path=_PATH,
        secure=shown.secure,
        httponly=True,
        samesite="strict",
    )


def _limit(limit: RateLimit, key: str) -> None:
    wait = limit.take(key)
    if wait:
        raise ProblemError(429, "rate_limited", "Too many tries.", retry_after=wait)
