"""What staff wrote down about people, for staff alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select

from server.kit.folding import clean_text
from server.kit.problems import invalid_request, not_found
from server.kit.tx import Tx
from server.people.models import note

MAX_NOTE: Final = 4096


def add(tx: Tx, person_id: str, body: str, *, author: str | None) -> Row[Any]:
    """Keep a note.

    Args:
        tx: the transaction.
        person_id: whom it is about.
        body: what it says.
        author: the user who wrote it.

    Raises:
        ProblemError: 422 ``invalid_request`` for nothing but spaces.
    """
    text = clean_text(body.strip(), MAX_NOTE)
    if not text:
        raise invalid_request(("body", "must hold more than spaces"))
    values = {"id": tx.new_id(), "person_id": person_id, "author_user_id": author, "body": text}
    made = tx.execute(insert(note).values(**values, created_at=tx.now).returning(note)).one()
    tx.touch("people")
    return made


def remove(tx: Tx, person_id: str, note_id: str) -> None:
    """Take a note away.

    Raises:
        ProblemError: 404 ``not_found``, also for a note about somebody else.
    """
    mine = (note.c.id == note_id) & (note.c.person_id == person_id)
    if tx.execute(delete(note).where(mine).returning(note.c.id)).first() is None:
        raise not_found("note")
    tx.touch("people")


def of(tx: Tx, person_id: str, most: int) -> Sequence[Row[Any]]:
    """A person's notes, the newest first, ``most`` of them."""
    newest = (note.c.created_at.desc(), note.c.id.desc())
    return tx.execute(select(note).where(note.c.person_id == person_id).order_by(*newest).limit(most)).all()
