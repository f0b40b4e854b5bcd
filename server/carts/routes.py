"""The carts of the shop's front over HTTP. Who may not read people is not told whose a cart is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from server.audit import acting
from server.audit.acting import Act
from server.carts import service as carts
from server.contract.base import Page
from server.contract.shop_carts import (
    AddLine,
    CartState,
    ChangeCart,
    ChangeLine,
    ConvertCart,
    MergeCart,
    NewCart,
    ShopCart,
)
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, read, refuses, router, services

routes: Final = router("/v1/shop-carts", "shop carts")
_Caller = Annotated[Principal, permit("carts.manage")]
_INACTIVE: Final = {"cart_not_active": 409}
_CHOICE: Final = {
    "product_not_available": 409,
    "unknown_option_key": 422,
    "invalid_option_value": 422,
    "missing_required_option": 422,
}


@routes.get("", response_model=Page[ShopCart], summary="Carts, newest first")
def list_carts(
    request: Request,
    caller: _Caller,
    paging: Annotated[PageQuery, Depends(page_query)],
    state: Annotated[CartState | None, Query(description="a state")] = None,
    person: Annotated[str | None, Query(max_length=64, description="a person's id")] = None,
    order: Annotated[
        str | None, Query(max_length=64, description="the order it became: id or number")
    ] = None,
) -> Response:
    """One page. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found, query = services(request), carts.ListQuery(state, person, order)
    page = found.store.read(
        lambda tx: carts.listing(tx, query, paging.request(found.cursors, query.name), caller)
    )
    older, newer = found.cursors.around(page, query.name, carts.place)
    return answer(Page[ShopCart](items=list(page.rows), next=older, prev=newer))


@routes.post("", response_model=ShopCart, status_code=201, summary="A customer's or a guest's active cart")
async def open_cart(request: Request, new: NewCart, caller: _Caller) -> Response:
    """The one that is there (200), or a new one (201). Of a guest's session only a hash is kept.

    Errors: 422 ``invalid_request``.
    """
    made = [False]

    def unit(tx: Tx) -> ShopCart:
        cart_id, made[0] = carts.open_cart(tx, new)
        return carts.get(tx, cart_id, caller)

    return await mutate(request, caller, unit, lambda: 201 if made[0] else 200, remembered=_without_person)


@routes.get("/{cart}", response_model=ShopCart, summary="One cart")
def read_cart(request: Request, cart: str, caller: _Caller) -> Response:
    """Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: carts.get(tx, cart, caller)))


@routes.patch(
    "/{cart}",
    response_model=ShopCart,
    summary="Choose shipping or payment",
    responses=refuses(**_INACTIVE, payment_option_unavailable=409),
)
async def change_cart(request: Request, cart: str, new: ChangeCart, caller: _Caller) -> Response:
    """What is left out stays. Errors: 404 ``not_found``; 409; 422 ``invalid_request``."""
    return await _change(request, cart, caller, lambda tx: carts.choose(tx, cart, new))


@routes.post(
    "/{cart}/lines",
    response_model=ShopCart,
    status_code=201,
    summary="Put a product into a cart",
    responses=refuses(**_INACTIVE, **_CHOICE),
)
async def add_line(request: Request, cart: str, new: AddLine, caller: _Caller) -> Response:
    """With the same choices there are more of it, at the price it went in for. Errors: 404 ``not_found``; 409; 422."""
    return await _change(request, cart, caller, lambda tx: carts.add(tx, cart, new), 201)


@routes.delete(
    "/{cart}/lines", response_model=ShopCart, summary="Empty a cart", responses=refuses(**_INACTIVE)
)
async def clear_cart(request: Request, cart: str, caller: _Caller) -> Response:
    """Errors: 404 ``not_found``; 409 ``cart_not_active``."""
    return await _change(request, cart, caller, lambda tx: carts.clear(tx, cart))


@routes.patch(
    "/{cart}/lines/{line}",
    response_model=ShopCart,
    summary="Change how many there are",
    responses=refuses(**_INACTIVE, **_CHOICE),
)
async def change_line(request: Request, cart: str, line: str, new: ChangeLine, caller: _Caller) -> Response:
    """None takes the line out. Errors: 404 ``not_found``; 409; 422 ``invalid_request``."""
    return await _change(request, cart, caller, lambda tx: carts.change(tx, cart, line, new))


@routes.delete(
    "/{cart}/lines/{line}",
    response_model=ShopCart,
    summary="Take a line out",
    responses=refuses(**_INACTIVE),
)
async def remove_line(request: Request, cart: str, line: str, caller: _Caller) -> Response:
    """Errors: 404 ``not_found``; 409 ``cart_not_active``."""
    return await _change(request, cart, caller, lambda tx: carts.remove(tx, cart, line))


@routes.post(
    "/{cart}/merge",
    response_model=ShopCart,
    summary="Put a guest's cart into a customer's",
    responses=refuses(**_INACTIVE),
)
async def merge_cart(request: Request, cart: str, new: MergeCart, caller: _Caller) -> Response:
    """Answers the customer's. Errors: 404 ``not_found``; 409 ``cart_not_active``; 422 ``invalid_request``."""

    def unit(tx: Tx) -> ShopCart:
        return carts.get(tx, carts.merge(tx, cart, new), caller)

    return await mutate(request, caller, unit, remembered=_without_person)


@routes.post(
    "/{cart}/convert",
    response_model=ShopCart,
    summary="Make an order of a cart",
    responses=refuses(
        **_INACTIVE,
        **_CHOICE,
        cart_already_converting=409,
        cart_empty=409,
        no_shipping_method=409,
        email_already_registered=409,
        payment_option_unavailable=409,
        billing_profile_not_owned=409,
    ),
)
async def convert_cart(request: Request, cart: str, new: ConvertCart, caller: _Caller) -> Response:
    """The order is pending, at the prices of the cart. Whatever goes wrong, the cart stays as it was.

    Errors: 404 ``not_found``; 409; 422.
    """
    stood = await read(request, lambda tx: carts.stands(tx, cart))

    def unit(tx: Tx) -> ShopCart:
        carts.convert(tx, cart, new, stood=stood)
        return carts.get(tx, cart, caller)

    return await acting.mutate(request, caller, unit, _converted, remembered=_without_person)


async def _change(
    request: Request, cart: str, caller: Principal, change: Callable[[Tx], object], status: int = 200
) -> Response:
    def unit(tx: Tx) -> ShopCart:
        change(tx)
        return carts.get(tx, cart, caller)

    return await mutate(request, caller, unit, status, remembered=_without_person)


def _converted(_tx: Tx, made: ShopCart) -> Act | None:
    if made.order is None:
        return None
    facts = {
        "cart_id": made.id,
        "order_id": made.order.id,
        "order_number": made.order.number,
        "amount": made.total.amount,
        "currency": made.total.currency,
    }
    return Act("shop.order_converted", "order", made.order.id, metadata=facts)


def _without_person(made: ShopCart) -> ShopCart:
    """What is kept for a repeat: whose it is, and what was written on the goods, stands in its own table alone."""
    lines = [line.model_copy(update={"specs": {}}) for line in made.lines]
    return made.model_copy(update={"customer": None, "lines": lines})
