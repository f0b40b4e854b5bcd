"""The pages that a reminder leads to: no more of them, and what was left in the cart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row

from server.catalog.showing import Shown, shown
from server.kit import links, pages
from server.kit.clock import DAY, SECOND
from server.kit.links import LinkError
from server.kit.money import money_text
from server.kit.tx import Tx
from server.kit.web import open_to_all, services
from server.recovery import service as recovery
from server.recovery import suppression
from server.settings import service as settings
from server.settings.face import Face, face

COOKIE: Final = "shopbell_cart"
KEPT: Final = 7 * DAY
"""How long a browser remembers which cart it was, in milliseconds."""
_PATH: Final = "/cart"
_ANSWER: Final = "Answer the mail instead and ask for no more reminders."


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was left behind."""

    name: str
    quantity: int
    url: str | None
    image: str | None


@dataclass(frozen=True, slots=True)
class Left:
    """A cart as its page shows it."""

    lines: list[Line]
    amount: str
    recovered: bool


leaving: Final[APIRouter] = pages.page_router("/unsubscribe", any_site=True)
_LEAVING: Final = [open_to_all("the link of a mail; it can do one thing, to one address")]


@leaving.get("/unsubscribe/{token}", dependencies=_LEAVING)
def ask(request: Request, token: str) -> Response:
    """One button. Nothing changes by looking: programs that look at mail follow its links."""

    def unit(tx: Tx) -> Response:
        shop = face(tx)
        try:
            off = suppression.is_suppressed(tx, suppression.read(tx, token))
        except LinkError as error:
            return _no_such_link(shop, error)
        if off:
            return _off_the_list(shop)
        return pages.html("recovery/unsubscribe.html", shop.shop, title="No more reminders?", token=token)

    return services(request).store.read(unit)


@leaving.post("/unsubscribe/{token}", dependencies=_LEAVING)
async def leave(request: Request, token: str) -> Response:
    """No more reminders: the page's button, or a mail program's (RFC 8058). The token is all that counts."""

    def unit(tx: Tx) -> Response:
        shop = face(tx)
        try:
            email_hash = suppression.read(tx, token)
        except LinkError as error:
            return _no_such_link(shop, error)
        if suppression.suppress(tx, email_hash, "unsubscribed"):
            tx.touch("carts")
        return _off_the_list(shop)

    return await services(request).store.write_async(unit)


cart_pages: Final[APIRouter] = pages.page_router(_PATH)
_CART: Final = [
    open_to_all("the link of a mail, or the cookie it left: shows what was in one cart, and nobody's name")
]


@cart_pages.get("/cart", dependencies=_CART)
def again(request: Request) -> Response:
    """The cart that this browser opened within the last seven days."""
    return _cart(request, request.cookies.get(COOKIE, ""), remembered=True)


@cart_pages.get("/cart/{token}", dependencies=_CART)
def cart(request: Request, token: str) -> Response:
    """The cart of a reminder."""
    return _cart(request, token, remembered=False)


def _cart(request: Request, token: str, *, remembered: bool) -> Response:
    def unit(tx: Tx) -> Response:
        shop = face(tx)
        good_for = KEPT if remembered else settings.get(tx, "recovery.keep_days") * DAY
        try:
            row = recovery.find(tx, links.read(tx, "cart", token, good_for))
        except LinkError:
            row = None
        if row is None:
            return _gone(shop)
        left, images = _left(tx, row, shop)
        page = pages.html(
            "recovery/cart.html",
            shop.shop,
            images=images,
            title="What you left in your basket",
            cart=left,
        )
        if not remembered:
            page.set_cookie(
                COOKIE,
                links.sign(tx, "cart", row.id),
                max_age=KEPT // SECOND,
                path=_PATH,
                secure=shop.secure,
                httponly=True,
                samesite="strict",
            )
        return page

    return services(request).store.read(unit)


def _left(tx: Tx, row: Row[Any], shop: Face) -> tuple[Left, list[str]]:
    products = shown(tx, [item["product_id"] for item in row.items], shop.shop.url)
    lines = []
    for item in row.items:
        product = products.get(item["product_id"], Shown())
        lines.append(Line(item["name"], item["quantity"], product.url, product.image))
    left = Left(lines, money_text(row.amount, row.currency), row.recovered_at is not None)
    return left, [line.image for line in lines if line.image]


def _off_the_list(shop: Face) -> Response:
    return pages.html("recovery/unsubscribed.html", shop.shop, title="You are off the list")


def _no_such_link(shop: Face, error: LinkError) -> Response:
    if error.expired:
        status, title = 410, "This link is too old"
        text = "It was good for two years. Nothing was changed."
    else:
        status, title = 404, "This link is not whole"
        text = (
            "Part of it seems to be missing, so it did nothing. Copy all of it from the mail, and try again."
        )
    return pages.html("recovery/refused.html", shop.shop, status=status, title=title, text=text, next=_ANSWER)


def _gone(shop: Face) -> Response:
    return pages.html(
        "recovery/refused.html",
        shop.shop,
        status=404,
        title="This basket is gone",
        text="Baskets that were left are kept for a short time only, and this one is not kept any more.",
        next=None,
    )
