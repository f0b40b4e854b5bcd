"""An order's mails over HTTP."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Request, Response

from server.contract.jobs import Enqueued
from server.contract.mail import OrderMails, SendMail
from server.jobs import service as jobs
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import answer, mutate, permit, refuses, router, services
from server.orders import mails

routes: Final = router("/v1/orders", "orders")


@routes.get("/{order}/mails", response_model=OrderMails, summary="An order's mails")
def read_order_mails(
    request: Request,
    order: str,
    caller: Annotated[Principal, permit("mail.read")],  # noqa: ARG001 - declares the permission
) -> Response:
    """What was written to the customer about an order, newest first. Errors: 404 ``not_found``."""
    return answer(OrderMails(mails=services(request).store.read(lambda tx: mails.of_order(tx, order))))


@routes.post(
    "/{order}/mails",
    response_model=Enqueued,
    status_code=202,
    summary="Send an order's mail (again)",
    responses=refuses(no_address=409, not_paid=409, not_shipped=409),
)
async def send_order_mail(
    request: Request, order: str, wanted: SendMail, caller: Annotated[Principal, permit("mail.send")]
) -> Response:
    """Ask for a mail. It waits for the shop's undo window, in which its job can be cancelled and nothing has left.

    While the same mail waits or is being sent, that one is given and nothing is added (``new`` is false). Errors:
    404 ``not_found``; 409 with why not.
    """

    def unit(tx: Tx) -> Enqueued:
        queued = mails.send(tx, order, wanted.kind, caller=caller, hold_seconds=wanted.hold_seconds)
        return Enqueued(job=jobs.row(tx, queued.job.id, caller), new=queued.job.new)

    return await mutate(request, caller, unit, 202)
