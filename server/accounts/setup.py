"""The first Owner of a server reached from afar: whoever can read the server's console or data directory.

A code of 128 random bits, good for 30 minutes and 5 tries, stands in a 0600 file; the store keeps its hash. Using it
and making the Owner is one transaction. Once an Owner exists there is no code and no way back to one.
"""

from __future__ import annotations

import hmac
from typing import Any, Literal

from sqlalchemy import Row, delete, insert, select, update

from server.accounts.codes import hash_code
from server.accounts.codes import new_code as made_up
from server.accounts.models import setup_code
from server.accounts.service import make_token
from server.accounts.users import create_owner, has_owner
from server.kit.clock import MINUTE
from server.kit.problems import ProblemError
from server.kit.tx import Tx

LIFETIME = 30 * MINUTE
TRIES = 5
_ROW = 1
_SETUP_LOCK = 0x5348_4F52

Refused = Literal["wrong", "expired", "used_up", "no_code"]


def new_code(tx: Tx) -> str | None:
    """Make a code, in place of any before it; None once an Owner exists."""
    alone(tx)
    if has_owner(tx):
        return None
    code = made_up()
    tx.execute(delete(setup_code))
    tx.execute(
        insert(setup_code).values(
            id=_ROW, code_hash=hash_code(code), expires_at=tx.now + LIFETIME, attempts=0
        )
    )
    return code


def use_code(tx: Tx, code: str, *, email: str, name: str | None) -> tuple[Row[Any], str] | Refused:
    """Make the Owner and the first token with the code.

    A refusal is an answer and no exception, so that the try it used up is committed.

    Returns:
        The Owner's first token, as ``make_token`` gives it; or why the code was refused.

    Raises:
        ProblemError: 409 ``conflict`` once an Owner exists.
    """
    alone(tx)
    if has_owner(tx):
        raise ProblemError(409, "conflict", "This shop has its Owner already.", reason="already_set_up")
    row = tx.execute(select(setup_code).where(setup_code.c.id == _ROW)).first()
    if row is None:
        return "no_code"
    if row.attempts >= TRIES:
        return "used_up"
    if row.expires_at <= tx.now:
        return "expired"
    tx.execute(update(setup_code).values(attempts=setup_code.c.attempts + 1))
    if not hmac.compare_digest(hash_code(code).encode(), row.code_hash.encode()):
        return "wrong"
    tx.execute(delete(setup_code))
    owner = create_owner(tx, email=email, name=name, by="setup")
    return make_token(tx, user_id=owner, role="owner", name="first token")


def alone(tx: Tx) -> None:
    """Let no other transaction make or use a code meanwhile (SQLite has one writer anyway)."""
    if tx.dialect == "postgresql":
        tx.driver_sql(f"SELECT pg_advisory_xact_lock({_SETUP_LOCK})")
