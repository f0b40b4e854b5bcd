"""Tickets as clients see them, and what they send."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.activity import OrderRef
from server.contract.base import ActionState, Answer, Instant, Request
from server.contract.orders import CustomerRef, Line

TicketStatus = Literal["open", "in_progress", "resolved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
TicketTab = Literal["open", "mine", "unassigned", "resolved", "all"]
CommentBody = Annotated[str, Field(min_length=1, max_length=10_000)]
Reason = Annotated[str, Field(min_length=1, max_length=1_000)]
Title = Annotated[str, Field(min_length=1, max_length=255)]


class Staff(Answer):
    """A member of staff by id, and what to call them while they are there."""

    id: str
    name: str | None = None


class TicketRow(Answer):
    """A ticket in a list. ``customer`` is None where nobody is behind it any more and no mark is left.

    ``comment_count`` counts what the customer sees. ``waits_for`` is ``staff`` when the customer wrote last.
    ``moved_by`` is the user whose change or reply was the last to move it, told to staff; None for anybody else's.
    """

    id: str
    number: int
    slug: str
    title: str
    status: TicketStatus
    priority: Priority
    customer: CustomerRef | None = None
    order: OrderRef | None = None
    assigned_to: Staff | None = None
    comment_count: int
    waits_for: Literal["staff", "customer"] | None = None
    created_at: Instant
    updated_at: Instant
    moved_by: str | None = None
    resolved_at: Instant | None = None
    closed_at: Instant | None = None
    anonymized_at: Instant | None = None


class Comment(Answer):
    """Something said in a ticket. ``is_internal`` ones never reach the customer."""

    id: str
    is_internal: bool
    author_kind: Literal["customer", "staff"]
    author: str | None = None
    body: str
    created_at: Instant
    actions: list[ActionState] = Field(default_factory=list)


class TicketChange(Answer):
    """One line of a ticket's history. ``who`` is None for the customer and for who is gone."""

    field: Literal["status", "assigned_to", "priority"]
    value_from: str | None = None
    value_to: str | None = None
    reason: str | None = None
    who: str | None = None
    at: Instant


class Ticket(TicketRow):
    """A ticket whole. ``actions``: ``reply``, ``note``, ``assign``, ``unassign``, ``set_priority``, ``set_title``,
    ``delete`` and ``status:open`` … ``status:closed``, each with the reason when not; a customer has ``reply`` alone.
    """

    description: str
    comments: list[Comment]
    history: list[TicketChange] = Field(default_factory=list)
    actions: list[ActionState] = Field(default_factory=list)


class TicketCounts(Answer):
    """How many tickets of a query there are, and by status.

    ``unassigned``: open or in progress with no assignee; ``mine``: open or in progress and the caller's. The tab `open`
    holds ``open`` and ``in_progress``, the tab `resolved` ``resolved`` and ``closed``.
    """

    total: int
    open: int
    in_progress: int
    resolved: int
    closed: int
    unassigned: int
    mine: int


class NewTicket(Request):
    """A ticket to open for a customer. ``order`` is an id or a number. A customer's own token names no e-mail."""

    title: Title
    description: CommentBody
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")] | None = None
    name: Line | None = None
    order: Line | None = None
    priority: Priority = "normal"


class ChangeTicket(Request):
    """What to change of a ticket; what is left out stays. ``assigned_to`` None unassigns.

    ``reason`` is kept in the ticket's history when the status changes.
    """

    title: Title | None = None
    status: TicketStatus | None = None
    priority: Priority | None = None
    assigned_to: str | None = None
    reason: Reason | None = None


class ChangeTickets(Request):
    """The same change to many tickets: all of them, or none when one refuses."""

    ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=500)]
    status: TicketStatus | None = None
    priority: Priority | None = None
    assigned_to: str | None = None
    reason: Reason | None = None


class ChangedTickets(Answer):
    """The ids that were changed; those that stood so already are not among them."""

    changed: list[str]


class DeletedTicket(Answer):
    """The ticket that is gone."""

    id: str
    number: int


class NewComment(Request):
    """A reply to the customer, or (``is_internal``) a note for staff alone."""

    body: CommentBody
    is_internal: bool = False
