"""Who may delete whom. One order of checks for the plan, for the person's actions and for the deletion itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select

from server.accounts import standing
from server.accounts.actions import Standing, offer
from server.accounts.models import user
from server.contract.base import ActionState
from server.contract.deletion import Protection
from server.kit.access import RANK, Principal, Role
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx
from server.people.models import person

ACTION: Final = "delete"
OWNER: Final = "target_is_owner"
STAFF: Final = "target_is_staff"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as they stand inside the transaction."""

    user_id: str
    role: Role


def find(tx: Tx, person_id: str) -> Row[Any]:
    """The person's row.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = tx.execute(select(person).where(person.c.id == person_id)).first()
    if row is None:
        raise not_found("person")
    return row


def account_of(tx: Tx, person_id: str) -> Row[Any] | None:
    """The person's account, where there is one."""
    return tx.execute(select(user).where(user.c.person_id == person_id)).first()


def check(tx: Tx, caller: Principal | None, row: Row[Any]) -> Actor:
    """Whether the caller may delete a person now, by the role that the caller's account has inside this transaction.

    Args:
        tx: the transaction. To enforce, hold the Owners first (``accounts.standing.hold_owners``).
        caller: who asks; None and a caller without an account are nobody: there is no system path.
        row: the person.

    Returns:
        The caller as they stand now.

    Raises:
        ProblemError: 403 ``invalid_current_user``; 403 ``cannot_delete_self``; 409 ``cannot_delete_last_owner``; 403
            ``insufficient_permissions`` with the reason ``role``, ``target_is_owner`` or ``target_is_staff``; 409
            ``already_erased`` or ``deletion_scheduled``.
    """
    actor = _actor(tx, caller)
    target = account_of(tx, row.id)
    _towards(actor, target, last_owner=target is not None and standing.is_last_owner(tx, target))
    if row.erased_at is not None:
        raise ProblemError(409, "already_erased", "This person has been erased already.")
    if row.hidden_at is not None:
        raise _scheduled()
    return actor


def may_delete(tx: Tx, caller: Principal | None, person_id: str) -> ActionState:
    """``delete`` as a person's record lists it.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    refusal = _refusal(tx, caller, find(tx, person_id))
    if refusal is None:
        return ActionState(name=ACTION, allowed=True)
    finer = refusal.reason if refusal.reason in (OWNER, STAFF) else None
    return ActionState(name=ACTION, allowed=False, reason=finer or refusal.code)


def _on_account(caller: Principal, row: Any, how: Standing) -> None:
    """``delete`` as an account's row lists it: the same checks in the same order, asked for a whole page at once."""
    if caller.user_id is None:
        raise _nobody()
    _towards(Actor(caller.user_id, caller.role), row, last_owner=how.last_owner)
    if how.locked:
        raise _scheduled()


offer(ACTION, "people.delete", _on_account)


def protections(tx: Tx, caller: Principal | None, row: Row[Any]) -> list[Protection]:
    """Why a deletion would be refused now; empty when it would not."""
    refusal = _refusal(tx, caller, row)
    if refusal is None:
        return []
    return [Protection(code=refusal.code, reason=refusal.reason, detail=refusal.detail or "")]


def _refusal(tx: Tx, caller: Principal | None, row: Row[Any]) -> ProblemError | None:
    try:
        check(tx, caller, row)
    except ProblemError as refusal:
        return refusal
    return None


def _actor(tx: Tx, caller: Principal | None) -> Actor:
    own = None
    if caller is not None and caller.user_id is not None:
        own = tx.execute(select(user.c.role, user.c.active).where(user.c.id == caller.user_id)).first()
    if caller is None or caller.user_id is None or own is None or not own.active:
        raise _nobody()
    return Actor(caller.user_id, standing.lower(caller.role, own.role))


def _towards(actor: Actor, target: Any | None, *, last_owner: bool) -> None:
    """What protects a person whoever asks, and then the ranks; ``target`` is the account, where there is one."""
    if target is not None:
        if target.id == actor.user_id:
            raise ProblemError(403, "cannot_delete_self", "You cannot delete yourself.")
        if last_owner:
            raise ProblemError(409, "cannot_delete_last_owner", "The last active Owner cannot be deleted.")
    if actor.role not in ("owner", "admin"):
        raise _insufficient("role", "Only an Owner or an Admin may delete people.")
    if target is not None and actor.role != "owner":
        if target.role == "owner":
            raise _insufficient(OWNER, "Only an Owner may delete an Owner.")
        if RANK[target.role] >= RANK[actor.role]:
            raise _insufficient(STAFF, "Only an Owner may delete an Admin.")


def _nobody() -> ProblemError:
    return ProblemError(403, "invalid_current_user", "Only a member of staff may delete people.")


def _scheduled() -> ProblemError:
    return ProblemError(409, "deletion_scheduled", "The erasure of this person is scheduled already.")


def _insufficient(reason: str, detail: str) -> ProblemError:
    return ProblemError(403, "insufficient_permissions", detail, reason=reason)
