"""Tickets as staff and as customers see them. What is for staff alone never reaches a customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select, union_all

from server.accounts import users
from server.contract.activity import OrderRef
from server.contract.orders import CustomerRef
from server.contract.tickets import Comment, Staff, Ticket, TicketChange, TicketRow
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none
from server.kit.paging import PageRequest, Slice
from server.kit.tx import Tx
from server.mail.plain import one_line
from server.orders import service as orders
from server.people import service as people
from server.people.service import Person, shown_as
from server.settings import service as settings
from server.tickets import listing, policy
from server.tickets.finding import find, person_of
from server.tickets.models import comment, history, ticket
from server.tickets.states import WAITING


@dataclass(frozen=True, slots=True)
class _Joined:
    """By id what rows point at; by ticket ``last`` is who spoke last to or as the customer, ``movers`` who moved it."""

    people: Mapping[str, Person]
    staff: Mapping[str, str]
    orders: Mapping[str, str]
    last: Mapping[str, str]
    movers: Mapping[str, str]


def get(tx: Tx, key: str, caller: Principal) -> Ticket:
    """A ticket whole, by id or number, as staff see it.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    return shown(tx, find(tx, key), caller)


def get_own(tx: Tx, key: str, caller: Principal) -> Ticket:
    """A customer's own ticket, by id or number.

    Raises:
        ProblemError: 404 ``support_disabled``, or ``not_found``, also for another's ticket.
    """
    policy.customers_welcome(tx)
    return shown(tx, find(tx, key, owner=person_of(tx, caller)), caller)


def page(tx: Tx, query: listing.ListQuery, request: PageRequest, caller: Principal) -> Slice[TicketRow]:
    """A page of tickets, those in which something happened last first."""
    found = listing.page(tx, query, request)
    return Slice(rows(tx, found.rows, caller), found.older, found.newer)


def page_own(tx: Tx, query: listing.OwnQuery, request: PageRequest, caller: Principal) -> Slice[TicketRow]:
    """A page of a customer's own tickets, in the same order."""
    found = listing.page(tx, query, request)
    return Slice(rows(tx, found.rows, caller), found.older, found.newer)


def rows(tx: Tx, found: Sequence[Row[Any]], caller: Principal) -> list[TicketRow]:
    """Tickets of a list. Who may not read tickets, a shop's program, is not told whose they are."""
    joined = _join(tx, found, caller)
    return [TicketRow(**_head(row, joined, caller)) for row in found]


def shown(tx: Tx, row: Row[Any], caller: Principal) -> Ticket:
    """A ticket whole, as this caller may see it."""
    joined = _join(tx, [row], caller)
    internal = caller.may("tickets.read")
    reads = internal or caller.may("tickets.own")
    return Ticket(
        **_head(row, joined, caller),
        description=row.description,
        comments=_comments(tx, row, caller) if reads else [],
        history=_history(tx, row) if internal else [],
        actions=policy.actions(row, caller, policy.gates(tx)) if reads else [],
    )


def shown_comment(tx: Tx, said: Row[Any], caller: Principal) -> Comment:
    """One comment, as this caller may see it."""
    return _shown_comments(tx, [said], caller)[0]


def _join(tx: Tx, found: Sequence[Row[Any]], caller: Principal) -> _Joined:
    order_ids = {row.order_id for row in found if row.order_id}
    return _Joined(
        people.people(tx, {row.person_id for row in found if row.person_id}),
        users.names(tx, [row.assigned_to for row in found]),
        orders.numbers(tx, order_ids) if order_ids else {},
        _last_voices(tx, [row.id for row in found if row.status in WAITING]),
        _movers(tx, [row.id for row in found]) if caller.may("tickets.read") else {},
    )


def _head(row: Row[Any], joined: _Joined, caller: Principal) -> dict[str, Any]:
    staff, reads = caller.may("tickets.read"), caller.may("tickets.read") or caller.may("tickets.own")
    given = row.assigned_to if staff else None
    waits = "customer" if joined.last.get(row.id) == "staff" else "staff"
    return {
        "id": row.id,
        "number": row.number,
        "slug": row.slug,
        "title": row.title,
        "status": row.status,
        "priority": row.priority,
        "customer": _customer(row, joined.people.get(row.person_id)) if reads else None,
        "order": _order(row, joined.orders),
        "assigned_to": None if given is None else Staff(id=given, name=joined.staff.get(given)),
        "comment_count": row.comment_count,
        "waits_for": waits if row.status in WAITING else None,
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
        "moved_by": joined.movers.get(row.id),
        "resolved_at": instant_or_none(row.resolved_at),
        "closed_at": instant_or_none(row.closed_at),
        "anonymized_at": instant_or_none(row.anonymized_at),
    }


