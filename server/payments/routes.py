"""Where Stripe's webhooks come in."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import Request, Response
from pydantic import ValidationError

from server.contract.base import Answer
from server.inbox import service as inbox
from server.kit.problems import ProblemError, invalid_request
from server.kit.web import answer, open_to_all, refuses, router, services
from server.payments import shapes, signature
from server.payments.service import incoming
from server.settings import service as settings

routes: Final = router("/webhooks", "webhooks")


class WebhookReceipt(Answer):
    """What the sender is told: it is on disk here and need not be sent again."""

    received: bool = True
    duplicate: bool


@routes.post(
    "/stripe",
    response_model=WebhookReceipt,
    summary="Stripe tells what happened",
    dependencies=[open_to_all("signed by Stripe")],
    responses=refuses(signature_verification_failed=400, invalid_json=400, unavailable=503),
)
async def stripe(request: Request) -> Response:
    """Check the signature on the raw bytes, store the event, work on it. 200 means that it is kept, whatever it was.

    503 ``unavailable`` when this server has no webhook secret.
    """
    store = services(request).store
    secrets = await settings.secret_at_hand(store, "stripe.webhook_secrets")
    if secrets is None:
        raise ProblemError(503, "unavailable", "This shop has no webhook secret: set stripe.webhook_secrets.")
    body = await request.body()
    if signature.library.cache_info().currsize == 0:
        await asyncio.to_thread(signature.library)
    given = request.headers.getlist("stripe-signature")
    now = store.clock.now()
    signature.verify(body, given[0] if len(given) == 1 else None, secrets.split(","), now)
    try:
        told = shapes.Envelope.model_validate(shapes.decode(body))
    except ValidationError:
        raise invalid_request(("body", "is not an event of Stripe's")) from None
    receipt = await inbox.receive(store, incoming(told, body.decode(), now))
    return answer(WebhookReceipt(duplicate=receipt.duplicate))
