"""Lists of tickets and how many there are: one condition for both, so that they cannot disagree."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, exists, func, literal, or_, select, true

from server.contract.tickets import Priority, TicketCounts, TicketRow, TicketStatus, TicketTab
from server.kit import refs
from server.kit.clock import milliseconds
from server.kit.folding import fold, fold_email
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.tx import Tx
from server.people import service as people
from server.people.models import person
from server.tickets.finding import number_of
from server.tickets.models import comment, ticket
from server.tickets.states import DONE, WAITING

MAX_SEARCH: Final = 200
ME: Final = "me"
NOBODY: Final = "none"
"""What ``assigned_to`` takes beside a user's id."""

_WAITING: Final = ticket.c.status.in_(WAITING)
_UNASSIGNED: Final = _WAITING & ticket.c.assigned_to.is_(None)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which tickets: all that is given must hold.

    Args:
        tab: ``open`` and ``mine`` and ``unassigned`` hold what is open or in progress; ``resolved`` what is resolved
            or closed.
        status: only these.
        priority: only these.
        assigned_to: a user's id, ``me``, or ``none`` for those of nobody.
        person: the customer's id in the vault.
        order: the id or number of the order they stand beside.
        q: literal words.
        user_id: who asks: whose ``mine`` and ``me`` it is.
    """

    tab: TicketTab = "all"
    status: TicketStatus | None = None
    priority: Priority | None = None
    assigned_to: str | None = None
    person: str | None = None
    order: str | None = None
    q: str = ""
    user_id: str | None = None

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        parts = (self.tab, self.status, self.priority, self.assigned_to, self.person, self.order, self.q)
        return "\0".join(["tickets", *(part or "" for part in parts), self.user_id or ""])


@dataclass(frozen=True, slots=True)
class OwnQuery:
    """Which of a customer's own tickets."""

    person_id: str
    status: TicketStatus | None = None
    q: str = ""

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"own tickets\0{self.person_id}\0{self.status or ''}\0{self.q}"


def page(tx: Tx, query: ListQuery | OwnQuery, request: PageRequest) -> Slice[Row[Any]]:
    """A page of tickets, those in which something happened last first."""
    statement = select(ticket).where(condition(tx, query))
    rows = tx.execute(keyset(statement, request, ticket.c.updated_at, ticket.c.id)).all()
    return slice_of(rows, request)


def place(row: TicketRow) -> tuple[int, str]:
    """A row's place in the list, for its page's cursors."""
    return milliseconds(row.updated_at), row.id


def counts(tx: Tx, query: ListQuery) -> TicketCounts:
    """How many tickets of this query there are, by status, unassigned and the caller's own."""

    def tally(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(which)

    found = tx.execute(
        select(
            func.count().label("total"),
            *(
                tally(ticket.c.status == status).label(status)
                for status in ("open", "in_progress", "resolved", "closed")
            ),
            tally(_UNASSIGNED).label("unassigned"),
            tally(_mine(query.user_id)).label("mine"),
        )
        .select_from(ticket)
        .where(condition(tx, query))
    ).one()
    return TicketCounts(**found._mapping)


def waiting(tx: Tx) -> int:
    """How many tickets are open or in progress."""
    found: int = tx.execute(select(func.count()).select_from(ticket).where(_WAITING)).scalar_one()
    return found


def open_counts(tx: Tx, person_ids: Collection[str]) -> dict[str, int]:
    """How many tickets of these people are open or in progress; people without any are left out."""
    mine = ticket.c.person_id.in_(set(person_ids)) & _WAITING
    counted = (
        select(ticket.c.person_id, func.count().label("tickets")).where(mine).group_by(ticket.c.person_id)
    )
    return {row.person_id: row.tickets for row in tx.execute(counted)}


def condition(tx: Tx, query: ListQuery | OwnQuery) -> ColumnElement[bool]:
    """The one condition behind a list and its counts."""
    if isinstance(query, OwnQuery):
        found = ticket.c.person_id == query.person_id
        if query.status is not None:
            found &= ticket.c.status == query.status
        return found & _holds(tx, query.q, own=True) if query.q.strip() else found
    found = _tab(query)
    if query.status is not None:
        found &= ticket.c.status == query.status
    if query.priority is not None:
        found &= ticket.c.priority == query.priority
    if query.assigned_to is not None:
        found &= _assigned(query.assigned_to, query.user_id)
    if query.person is not None:
        found &= ticket.c.person_id == query.person
    if query.order is not None:
        order = refs.find_order(tx, query.order.strip())
        found &= ticket.c.order_id == (query.order if order is None else order.id)
    return found & _holds(tx, query.q, own=False) if query.q.strip() else found


def _tab(query: ListQuery) -> ColumnElement[bool]:
    tabs: dict[TicketTab, ColumnElement[bool]] = {
        "open": _WAITING,
        "mine": _mine(query.user_id),
        "unassigned": _UNASSIGNED,
        "resolved": ticket.c.status.in_(DONE),
        "all": true(),
    }
    return tabs[query.tab]


def _mine(user_id: str | None) -> ColumnElement[bool]:
    return _WAITING & (ticket.c.assigned_to == literal(user_id or ""))


def _assigned(who: str, user_id: str | None) -> ColumnElement[bool]:
    if who == NOBODY:
        return ticket.c.assigned_to.is_(None)
    return ticket.c.assigned_to == ((user_id or "") if who == ME else who)


def _holds(tx: Tx, q: str, *, own: bool) -> ColumnElement[bool]:
    """Tickets that hold ``q`` letter for letter, whatever its case: in the title, the description, what was said.

    Staff also find a ticket by its customer, and by their notes; a customer by neither.
    """
    q = q.strip()
    said = (comment.c.ticket_id == ticket.c.id) & _contains(tx, comment.c.body, q)
    if own:
        said &= comment.c.is_internal == 0
    found = [_contains(tx, ticket.c.title, q), _contains(tx, ticket.c.description, q), exists().where(said)]
    number = number_of(q)
    if number is not None:
        found.append(ticket.c.number == number)
    if not own:
        named = people.holds(tx.dialect, literal(fold_email(q)), literal(fold(q)))
        found.append(ticket.c.person_id.in_(select(person.c.id).where(named)))
    return or_(*found)


def _contains(tx: Tx, column: ColumnElement[str], q: str) -> ColumnElement[bool]:
    """Neither database folds every letter, so the words are looked for in small and in capital letters."""
    position = func.instr if tx.dialect == "sqlite" else func.strpos
    spellings = dict.fromkeys((q.lower(), _ascii_lower(q.upper())))
    return or_(*(position(func.lower(column), literal(text)) > 0 for text in spellings))


def _ascii_lower(text: str) -> str:
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)
