"""The same change to many tickets: all of them, or none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from server.contract.tickets import ChangedTickets, ChangeTickets
from server.kit.access import Principal
from server.kit.problems import ProblemError, invalid_request
from server.kit.tx import Tx
from server.tickets import changing, events, policy
from server.tickets.changing import Step, Wanted
from server.tickets.models import ticket


def change_many(tx: Tx, request: ChangeTickets, caller: Principal) -> ChangedTickets:
    """Change many tickets, and tell of it once.

    Returns:
        The ids of those that were changed, in the order in which they were named.

    Raises:
        ProblemError: 422 ``invalid_request`` where nothing is to be changed; 404 ``not_found`` where one is not
            there; what `changing.change` raises, with the number of the ticket that refuses.
    """
    who = policy.acting(tx, caller, "tickets.write")
    asked = changing.wanted(tx, request)
    if asked.status is None and asked.priority is None and not asked.assign:
        raise invalid_request(("status", "status, priority or assigned_to must be given"))
    ids = list(dict.fromkeys(request.ids))
    rows = _held(tx, ids)
    gate = policy.gates(tx)
    plans = {row.id: _plan(row, asked, gate) for row in rows.values()}
    changed = [
        changing.write(tx, rows[ticket_id], plans[ticket_id], asked, who)
        for ticket_id in ids
        if plans[ticket_id]
    ]
    if changed:
        given = asked.assigned_to if asked.assign else None
        events.tell_bulk(tx, changed, _changes(asked), given)
    return ChangedTickets(changed=[row.id for row in changed])


def _held(tx: Tx, ids: list[str]) -> dict[str, Row[Any]]:
    """The tickets, kept from others' changes; taken in one order, so that two who want the same do not block."""
    statement = select(ticket).where(ticket.c.id.in_(ids)).order_by(ticket.c.id).with_for_update()
    rows = {row.id: row for row in tx.execute(statement)}
    missing = [place for place, ticket_id in enumerate(ids) if ticket_id not in rows]
    if missing:
        fields = [(f"ids.{place}", "is no ticket") for place in missing]
        raise ProblemError(404, "not_found", "There is no such ticket. Nothing was changed.", fields=fields)
    return rows


def _plan(row: Row[Any], asked: Wanted, gate: policy.Gates) -> list[Step]:
    try:
        return changing.plan(row, asked, gate)
    except ProblemError as refused:
        detail = f"Ticket #{row.number}: {refused.detail} Nothing was changed."
        raise ProblemError(refused.status, refused.code, detail, reason=refused.reason) from None


def _changes(asked: Wanted) -> dict[str, str | None]:
    """What was asked of all of them; one that changes nothing by itself is not among the ids."""
    said: dict[str, str | None] = {}
    if asked.status is not None:
        said["status"] = asked.status
    if asked.priority is not None:
        said["priority"] = asked.priority
    if asked.assign:
        said["assigned_to"] = asked.assigned_to
    return said
