"""How an account stands inside a transaction: the caller's role, the last Owner, who is locked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import func, select

from server.accounts.models import user
from server.kit.access import RANK, Principal, Role
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.people.models import person

_OWNERS_LOCK: Final = 0x5348_4F51  # one number for all transactions that may take an Owner away
_OWNERS: Final = (user.c.role == "owner") & (user.c.active == 1)


def acting_role(tx: Tx, caller: Principal) -> Role:
    """The caller's role as it stands inside this transaction: somebody may just have taken it away.

    Raises:
        ProblemError: 401 ``unauthenticated`` when the caller has been deactivated meanwhile.
    """
    if caller.user_id is None:
        return caller.role
    row = tx.execute(select(user.c.role, user.c.active).where(user.c.id == caller.user_id)).first()
    if row is None or not row.active:
        raise ProblemError(401, "unauthenticated", "This token has been revoked.", reason="revoked")
    return lower(caller.role, row.role)


def lower(one: Role, other: Role) -> Role:
    """The role that stands lower."""
    return one if RANK[one] <= RANK[other] else other


def hold_owners(tx: Tx) -> None:
    """Let no other transaction count Owners meanwhile: two of them could take each other away otherwise.

    Whoever demotes, deactivates or deletes an account calls this first, before reading anything about it.
    """
    if tx.dialect == "postgresql":
        tx.driver_sql(f"SELECT pg_advisory_xact_lock({_OWNERS_LOCK})")


def active_owners(tx: Tx) -> int:
    """How many active Owners there are; only these count."""
    return int(tx.execute(select(func.count()).select_from(user).where(_OWNERS)).scalar_one())


def is_last_owner(tx: Tx, row: Any) -> bool:
    """Whether a row of ``account`` is the one active Owner that the shop must keep."""
    return row.role == "owner" and bool(row.active) and active_owners(tx) <= 1


def hold(tx: Tx, user_id: str) -> Any | None:
    """An account's row, which nobody changes until this transaction ends; None when there is none.

    Whatever opens a way in (a token, an invitation) holds the account first, so that a deactivation at the same moment
    comes either before it, and is seen, or after it, and ends it.
    """
    statement = select(user).where(user.c.id == user_id)
    return tx.execute(statement.with_for_update(read=True)).first()


def locked(tx: Tx, person_ids: Collection[str]) -> set[str]:
    """Those of the people whose erasure is scheduled: their accounts stay shut until it is called off."""
    if not person_ids:
        return set()
    hidden = person.c.id.in_(set(person_ids)) & person.c.hidden_at.is_not(None)
    return set(tx.execute(select(person.c.id).where(hidden)).scalars())
