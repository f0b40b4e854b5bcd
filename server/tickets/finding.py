"""Tickets by what people call them."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, select

from server.accounts import users
from server.kit.access import Principal
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.tickets.models import ticket

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_NUMBER: Final = re.compile(r"#?([0-9]{1,15})", re.ASCII)


def number_of(text: str) -> int | None:
    """The number in ``12`` or ``#12``; None for anything else."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1]) if found else None


def find(tx: Tx, key: str, *, owner: str | None = None, lock: bool = False) -> Row[Any]:
    """The ticket with this id or number.

    Args:
        tx: the transaction.
        key: anything a stranger may have sent.
        owner: the person whose ticket it must be; another's is as unknown as one that is not there.
        lock: keep others from changing it until the transaction ends.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    mine: ColumnElement[bool]
    if _ID.fullmatch(key):
        mine = ticket.c.id == key.lower()
    elif (number := number_of(key)) is not None:
        mine = ticket.c.number == number
    else:
        raise not_found("ticket")
    statement = select(ticket).where(mine)
    if owner is not None:
        statement = statement.where(ticket.c.person_id == owner)
    row = tx.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise not_found("ticket")
    return row


def person_of(tx: Tx, caller: Principal) -> str:
    """The person behind a customer's own token.

    Raises:
        ProblemError: 404 ``not_found`` for an account that is gone.
    """
    found = None if caller.user_id is None else users.person_of(tx, caller.user_id)
    if found is None:
        raise not_found("account")
    return found
