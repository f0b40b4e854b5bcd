"""A customer's own tickets over HTTP, for tokens of the role user. Notes, history and staff's names stay inside."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from server.contract.base import Page
from server.contract.tickets import Comment, NewComment, NewTicket, Ticket, TicketRow, TicketStatus
from server.kit.access import Principal
from server.kit.paging import Slice
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services
from server.tickets import service as tickets
from server.tickets.listing import MAX_SEARCH, OwnQuery
from server.tickets.routes import comment_without_words, without_words

routes: Final = router("/v1/my/tickets", "customers' own")


@routes.get(
    "",
    response_model=Page[TicketRow],
    summary="My tickets",
    responses=refuses(support_disabled=404),
)
def list_my_tickets(
    request: Request,
    caller: Annotated[Principal, permit("tickets.own")],
    paging: Annotated[PageQuery, Depends(page_query)],
    status: Annotated[TicketStatus | None, Query(description="only these")] = None,
    q: Annotated[
        str,
        Query(max_length=MAX_SEARCH, description="literal text in the title, the description or a comment"),
    ] = "",
) -> Response:
    """One page of the caller's own tickets, those in which something happened last first."""
    found = services(request)

    def unit(tx: Tx) -> tuple[OwnQuery, Slice[TicketRow]]:
        tickets.customers_welcome(tx)
        query = OwnQuery(tickets.person_of(tx, caller), status, q.strip())
        return query, tickets.page_own(tx, query, paging.request(found.cursors, query.name), caller)

    query, page = found.store.read(unit)
    older, newer = found.cursors.around(page, query.name, tickets.place)
    return answer(Page[TicketRow](items=list(page.rows), next=older, prev=newer))


@routes.post(
    "",
    response_model=Ticket,
    status_code=201,
    summary="Open a ticket of mine",
    responses=refuses(support_disabled=404),
)
async def open_my_ticket(
    request: Request, new: NewTicket, caller: Annotated[Principal, permit("tickets.own")]
) -> Response:
    """Open a ticket, beside one of the caller's own orders where ``order`` names one; it names no e-mail and no name.

    A repeat with the same ``Idempotency-Key`` is answered without anybody's words.
    """

    def unit(tx: Tx) -> Ticket:
        return tickets.get_own(tx, tickets.create_own(tx, new, caller), caller)

    return await mutate(request, caller, unit, 201, remembered=without_words)


@routes.get(
    "/{ticket}",
    response_model=Ticket,
    summary="One ticket of mine",
    responses=refuses(support_disabled=404),
)
def read_my_ticket(
    request: Request, ticket: str, caller: Annotated[Principal, permit("tickets.own")]
) -> Response:
    """An own ticket by its id or number, with what was said to the customer.

    Errors: 404 ``not_found``, also for another's.
    """
    return answer(services(request).store.read(lambda tx: tickets.get_own(tx, ticket, caller)))


@routes.post(
    "/{ticket}/comments",
    response_model=Comment,
    status_code=201,
    summary="Reply in a ticket of mine",
    responses=refuses(
        insufficient_permissions=403, support_disabled=404, ticket_closed=409, comments_disabled=409
    ),
)
async def comment_on_my_ticket(
    request: Request,
    ticket: str,
    new: NewComment,
    caller: Annotated[Principal, permit("tickets.own")],
) -> Response:
    """Say something in an own ticket that is not closed. Errors: 404 ``not_found``, also for another's."""

    def unit(tx: Tx) -> Comment:
        return tickets.shown_comment(tx, tickets.add_own(tx, ticket, new, caller), caller)

    return await mutate(request, caller, unit, 201, remembered=comment_without_words)
