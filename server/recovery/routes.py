"""Carts over HTTP, and what to say at checkout."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from server.contract.base import Page
from server.contract.carts import Cart, CheckoutNotice
from server.kit.access import Principal
from server.kit.web import PageQuery, answer, page_query, permit, router, services
from server.recovery import service as recovery

routes: Final[APIRouter] = router("/v1", "carts")


@routes.get("/carts", response_model=Page[Cart], summary="Carts left at the payment page, newest first")
def list_carts(
    request: Request,
    caller: Annotated[Principal, permit("carts.read")],  # noqa: ARG001 - declares the permission
    paging: Annotated[PageQuery, Depends(page_query)],
) -> Response:
    """One page. Empty while cart recovery is switched off. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found = services(request)
    page = found.store.read(lambda tx: recovery.listing(tx, paging.request(found.cursors, recovery.QUERY)))
    older, newer = found.cursors.around(page, recovery.QUERY, recovery.place)
    return answer(Page[Cart](items=list(page.rows), next=older, prev=newer))


@routes.get("/checkout/notice", response_model=CheckoutNotice, summary="What to say at checkout")
def read_notice(
    request: Request,
    caller: Annotated[Principal, permit("checkout.read")],  # noqa: ARG001 - declares the permission
) -> Response:
    """The sentence about reminders for the payment page (Stripe's ``custom_text``); ``null`` when there are none."""
    return answer(services(request).store.read(recovery.notice))