def _customer(row: Row[Any], person: Person | None) -> CustomerRef | None:
    if person is None:
        return None if row.person_mark is None else CustomerRef(erased=row.person_mark)
    if person.erased_at is not None:
        return CustomerRef(erased=person.mark)
    return CustomerRef(id=person.id, name=person.name, email=person.email, phone=person.phone)


def _order(row: Row[Any], numbers: Mapping[str, str]) -> OrderRef | None:
    number = numbers.get(row.order_id)
    return None if number is None else OrderRef(id=row.order_id, number=number)


def _last_voices(tx: Tx, ids: Sequence[str]) -> dict[str, str]:
    """Who wrote last, customer or staff, where anybody wrote anything after the ticket itself."""
    if not ids:
        return {}
    newest = func.row_number().over(
        partition_by=comment.c.ticket_id, order_by=(comment.c.created_at.desc(), comment.c.id.desc())
    )
    public = comment.c.ticket_id.in_(ids) & (comment.c.is_internal == 0)
    ranked = select(comment.c.ticket_id, comment.c.author_kind, newest.label("rank")).where(public).subquery()
    found = tx.execute(select(ranked.c.ticket_id, ranked.c.author_kind).where(ranked.c.rank == 1))
    return {row.ticket_id: row.author_kind for row in found}


def _movers(tx: Tx, ids: Sequence[str]) -> dict[str, str]:
    """The user who changed or answered a ticket at the moment when it moved last, where that was one alone."""
    if not ids:
        return {}
    changed = select(history.c.ticket_id, history.c.changed_by.label("user_id")).where(
        history.c.ticket_id == ticket.c.id, history.c.created_at == ticket.c.updated_at, ticket.c.id.in_(ids)
    )
    said = select(comment.c.ticket_id, comment.c.author_user_id).where(
        comment.c.ticket_id == ticket.c.id,
        comment.c.created_at == ticket.c.updated_at,
        comment.c.is_internal == 0,
        ticket.c.id.in_(ids),
    )
    found: dict[str, set[str]] = {}
    for row in tx.execute(union_all(changed, said)):
        found.setdefault(row.ticket_id, set()).add(row.user_id or "")
    alone = ((ticket_id, next(iter(users))) for ticket_id, users in found.items() if len(users) == 1)
    return {ticket_id: user_id for ticket_id, user_id in alone if user_id}


def _comments(tx: Tx, row: Row[Any], caller: Principal) -> list[Comment]:
    mine = comment.c.ticket_id == row.id
    if not caller.may("tickets.read"):
        mine &= comment.c.is_internal == 0
    found = tx.execute(select(comment).where(mine).order_by(comment.c.created_at, comment.c.id)).all()
    return _shown_comments(tx, found, caller)


def _shown_comments(tx: Tx, found: Sequence[Row[Any]], caller: Principal) -> list[Comment]:
    """To customers staff speak as the shop; among staff everybody has a name."""
    known = people.people(tx, {said.person_id for said in found if said.person_id})
    if caller.may("tickets.read"):
        staff: Mapping[str, str] = users.names(tx, [said.author_user_id for said in found])
        shop = None
    else:
        staff, shop = {}, one_line(settings.get(tx, "shop.name"))

    def author(said: Row[Any]) -> str | None:
        if said.author_kind == "staff" and shop is not None:
            return shop
        if said.person_id in known:
            return known[said.person_id].shown
        named = staff.get(said.author_user_id)
        return named or (shown_as(None, None, said.author_mark) if said.author_mark else None)

    return [
        Comment(
            id=said.id,
            is_internal=bool(said.is_internal),
            author_kind=said.author_kind,
            author=author(said),
            body=said.body,
            created_at=instant(said.created_at),
            actions=policy.comment_actions(said, caller),
        )
        for said in found
    ]


def _history(tx: Tx, row: Row[Any]) -> list[TicketChange]:
    """The ticket's changes, oldest first; who it was given to by name, as they are called now."""
    oldest = (history.c.created_at, history.c.id)
    lines = tx.execute(select(history).where(history.c.ticket_id == row.id).order_by(*oldest)).all()
    given = [
        value for line in lines if line.field == "assigned_to" for value in (line.value_from, line.value_to)
    ]
    named = users.names(tx, [*given, *(line.changed_by for line in lines)])

    def value(line: Row[Any], said: str | None) -> str | None:
        return named.get(said, said) if line.field == "assigned_to" and said is not None else said

    return [
        TicketChange(
            field=line.field,
            value_from=value(line, line.value_from),
            value_to=value(line, line.value_to),
            reason=line.reason,
            who=named.get(line.changed_by),
            at=instant(line.created_at),
        )
        for line in lines
    ]
