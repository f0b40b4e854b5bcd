"""What is said in a ticket: replies that the customer sees, and notes for staff alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from server.audit import service as audit
from server.contract.tickets import NewComment
from server.kit.access import Principal
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.tickets import events, mails, policy, words
from server.tickets.finding import find, person_of
from server.tickets.models import comment, ticket


def add(tx: Tx, key: str, new: NewComment, caller: Principal) -> Row[Any]:
    """A reply or a note by staff. A reply is mailed to the customer, unless the shop wants none mailed.

    Returns:
        The comment.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``ticket_closed``, ``comments_disabled`` or
            ``internal_notes_disabled``; 422 ``invalid_request``; 403 ``insufficient_permissions``.
    """
    who = policy.acting(tx, caller, "tickets.write")
    row = find(tx, key, lock=True)
    reason = policy.obstacle("note" if new.is_internal else "reply", row, who, policy.gates(tx))
    if reason is not None:
        policy.refuse(reason)
    said = _write(tx, row, new, author_kind="staff", author_user_id=who.user_id)
    if new.is_internal:
        events.tell(tx, "internal_note_created", row, internal=True, comment_id=said.id)
    else:
        events.tell(tx, "comment_created", row, comment_id=said.id)
        mails.send(tx, row, said, who)
    return said


def add_own(tx: Tx, key: str, new: NewComment, caller: Principal) -> Row[Any]:
    """A reply by the customer to an own ticket.

    Returns:
        The comment.

    Raises:
        ProblemError: 404 ``support_disabled`` or ``not_found``, also for another's ticket; 409 ``ticket_closed`` or
            ``comments_disabled``; 422 ``invalid_request``; 403 ``insufficient_permissions`` for a note.
    """
    policy.customers_welcome(tx)
    who = policy.acting(tx, caller, "tickets.own")
    person_id = person_of(tx, who)
    row = find(tx, key, owner=person_id, lock=True)
    if new.is_internal:
        policy.refuse(policy.NO_PERMISSION)
    reason = policy.obstacle("reply", row, who, policy.gates(tx))
    if reason is not None:
        policy.refuse(reason)
    said = _write(tx, row, new, author_kind="customer", person_id=person_id)
    events.tell(tx, "comment_created", row, comment_id=said.id)
    return said


def remove(tx: Tx, key: str, comment_id: str, caller: Principal) -> Row[Any]:
    """Delete a comment: staff their own, an Owner or an Admin any. Recorded in the audit log.

    A reply's mail that has not left yet does not leave any more.

    Returns:
        The ticket.

    Raises:
        ProblemError: 404 ``not_found``; 403 ``insufficient_permissions``.
    """
    who = policy.acting(tx, caller, "tickets.write")
    row = find(tx, key, lock=True)
    mine = (comment.c.id == comment_id) & (comment.c.ticket_id == row.id)
    said = tx.execute(select(comment).where(mine)).first()
    if said is None:
        raise not_found("comment")
    reason = policy.comment_obstacle(said, who)
    if reason is not None:
        policy.refuse(reason)
    internal = bool(said.is_internal)
    audit.record(
        tx,
        "ticket.comment_deleted",
        caller=who,
        resource_type="ticket",
        resource_id=row.id,
        target_user_id=said.author_user_id,
        metadata={"internal": internal},
    )
    tx.execute(delete(comment).where(mine))
    if not internal:
        _count(tx, row.id)
    events.tell(tx, "comment_deleted", row, internal=internal, comment_id=comment_id)
    return find(tx, row.id)


def _write(tx: Tx, row: Row[Any], new: NewComment, **author: Any) -> Row[Any]:
    said = tx.execute(
        insert(comment)
        .values(
            id=tx.new_id(),
            ticket_id=row.id,
            is_internal=int(new.is_internal),
            body=words.body(new.body),
            created_at=tx.now,
            **author,
        )
        .returning(comment)
    ).one()
    if not new.is_internal:
        _count(tx, row.id)
    return said


def _count(tx: Tx, ticket_id: str) -> None:
    """Count what the customer sees. A note leaves no trace here: the customer sees when a ticket last moved."""
    public = (comment.c.ticket_id == ticket_id) & (comment.c.is_internal == 0)
    counted = select(func.count()).select_from(comment).where(public).scalar_subquery()
    tx.execute(
        update(ticket).where(ticket.c.id == ticket_id).values(comment_count=counted, updated_at=tx.now)
    )
