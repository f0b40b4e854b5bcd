"""Tickets over HTTP, as staff and the shop's own programs use them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Response

from server.contract.base import Page
from server.contract.tickets import (
    ChangedTickets,
    ChangeTicket,
    ChangeTickets,
    Comment,
    DeletedTicket,
    NewComment,
    NewTicket,
    Priority,
    Ticket,
    TicketCounts,
    TicketRow,
    TicketStatus,
    TicketTab,
)
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services
from server.tickets import service as tickets
from server.tickets.listing import MAX_SEARCH, ListQuery

routes: Final = router("/v1/tickets", "tickets")

Tab = Annotated[
    TicketTab,
    Query(
        description="`open`, `mine` and `unassigned` are open or in progress; `resolved` resolved or closed"
    ),
]
Status = Annotated[TicketStatus | None, Query(description="only these")]
Level = Annotated[Priority | None, Query(description="only these")]
Assignee = Annotated[
    str | None, Query(max_length=64, description="a user's id, `me`, or `none` for those of nobody")
]
PersonId = Annotated[str | None, Query(max_length=64, description="id of the customer")]
OrderKey = Annotated[
    str | None, Query(max_length=255, description="id or number of the order it stands beside")
]
Words = Annotated[
    str,
    Query(
        max_length=MAX_SEARCH,
        description="literal text in the title, the description, what was said, the customer's e-mail or name; "
        "or a ticket's number (`#12`)",
    ),
]


def _query(
    caller: Principal,
    tab: TicketTab,
    status: TicketStatus | None,
    priority: Priority | None,
    assigned_to: str | None,
    person: str | None,
    order: str | None,
    q: str,
) -> ListQuery:
    return ListQuery(tab, status, priority, assigned_to, person, order, q.strip(), caller.user_id)


@routes.get(
    "", response_model=Page[TicketRow], summary="Tickets, those in which something happened last first"
)
def list_tickets(
    request: Request,
    caller: Annotated[Principal, permit("tickets.read")],
    paging: Annotated[PageQuery, Depends(page_query)],
    tab: Tab = "all",
    status: Status = None,
    priority: Level = None,
    assigned_to: Assignee = None,
    person: PersonId = None,
    order: OrderKey = None,
    q: Words = "",
) -> Response:
    """One page of the tickets for which all holds that is asked. Internal notes do not move a ticket upwards."""
    found = services(request)
    query = _query(caller, tab, status, priority, assigned_to, person, order, q)
    page = found.store.read(
        lambda tx: tickets.page(tx, query, paging.request(found.cursors, query.name), caller)
    )
    older, newer = found.cursors.around(page, query.name, tickets.place)
    return answer(Page[TicketRow](items=list(page.rows), next=older, prev=newer))


@routes.get("/counts", response_model=TicketCounts, summary="How many tickets there are")
def count_tickets(
    request: Request,
    caller: Annotated[Principal, permit("tickets.read")],
    tab: Tab = "all",
    status: Status = None,
    priority: Level = None,
    assigned_to: Assignee = None,
    person: PersonId = None,
    order: OrderKey = None,
    q: Words = "",
) -> Response:
    """The numbers of the list with the same parameters: ``total`` is how many rows its pages have together."""
    query = _query(caller, tab, status, priority, assigned_to, person, order, q)
    return answer(services(request).store.read(lambda tx: tickets.counts(tx, query)))


@routes.post(
    "",
    response_model=Ticket,
    status_code=201,
    summary="Open a ticket for a customer",
    responses=refuses(insufficient_permissions=403, support_disabled=404),
)
async def open_ticket(
    request: Request, new: NewTicket, caller: Annotated[Principal, permit("tickets.create")]
) -> Response:
    """Open a ticket for the customer with this e-mail, who is made where there is none.

    A storefront token may do so while the shop takes tickets from customers, beside an order of that customer only, and
    is not told whose it is. A repeat with the same ``Idempotency-Key`` is answered without anybody's words.
    """

    def unit(tx: Tx) -> Ticket:
        return tickets.shown(tx, tickets.find(tx, tickets.create(tx, new, caller)), caller)

    return await mutate(request, caller, unit, 201, remembered=without_words)


@routes.post(
    "/changes",
    response_model=ChangedTickets,
    summary="Change many tickets alike",
    responses=refuses(
        insufficient_permissions=403, invalid_transition=409, reopen_not_allowed=409, ticket_closed=409
    ),
)
async def change_tickets(
    request: Request, change: ChangeTickets, caller: Annotated[Principal, permit("tickets.write")]
) -> Response:
    """The same change to up to 500 tickets: to all of them, or to none when one refuses.

    Errors: 404 ``not_found``; 409 with the number of the ticket that refuses in ``detail``.
    """
    return await mutate(request, caller, lambda tx: tickets.change_many(tx, change, caller))


@routes.get("/{ticket}", response_model=Ticket, summary="One ticket")
def read_ticket(
    request: Request, ticket: str, caller: Annotated[Principal, permit("tickets.read")]
) -> Response:
    """A ticket by its id or number, with what was said, its history, and what the caller may do to it now.

    Errors: 404 ``not_found``.
    """
    return answer(services(request).store.read(lambda tx: tickets.get(tx, ticket, caller)))


@routes.patch(
    "/{ticket}",
    response_model=Ticket,
    summary="Change a ticket",
    responses=refuses(
        insufficient_permissions=403, invalid_transition=409, reopen_not_allowed=409, ticket_closed=409
    ),
)
async def change_ticket(
    request: Request,
    ticket: str,
    change: ChangeTicket,
    caller: Annotated[Principal, permit("tickets.write")],
) -> Response:
    """Change what is given. Giving an open ticket to somebody puts it in progress, unless ``status`` is given too.

    What it is already changes nothing and is no error. Errors: 404 ``not_found``; 409 ``invalid_transition``,
    ``reopen_not_allowed``, ``ticket_closed``; 422 ``invalid_request``.
    """

    def unit(tx: Tx) -> Ticket:
        return tickets.shown(tx, tickets.change(tx, ticket, change, caller), caller)

    return await mutate(request, caller, unit, remembered=without_words)


@routes.delete(
    "/{ticket}",
    response_model=DeletedTicket,
    summary="Delete a ticket",
    responses=refuses(insufficient_permissions=403),
)
async def delete_ticket(
    request: Request, ticket: str, caller: Annotated[Principal, permit("tickets.delete")]
) -> Response:
    """Delete a ticket with all that was said in it and the files beside it. Errors: 404 ``not_found``."""

    def unit(tx: Tx) -> DeletedTicket:
        row = tickets.delete_ticket(tx, ticket, caller)
        return DeletedTicket(id=row.id, number=row.number)

    return await mutate(request, caller, unit)


@routes.post(
    "/{ticket}/comments",
    response_model=Comment,
    status_code=201,
    summary="Reply to a customer, or note something",
    responses=refuses(
        insufficient_permissions=403, ticket_closed=409, comments_disabled=409, internal_notes_disabled=409
    ),
)
async def comment_on_ticket(
    request: Request,
    ticket: str,
    new: NewComment,
    caller: Annotated[Principal, permit("tickets.write")],
) -> Response:
    """A reply goes to the customer by mail too (``tickets.reply_mail``), after the time to undo; a note
    (``is_internal``) is for staff alone and may be made on a closed ticket.

    Errors: 404 ``not_found``; 409 ``ticket_closed``, ``comments_disabled``, ``internal_notes_disabled``.
    """

    def unit(tx: Tx) -> Comment:
        return tickets.shown_comment(tx, tickets.add(tx, ticket, new, caller), caller)

    return await mutate(request, caller, unit, 201, remembered=comment_without_words)


@routes.delete(
    "/{ticket}/comments/{comment}",
    response_model=Ticket,
    summary="Delete a comment",
    responses=refuses(insufficient_permissions=403),
)
async def delete_comment(
    request: Request,
    ticket: str,
    comment: str,
    caller: Annotated[Principal, permit("tickets.write")],
) -> Response:
    """One's own; an Owner or an Admin any. A reply that has not been mailed yet is not mailed any more.

    Errors: 404 ``not_found``.
    """

    def unit(tx: Tx) -> Ticket:
        return tickets.shown(tx, tickets.remove(tx, ticket, comment, caller), caller)

    return await mutate(request, caller, unit, remembered=without_words)


def without_words(made: Ticket) -> Ticket:
    """What is kept for a repeat: names and people's words stand in no other table than their own."""
    empty: dict[str, Any] = {
        "customer": None,
        "title": "",
        "slug": "",
        "description": "",
        "comments": [],
        "history": [],
    }
    return made.model_copy(update=empty)


def comment_without_words(made: Comment) -> Comment:
    """The same for a comment."""
    return made.model_copy(update={"author": None, "body": ""})
