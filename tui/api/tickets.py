"""The calls about tickets. Imported when their section is first gone to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from server.contract.base import Page
from server.contract.content import FileRow
from server.contract.tickets import (
    ChangedTickets,
    ChangeTicket,
    ChangeTickets,
    Comment,
    NewComment,
    NewTicket,
    Ticket,
    TicketCounts,
    TicketRow,
    TicketTab,
)
from tui.api.client import PAGE, Client, page_query, segment

if TYPE_CHECKING:
    from tui.api.window import Direction, Edge

_ROWS: Final = Page[TicketRow]
_FILES: Final = Page[FileRow]


@dataclass(frozen=True, slots=True)
class TicketQuery:
    """Which tickets to list; all that is named must hold.

    Attributes:
        tab: one of the tabs.
        priority: only this one.
        person: only this person's, by id.
        order: only those about this order, by id or number.
        q: words to find.
    """

    tab: TicketTab = "open"
    priority: str = ""
    person: str = ""
    order: str = ""
    q: str = ""

    def parameters(self) -> dict[str, str]:
        """The query parameters of ``GET /v1/tickets``."""
        chosen = {"priority": self.priority, "person": self.person, "order": self.order, "q": self.q.strip()}
        return {"tab": self.tab} | {name: value for name, value in chosen.items() if value}


async def tickets(
    client: Client, query: TicketQuery, cursor: str | None = None, limit: int = PAGE, edge: Edge = "newest"
) -> Page[TicketRow]:
    """A page of tickets, the latest movement first. Raises ApiError."""
    params = query.parameters() | page_query(cursor, limit, edge)
    return await client.ask("/v1/tickets", _ROWS.model_validate, params=params)


async def counts(client: Client) -> TicketCounts:
    """How many tickets stand under each tab. Raises ApiError."""
    return await client.ask("/v1/tickets/counts", TicketCounts.model_validate)


async def ticket(client: Client, id_or_number: str) -> Ticket:
    """A ticket whole: what was said, what changed. Raises ApiError."""
    return await client.ask(_path(id_or_number), Ticket.model_validate)


async def files(client: Client, ticket_id: str) -> list[FileRow]:
    """The files beside a ticket, newest first, at most a page of them. Raises ApiError."""
    found = await client.ask("/v1/files", _FILES.model_validate, params={"ticket": ticket_id})
    return list(found.items)


def content_path(file_id: str) -> str:
    """Where what a file holds is read."""
    return f"/v1/files/{segment(file_id, 'file')}/content"


async def open_ticket(
    client: Client,
    *,
    title: str,
    description: str,
    email: str,
    order: str | None = None,
    key: str | None = None,
) -> Ticket:
    """Open a ticket for a customer; with the same ``key``, once. Raises ApiError."""
    body = _body(NewTicket(title=title, description=description, email=email, order=order))
    return await client.change("/v1/tickets", Ticket.model_validate, body, key=key)


async def change(client: Client, ticket_id: str, **changes: str | None) -> Ticket:
    """Change what is named (``assigned_to=None`` unassigns). Raises ApiError."""
    body = ChangeTicket.model_validate(changes).model_dump_json(include=set(changes)).encode()
    return await client.change(_path(ticket_id), Ticket.model_validate, body, "PATCH")


async def change_many(client: Client, ids: Sequence[str], **changes: str | None) -> ChangedTickets:
    """The same change to many: all of them, or none when one refuses. Raises ApiError."""
    wanted = ChangeTickets.model_validate({"ids": list(ids), **changes})
    body = wanted.model_dump_json(include={"ids", *changes}).encode()
    return await client.change("/v1/tickets/changes", ChangedTickets.model_validate, body)


async def comment(
    client: Client, ticket_id: str, text: str, *, internal: bool, key: str | None = None
) -> Comment:
    """Reply to the customer, or (``internal``) write something down for staff alone; with the same ``key``, once.

    Raises:
        ApiError: it was refused, or it is not known whether it arrived: then the same key may be tried again.
    """
    body = _body(NewComment(body=text, is_internal=internal))
    return await client.change(f"{_path(ticket_id)}/comments", Comment.model_validate, body, key=key)


def _path(id_or_number: str) -> str:
    return f"/v1/tickets/{segment(id_or_number, 'ticket')}"


def _body(model: BaseModel) -> bytes:
    return model.model_dump_json(exclude_none=True).encode()


@dataclass(frozen=True, slots=True)
class TicketSource:
    """The tickets that a query describes, as a window reads them."""

    client: Client
    query: TicketQuery

    async def fetch(
        self,
        cursor: str | None,
        direction: Direction,  # noqa: ARG002 - the cursor knows
        limit: int,
        edge: Edge,
    ) -> Page[TicketRow]:
        """A page of tickets. Raises ApiError."""
        return await tickets(self.client, self.query, cursor, limit, edge)


def build() -> None:
    """Build the models' validators now instead of with the first answer."""
    models: tuple[Any, ...] = (_ROWS, _FILES, TicketCounts, Ticket)
    for model in models:
        model.model_rebuild()
