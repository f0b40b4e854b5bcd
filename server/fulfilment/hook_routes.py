"""Where providers' webhooks come in."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query, Request, Response

from server.contract.base import Answer
from server.fulfilment import signature, webhooks
from server.fulfilment.registry import Known
from server.inbox import service as inbox
from server.inbox.service import Incoming
from server.kit.problems import ProblemError, not_found
from server.kit.web import answer, open_to_all, refuses, router, services
from server.settings import service as settings

routes: Final = router("/webhooks", "webhooks")
_REFUSALS: Final = refuses(
    signature_verification_failed=401, invalid_json=400, not_found=404, unavailable=503
)


class HookReceipt(Answer):
    """What the sender is told: it is on disk here and need not be sent again."""

    received: bool = True
    duplicate: bool


@routes.post(
    "/printify/{connection}",
    response_model=HookReceipt,
    summary="Printify tells what happened",
    dependencies=[open_to_all("signed by Printify")],
    responses=_REFUSALS,
)
async def from_printify(request: Request, connection: str) -> Response:
    """Check the signature on the raw bytes, store the event, work on it. 200 means that it is kept, whatever it was.

    503 ``unavailable`` when this server has no webhook secret; 404 ``not_found`` for another connection's name.
    """
    secret = await _secret(request, webhooks.PRINTIFY, connection)
    body = await request.body()
    given = request.headers.getlist("x-pfy-signature")
    signature.printify(body, given[0] if len(given) == 1 else None, secret)
    return await _keep(request, webhooks.from_printify(body, connection, _now(request)))


@routes.post(
    "/printful/{connection}",
    response_model=HookReceipt,
    summary="Printful tells what happened",
    dependencies=[open_to_all("signed by Printful, or a hint with the shop's token")],
    responses=_REFUSALS,
)
async def from_printful(
    request: Request,
    connection: str,
    token: Annotated[
        str | None, Query(max_length=512, description="of an unsigned event of version 1")
    ] = None,
) -> Response:
    """A signed event is checked on the raw bytes and worked on. An unsigned one of version 1 must bring the secret as
    ``token`` (or in ``X-Webhook-Token``); it is only a hint, and what it says is asked for through the API.

    503 ``unavailable`` when this server has no webhook secret; 404 ``not_found`` for another connection's name.
    """
    secret = await _secret(request, webhooks.PRINTFUL, connection)
    body = await request.body()
    given = request.headers.getlist("x-pf-webhook-signature")
    if given:
        signature.printful(body, given[0] if len(given) == 1 else "", secret)
    else:
        signature.token(request.headers.get("x-webhook-token") or token, secret)
    return await _keep(request, webhooks.from_printful(body, connection, _now(request), signed=bool(given)))


async def _secret(request: Request, known: Known, connection: str) -> str:
    store = services(request).store
    found = await store.read_async(
        lambda tx: (settings.get(tx, known.connection), settings.secret(tx, known.secret))
    )
    if connection != found[0]:
        raise not_found("connection")
    if not found[1]:
        raise ProblemError(
            503, "unavailable", f"This server has no webhook secret for {known.label}: enter it in Settings."
        )
    return found[1]


async def _keep(request: Request, told: Incoming) -> Response:
    receipt = await inbox.receive(services(request).store, told)
    return answer(HookReceipt(duplicate=receipt.duplicate))


def _now(request: Request) -> int:
    return services(request).store.clock.now()
