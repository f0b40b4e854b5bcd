"""Telling those who follow tickets what happened: ids and the change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from server.accounts import users
from server.kit import topics
from server.kit.tx import Tx
from server.tickets.topics import ALL, COUNTER, of_ticket, of_user


def tell(
    tx: Tx, event: str, row: Row[Any], *, internal: bool = False, also: str | None = None, **change: Any
) -> None:
    """Tell of one ticket, and move the counter.

    Args:
        tx: the transaction of what happened.
        event: its name.
        row: the ticket.
        internal: for staff alone.
        also: a user who is told beside the customer.
        change: what goes with it: ids and plain values.
    """
    names = [ALL, of_ticket(row.id)]
    if not internal:
        names += map(of_user, _owners(tx, [row]).values())
    if also is not None:
        names.append(of_user(also))
    topics.publish(tx, event, *names, ticket_id=row.id, **change)
    tx.touch(COUNTER)


def tell_bulk(tx: Tx, rows: Sequence[Row[Any]], changes: Mapping[str, Any], assignee: str | None) -> None:
    """Tell of many tickets at once; each user only of their own, and each ticket's topic of that one.

    Args:
        tx: the transaction.
        rows: the tickets that were changed.
        changes: the new values by field.
        assignee: to whom all of them were given just now.
    """
    event = "tickets_bulk_updated"
    topics.publish(tx, event, ALL, ids=[row.id for row in rows], changes=dict(changes))
    owners = _owners(tx, rows)
    by_user: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        topics.publish(tx, event, of_ticket(row.id), ids=[row.id], changes=dict(changes))
        if row.person_id in owners:
            by_user[owners[row.person_id]].append(row.id)
        if assignee is not None:
            by_user[assignee].append(row.id)
    for user_id, ids in by_user.items():
        topics.publish(tx, event, of_user(user_id), ids=list(dict.fromkeys(ids)), changes=dict(changes))
    tx.touch(COUNTER)


def _owners(tx: Tx, rows: Sequence[Row[Any]]) -> dict[str, str]:
    """The user ids of the customers behind tickets, by person; those without an account are left out."""
    return users.user_of(tx, {row.person_id for row in rows if row.person_id is not None})
