"""Submissions, syncs and providers over HTTP."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from server.contract.base import Answer, Page
from server.contract.fulfilment import NewSync, Provider, Submission, Sync
from server.contract.jobs import Ask, Enqueued
from server.fulfilment import following, policy, reading, submission, sync
from server.jobs import service as jobs
from server.jobs.service import Asked
from server.kit.access import Principal
from server.kit.clock import milliseconds
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services

routes: Final = router("/v1", "fulfilment")


class Providers(Answer):
    """All providers."""

    items: list[Provider]


@routes.get("/orders/{order}/submission", response_model=Submission, summary="An order at its provider")
def read_submission(
    request: Request, order: str, caller: Annotated[Principal, permit("orders.read")]
) -> Response:
    """What was tried and why it failed, what would be sent now, and whether it may be. Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: reading.standing(tx, order, caller)))


@routes.post(
    "/orders/{order}/submit",
    response_model=Enqueued,
    status_code=202,
    summary="Submit an order to its provider",
    responses=refuses(
        **dict.fromkeys(
            (
                policy.NOT_PAID,
                policy.ALREADY_SUBMITTED,
                policy.NO_PROVIDER,
                policy.CANCELLED,
                policy.BY_PROGRAM,
                policy.PERMANENT,
            ),
            409,
        )
    ),
)
async def submit_order(
    request: Request, order: str, ask: Ask, caller: Annotated[Principal, permit("orders.submit")]
) -> Response:
    """Ask for it, for the first time or again. It is held for the shop's undo window, unless ``hold_seconds`` says
    otherwise: until then its job can be taken back. While one waits or runs, that one is answered, with ``new`` false.

    Errors: 404 ``not_found``; 409 with why not.
    """

    def unit(tx: Tx) -> Enqueued:
        return _enqueued(tx, submission.ask(tx, order, caller, ask.hold_seconds), caller)

    return await mutate(request, caller, unit, 202)


@routes.post(
    "/orders/{order}/refresh",
    response_model=Enqueued,
    status_code=202,
    summary="Ask the provider how far an order is",
    responses=refuses(not_at_provider=409),
)
async def refresh_order(
    request: Request, order: str, caller: Annotated[Principal, permit("orders.submit")]
) -> Response:
    """While one waits or runs, that one is answered. Errors: 404 ``not_found``; 409 ``not_at_provider``."""

    def unit(tx: Tx) -> Enqueued:
        return _enqueued(tx, following.ask(tx, order, caller), caller)

    return await mutate(request, caller, unit, 202)


@routes.get("/providers", response_model=Providers, summary="The providers a shop can use")
def list_providers(request: Request, caller: Annotated[Principal, permit("catalog.read")]) -> Response:
    """Whether each is connected, what it can do, and its last sync."""
    return answer(services(request).store.read(lambda tx: Providers(items=reading.providers(tx, caller))))


@routes.post(
    "/syncs",
    response_model=Enqueued,
    status_code=202,
    summary="Read a provider's catalogue",
    responses=refuses(unknown_provider=422, not_connected=409),
)
async def start_sync(
    request: Request, new: NewSync, caller: Annotated[Principal, permit("syncs.run")]
) -> Response:
    """While one waits or runs, that one is answered. Errors: 409 ``not_connected``; 422 ``unknown_provider``."""

    def unit(tx: Tx) -> Enqueued:
        return _enqueued(tx, sync.ask(tx, new.provider, caller), caller)

    return await mutate(request, caller, unit, 202)


@routes.get("/syncs", response_model=Page[Sync], summary="Syncs, newest first")
def list_syncs(
    request: Request,
    caller: Annotated[Principal, permit("catalog.read")],  # noqa: ARG001 - declares the permission
    paging: Annotated[PageQuery, Depends(page_query)],
    provider: Annotated[str | None, Query(max_length=40, description="of this provider")] = None,
) -> Response:
    """One page. Errors: 400 ``invalid_cursor``."""
    found = services(request)
    name = f"syncs\0{provider}"
    page = found.store.read(lambda tx: reading.syncs(tx, provider, paging.request(found.cursors, name)))
    older, newer = found.cursors.around(page, name, lambda row: (milliseconds(row.started_at), row.id))
    return answer(Page[Sync](items=list(page.rows), next=older, prev=newer))


def _enqueued(tx: Tx, asked: Asked, caller: Principal) -> Enqueued:
    return Enqueued(job=jobs.row(tx, asked.id, caller), new=asked.new)
