"""Changing accounts: their roles, one or many at once, shutting them and opening them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from server.accounts import policy
from server.accounts.models import invitation, token, user
from server.accounts.standing import acting_role, hold_owners, is_last_owner, locked
from server.accounts.topics import ROLES, USERS
from server.audit import service as audit
from server.contract.access import SyncedRoles
from server.kit import topics
from server.kit.access import Principal, Role
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx


def change(tx: Tx, user_id: str, *, role: str | None, active: bool | None, caller: Principal) -> None:
    """Change an account's role, or deactivate or reactivate it. Deactivating ends all ways in at once.

    Raises:
        ProblemError: 404 ``not_found``; 422 ``role_not_found``; 403 ``owner_role_protected``,
            ``cannot_deactivate_self`` or ``insufficient_permissions``; 409 ``customer_account``,
            ``cannot_demote_last_owner``, ``cannot_deactivate_last_owner`` or ``deletion_scheduled``.
    """
    hold_owners(tx)
    row = _row(tx, user_id)
    if row is None:
        raise not_found("user")
    actor = acting_role(tx, caller)
    if role is not None and role != row.role:
        _change_role(tx, row, role, actor, caller)
        row = _row(tx, user_id)
    if active is not None and row is not None and active != bool(row.active):
        if active:
            _reactivate(tx, row, actor, caller)
        else:
            _deactivate(tx, row, actor, caller)


def sync(tx: Tx, roles: Mapping[str, str], caller: Principal) -> SyncedRoles:
    """Give accounts the roles they shall have. What the caller may not change is left out, and told.

    One that has its role already is neither changed nor left out.

    Args:
        tx: the transaction.
        roles: the names of roles, by the accounts' ids; worked on in this order.
        caller: who asks.

    Raises:
        ProblemError: 422 ``role_not_found`` for a name that no role has; then nothing is changed.
    """
    hold_owners(tx)
    for name in roles.values():
        if name != "user":
            policy.staff_role(name)
    actor = acting_role(tx, caller)
    changed: list[str] = []
    dropped: dict[str, str] = {}
    for user_id, role in roles.items():
        row = _row(tx, user_id)
        if row is None:
            dropped[user_id] = "not_found"
        elif row.role != role:
            try:
                _change_role(tx, row, role, actor, caller)
            except ProblemError as refusal:
                dropped[user_id] = refusal.reason or refusal.code
            else:
                changed.append(user_id)
                actor = acting_role(tx, caller)  # somebody may step down in the middle of it
    if changed:
        audit.record(
            tx,
            "user.roles_synced",
            caller=caller,
            metadata={"changed": len(changed), "dropped": len(dropped)},
        )
        topics.publish(tx, "user_roles_synced", USERS, ROLES, user_ids=changed)
    return SyncedRoles(changed=changed, dropped=dropped)


@dataclass(frozen=True, slots=True)
class Ended:
    """How many ways in were ended."""

    tokens: int
    invitations: int


def end_access(tx: Tx, user_id: str) -> Ended:
    """End all of an account's tokens, sessions and open invitations, at once and for good."""
    mine = (token.c.user_id == user_id) & token.c.revoked_at.is_(None)
    tokens = tx.execute(update(token).where(mine).values(revoked_at=tx.now).returning(token.c.id)).all()
    tx.touch("access")
    return Ended(len(tokens), end_invitations(tx, user_id))


def end_invitations(tx: Tx, user_id: str) -> int:
    """End an account's open invitations; how many."""
    unused = invitation.c.accepted_at.is_(None) & invitation.c.revoked_at.is_(None)
    mine = (invitation.c.user_id == user_id) & unused
    ended = tx.execute(
        update(invitation).where(mine).values(revoked_at=tx.now).returning(invitation.c.id)
    ).all()
    return len(ended)


def lock(tx: Tx, user_id: str) -> Ended:
    """Shut an account without asking who may: for an erasure that is scheduled. Its person is hidden as well."""
    tx.execute(update(user).where(user.c.id == user_id).values(active=0, deactivated_at=tx.now))
    topics.publish(tx, "user_deactivated", USERS, user_id=user_id)
    return end_access(tx, user_id)


def unlock(tx: Tx, user_id: str) -> None:
    """Open an account again that was locked; the ways in that were ended stay so."""
    tx.execute(update(user).where(user.c.id == user_id).values(active=1, deactivated_at=None))
    topics.publish(tx, "user_reactivated", USERS, user_id=user_id)
    tx.touch("access", "people")


def _row(tx: Tx, user_id: str) -> Any | None:
    return tx.execute(select(user).where(user.c.id == user_id)).first()


def _change_role(tx: Tx, row: Any, name: str, actor: Role, caller: Principal) -> None:
    role: Role = policy.staff_role(name)
    policy.may_change_role(actor, row, role, last_owner=is_last_owner(tx, row))
    tx.execute(update(user).where(user.c.id == row.id).values(role=role))
    audit.record_of_user(
        tx, "user.role_changed", row.id, caller=caller, metadata={"role_from": row.role, "role_to": role}
    )
    topics.publish(tx, "user_role_assigned", USERS, ROLES, user_id=row.id, role=role)
    tx.touch("access", "people")


def _deactivate(tx: Tx, row: Any, actor: Role, caller: Principal) -> None:
    policy.may_deactivate(caller, actor, row, last_owner=is_last_owner(tx, row))
    tx.execute(update(user).where(user.c.id == row.id).values(active=0, deactivated_at=tx.now))
    ended = end_access(tx, row.id)
    audit.record_of_user(
        tx,
        "user.deactivated",
        row.id,
        caller=caller,
        metadata={"tokens_revoked": ended.tokens, "invitations_revoked": ended.invitations},
    )
    topics.publish(tx, "user_deactivated", USERS, user_id=row.id)
    tx.touch("access", "people")


def _reactivate(tx: Tx, row: Any, actor: Role, caller: Principal) -> None:
    policy.may_reactivate(actor, row, locked=row.person_id in locked(tx, [row.person_id]))
    tx.execute(update(user).where(user.c.id == row.id).values(active=1, deactivated_at=None))
    audit.record_of_user(tx, "user.reactivated", row.id, caller=caller)
    topics.publish(tx, "user_reactivated", USERS, user_id=row.id)
    tx.touch("access", "people")
