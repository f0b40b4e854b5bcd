"""Members of staff by the ids of their users, for rooms below the one that knows what a user is."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from server.kit import refs
from server.kit.tx import Tx
from server.people import service as people


def staff_names(tx: Tx, users: Iterable[str]) -> dict[str, str]:
    """How members of staff are named, by user id; one who is gone is left out."""
    table, wanted = refs.staff(), list(users)
    if table is None or not wanted:
        return {}
    persons: dict[str, str] = {
        row.id: row.person_id
        for row in tx.execute(select(table.c.id, table.c.person_id).where(table.c.id.in_(wanted)))
    }
    known = people.people(tx, list(persons.values()))
    return {user: known[person].shown for user, person in persons.items() if person in known}
