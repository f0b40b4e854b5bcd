"""Orders over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from server.accounts import users
from server.audit import acting
from server.audit.acting import Act
from server.contract.base import Page
from server.contract.orders import (
    FulfilmentStep,
    NewOrder,
    Order,
    OrderCounts,
    OrderRow,
    OrderSort,
    OrderTab,
)
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, page_query, permit, refuses, router, services
from server.orders import service as orders
from server.orders.reading import MAX_SEARCH

routes: Final = router("/v1/orders", "orders")


@routes.post("", response_model=Order, status_code=201, summary="Make an order")
async def make_order(
    request: Request, new: NewOrder, caller: Annotated[Principal, permit("orders.create")]
) -> Response:
    """Make an order before its customer is sent to the payment page. Name it there as ``client_reference_id``.

    Who may not read orders is not told whose it is. A repeat with the same ``Idempotency-Key`` is answered without
    the customer and the address: those are kept in the vault alone.
    """

    def unit(tx: Tx) -> Order:
        return orders.get(tx, orders.create(tx, new), caller)

    def act(tx: Tx, made: Order) -> Act | None:
        return _entry(tx, "billing.order_created", made, caller)

    return await acting.mutate(request, caller, unit, act, 201, remembered=_without_person)


@routes.get("", response_model=Page[OrderRow], summary="Orders, newest first or sorted otherwise")
def list_orders(
    request: Request,
    caller: Annotated[Principal, permit("orders.read")],  # noqa: ARG001 - declares the permission
    paging: Annotated[PageQuery, Depends(page_query)],
    status: Annotated[OrderTab, Query(description="a tab")] = "all",
    q: Annotated[
        str,
        Query(
            max_length=MAX_SEARCH,
            description="literal text in the number, the customer's e-mail or name, "
            "the provider's order id or the tracking number",
        ),
    ] = "",
    sort: Annotated[
        OrderSort,
        Query(
            description="newest or oldest first; the highest total first; or those that need attention first, "
            "then the newest. Whatever the order, `edge=newest` is its first row and `edge=oldest` its last"
        ),
    ] = "newest",
) -> Response:
    """One page of a tab. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found = services(request)
    query = orders.ListQuery(status, q.strip(), sort)
    page = found.store.read(lambda tx: orders.listing(tx, query, paging.request(found.cursors, query.name)))
    older, newer = found.cursors.around(page, query.name, query.place)
    return answer(Page[OrderRow](items=list(page.rows), next=older, prev=newer))


@routes.get("/counts", response_model=OrderCounts, summary="How many orders stand under each tab")
def count_orders(
    request: Request,
    caller: Annotated[Principal, permit("orders.read")],  # noqa: ARG001 - declares the permission
) -> Response:
    """The numbers beside the tabs."""
    return answer(services(request).store.read(orders.counts))


@routes.get("/{order}", response_model=Order, summary="One order")
def read_order(request: Request, order: str, caller: Annotated[Principal, permit("orders.read")]) -> Response:
    """An order by its id or number, with what the caller may do to it now. Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: orders.get(tx, order, caller)))


@routes.post(
    "/{order}/fulfilment",
    response_model=Order,
    summary="Tell a step of an order's fulfilment",
    responses=refuses(invalid_transition=409, occurred_at_in_future=422),
)
async def fulfil_order(
    request: Request,
    order: str,
    step: FulfilmentStep,
    caller: Annotated[Principal, permit("orders.fulfil")],
) -> Response:
    """Move an order, by its id or number. The state it is in already changes nothing and is no error.

    Errors: 404 ``not_found``; 409 ``invalid_transition``; 422 ``invalid_request``, ``occurred_at_in_future``.
    """

    before: list[str | None] = [None]

    def unit(tx: Tx) -> Order:
        known = orders.find(tx, order, lock=True)
        before[0] = None if known is None else known.fulfilment_status
        return orders.shown(tx, orders.fulfil(tx, order, step, actor=orders.actor_of(caller)), caller)

    def act(tx: Tx, made: Order) -> Act | None:
        if made.fulfilment_status == before[0]:
            return None
        what = "cancelled" if made.fulfilment_status == "cancelled" else "updated"
        facts = {"status_from": before[0], "status_to": made.fulfilment_status}
        return _entry(tx, f"billing.order_{what}", made, caller, facts)

    return await acting.mutate(request, caller, unit, act, remembered=_without_person)


def _entry(
    tx: Tx, action: str, made: Order, caller: Principal, facts: Mapping[str, str | None] | None = None
) -> Act | None:
    """What the audit log says of what staff did; what the shop's own programs do is told by the activity log."""
    if caller.user_id is None:
        return None
    row = orders.find(tx, made.id)
    person_id = None if row is None else row.person_id
    about = {"order_number": made.number, "amount": made.total.amount, "currency": made.total.currency}
    target = users.user_of(tx, [person_id]).get(person_id) if person_id else None
    return Act(action, "order", made.id, target, {**about, **(facts or {})})


def _without_person(made: Order) -> Order:
    """What is kept for a repeat: names, addresses and strangers' words stand in no other table than their own."""
    return made.model_copy(update={"customer": None, "address": None, "problem": None})
