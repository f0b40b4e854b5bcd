"""The mails over HTTP, and where bounces come in. An order's own mails stand with the orders."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Path, Request, Response

from server.contract.base import Page
from server.contract.mail import Bounce, BounceReceipt, MailRow, MailText
from server.kit.access import Principal
from server.kit.web import (
    PageQuery,
    answer,
    open_to_all,
    page_query,
    permit,
    refuses,
    router,
    services,
    together,
)
from server.mail import bounces
from server.mail import service as mail

_mails: Final = router("/v1/mails", "mails")
_webhooks: Final = router("/webhooks", "webhooks")


@_mails.get("", response_model=Page[MailRow], summary="Mails, newest first")
def list_mails(
    request: Request,
    caller: Annotated[Principal, permit("mail.read")],  # noqa: ARG001 - declares the permission
    paging: Annotated[PageQuery, Depends(page_query)],
) -> Response:
    """One page of all mails to customers, with what became of them. Errors: 400 ``invalid_cursor``."""
    found = services(request)
    page = found.store.read(lambda tx: mail.listing(tx, paging.request(found.cursors, mail.QUERY)))
    older, newer = found.cursors.around(page, mail.QUERY, mail.place)
    return answer(Page[MailRow](items=list(page.rows), next=older, prev=newer))


@_mails.get("/{mail_id}", response_model=MailText, summary="One mail")
def read_mail(
    request: Request,
    mail_id: Annotated[str, Path(max_length=64, description="a mail's id")],
    caller: Annotated[Principal, permit("mail.read")],  # noqa: ARG001 - declares the permission
) -> Response:
    """A mail; with its subject and text where it was kept in the outbox. Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: mail.get(tx, mail_id)))


@_webhooks.post(
    "/mail/bounces",
    response_model=BounceReceipt,
    summary="The mail service tells that a mail came back",
    dependencies=[open_to_all("brings the shop's bounce token"), Depends(bounces.check_token)],
    responses=refuses(unauthenticated=401, unavailable=503),
)
async def take_bounce(request: Request, told: Bounce) -> Response:
    """Send ``Authorization: Bearer`` with the token of the setting ``mail.bounce_token``.

    A bounce told twice is one, and one about somebody unknown is nothing: both are answered 200. 503 ``unavailable``
    when this shop has no bounce token.
    """
    await services(request).store.write_async(lambda tx: bounces.note(tx, told))
    return answer(BounceReceipt())


routes: Final = together(_mails, _webhooks)
