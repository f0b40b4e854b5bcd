"""Changing a ticket: its state, priority, title, and who works on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from server.accounts.models import user
from server.audit import service as audit
from server.contract.tickets import ChangeTicket, ChangeTickets, Priority, TicketStatus
from server.kit.access import Principal
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.tickets import events, policy, states, story, words
from server.tickets.finding import find
from server.tickets.models import history, ticket
from server.tickets.policy import Gates

_STORIES: Final[dict[TicketStatus, str]] = {
    "resolved": "ticket.resolved",
    "closed": "ticket.closed",
    "open": "ticket.reopened",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be different. ``assign`` says that ``assigned_to`` counts: a user, or None for nobody."""

    title: str | None = None
    status: TicketStatus | None = None
    priority: Priority | None = None
    assign: bool = False
    assigned_to: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One field that becomes another value. ``by_itself``: it follows from another step."""

    field: str
    old: str | None
    new: str | None
    by_itself: bool = False


def wanted(tx: Tx, request: ChangeTicket | ChangeTickets) -> Wanted:
    """What a request asks for, once its words are clean and whom it names can be given a ticket.

    Raises:
        ProblemError: 422 ``invalid_request``.
    """
    assign = "assigned_to" in request.model_fields_set
    if assign and request.assigned_to is not None:
        _must_be_assignable(tx, request.assigned_to)
    title = request.title if isinstance(request, ChangeTicket) else None
    return Wanted(
        title=None if title is None else words.title(title),
        status=request.status,
        priority=request.priority,
        assign=assign,
        assigned_to=request.assigned_to,
        reason=words.reason(request.reason),
    )


def change(tx: Tx, key: str, request: ChangeTicket, caller: Principal) -> Row[Any]:
    """Change one ticket. What it has already is no change and tells nobody anything.

    Giving an open ticket to somebody puts it in progress, unless the request names a state itself.

    Returns:
        The ticket as it is now.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``invalid_transition``, ``reopen_not_allowed`` or ``ticket_closed``; 422
            ``invalid_request``; 403 ``insufficient_permissions``.
    """
    who = policy.acting(tx, caller, "tickets.write")
    row = find(tx, key, lock=True)
    asked = wanted(tx, request)
    steps = plan(row, asked, policy.gates(tx))
    if not steps:
        return row
    now = write(tx, row, steps, asked, who)
    _tell(tx, now, steps)
    return now


def plan(row: Any, asked: Wanted, gate: Gates) -> list[Step]:
    """The steps from how a ticket is to what is asked for, in the order in which they are taken.

    Raises:
        ProblemError: 409 ``invalid_transition``, ``reopen_not_allowed`` or ``ticket_closed``.
    """
    steps: list[Step] = []
    if asked.title is not None and asked.title != row.title:
        steps.append(Step("title", None, None))
    if asked.priority is not None and asked.priority != row.priority:
        steps.append(Step("priority", row.priority, asked.priority))
    status: TicketStatus = row.status
    to_status: list[Step] = []
    if asked.status is not None and asked.status != status:
        reason = states.obstacle(status, asked.status, reopening=gate.reopening)
        if reason is not None:
            policy.refuse(reason)
        to_status.append(Step("status", status, asked.status))
    if not asked.assign or asked.assigned_to == row.assigned_to:
        return steps + to_status
    given = Step("assigned_to", row.assigned_to, asked.assigned_to)
    if status == "closed":  # opened and given to somebody at once
        if not to_status:
            policy.refuse("ticket_closed")
        return [*steps, *to_status, given]
    if status == "open" and asked.assigned_to is not None and asked.status is None:
        to_status.append(Step("status", status, "in_progress", by_itself=True))
    return [*steps, given, *to_status]


def write(tx: Tx, row: Row[Any], steps: Sequence[Step], asked: Wanted, caller: Principal) -> Row[Any]:
    """Take the steps: the row, its stamps, its history, the order's story. Nobody is told yet.

    Returns:
        The ticket as it is now.
    """
    values: dict[str, Any] = {"updated_at": tx.now}
    for step in steps:
        values[step.field] = asked.title if step.field == "title" else step.new
        if step.field == "status":
            values |= states.stamps(_status(step.new), tx.now)
    now = tx.execute(update(ticket).where(ticket.c.id == row.id).values(**values).returning(ticket)).one()
    lines = [step for step in steps if step.field != "title"]
    about = [step for step in lines if step.field == "status" and not step.by_itself] or [
        step for step in lines if not step.by_itself
    ]
    for step in lines:
        line_id = tx.new_id()
        tx.execute(
            insert(history).values(
                id=line_id,
                ticket_id=row.id,
                changed_by=caller.user_id,
                field=step.field,
                value_from=step.old,
                value_to=step.new,
                reason=asked.reason if step in about else None,
                created_at=tx.now,
            )
        )
        if step.field == "status":
            _tell_story(tx, now, step, caller, line_id)
    return now


def delete_ticket(tx: Tx, key: str, caller: Principal) -> Row[Any]:
    """Delete a ticket with all that was said in it and the files beside it. Recorded in the audit log.

    Returns:
        The ticket as it was.

    Raises:
        ProblemError: 404 ``not_found``; 403 ``insufficient_permissions``.
    """
    who = policy.acting(tx, caller, "tickets.delete")
    row = find(tx, key, lock=True)
    audit.record(
        tx,
        "ticket.deleted",
        caller=who,
        resource_type="ticket",
        resource_id=row.id,
        metadata={"number": row.number},
    )
    tx.execute(delete(ticket).where(ticket.c.id == row.id))
    events.tell(tx, "ticket_deleted", row)
    return row


def _tell(tx: Tx, row: Row[Any], steps: Sequence[Step]) -> None:
    fields = [step.field for step in steps if step.field != "status"]
    if fields:
        events.tell(tx, "ticket_updated", row, fields=fields)
    for step in steps:
        if step.field == "status":
            events.tell(tx, "ticket_status_changed", row, old=step.old, new=step.new)
        elif step.field == "priority":
            events.tell(tx, "ticket_priority_changed", row, old=step.old, new=step.new)
        elif step.field == "assigned_to":
            events.tell(tx, "ticket_assigned", row, also=step.new, old=step.old, new=step.new)


def _tell_story(tx: Tx, row: Row[Any], step: Step, caller: Principal, line_id: str) -> None:
    """Opened again, resolved, or closed without having been resolved: that much stands in the order's story."""
    put_back = step.new == "open" and step.old not in states.DONE
    told_before = step.new == "closed" and step.old == "resolved"
    event = _STORIES.get(_status(step.new))
    if event is not None and not put_back and not told_before:
        story.tell(tx, event, row, caller, line_id)


def _status(text: str | None) -> TicketStatus:
    return next(status for status in states.STATUSES if status == text)


def _must_be_assignable(tx: Tx, user_id: str) -> None:
    row = tx.execute(select(user.c.role, user.c.active).where(user.c.id == user_id)).first()
    if row is None or not policy.can_be_assigned(row.role, active=bool(row.active)):
        message = "must be active staff who may work on tickets"
        raise ProblemError(
            422,
            "invalid_request",
            f"assigned_to {message}.",
            reason="not_assignable",
            fields=[("assigned_to", message)],
        )
