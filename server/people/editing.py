"""Changes to what the vault says of a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row, update
from sqlalchemy.exc import IntegrityError

from server.kit.folding import clean_text, fold, fold_email
from server.kit.problems import ProblemError, invalid_request
from server.kit.tx import Tx
from server.people.models import person
from server.people.service import MAX_EMAIL, MAX_NAME, MAX_PHONE

_LONGEST: Final = {"name": MAX_NAME, "email": MAX_EMAIL, "phone": MAX_PHONE}


def change(
    tx: Tx, row: Row[Any], changes: Mapping[str, str | None]
) -> dict[str, tuple[str | None, str | None]]:
    """Write a person's name, e-mail or phone.

    Args:
        tx: the transaction.
        row: the person as it stands.
        changes: by field; None takes it away, what is left out stays.

    Returns:
        What it was and what it is, by field, of those that changed.

    Raises:
        ProblemError: 409 ``email_taken`` when another person of the same kind has the e-mail; 422 ``invalid_request``
            for one of nothing but spaces.
    """
    given = {field: cleaned(field, text) for field, text in changes.items()}
    changed = {
        field: (getattr(row, field), text) for field, text in given.items() if getattr(row, field) != text
    }
    if not changed:
        return {}
    values: dict[str, Any] = {field: new for field, (_, new) in changed.items()}
    if "email" in values:
        values["email_key"] = None if values["email"] is None else fold_email(values["email"])
    if "name" in values:
        values["name_key"] = None if values["name"] is None else fold(values["name"])
    try:
        with tx.savepoint():
            tx.execute(update(person).where(person.c.id == row.id).values(**values, updated_at=tx.now))
    except IntegrityError:
        raise ProblemError(
            409, "email_taken", f"Another {_WORDS[row.kind]} has this e-mail already."
        ) from None
    tx.touch("people")
    return changed


def cleaned(field: str, text: str | None) -> str | None:
    """A text of a field as the vault keeps it.

    Raises:
        ProblemError: 422 ``invalid_request`` for nothing but spaces.
    """
    if text is None:
        return None
    kept = clean_text(text.strip(), _LONGEST[field])
    if not kept:
        raise invalid_request((field, "must hold more than spaces"))
    return kept


_WORDS: Final = {"customer": "customer", "staff": "member of staff"}
