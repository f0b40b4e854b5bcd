"""Invitations: a code with which a member of staff fetches the first token, once and within a week.

Only the code's hash is kept. A new code takes the place of one before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, insert, update

from server.accounts import policy
from server.accounts.codes import hash_code, new_code
from server.accounts.models import invitation
from server.accounts.roles import end_invitations
from server.accounts.service import make_token
from server.accounts.standing import acting_role, hold, locked
from server.accounts.topics import USERS
from server.audit import service as audit
from server.kit import topics
from server.kit.access import Principal
from server.kit.clock import DAY
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx

DAYS: Final = 7
"""How long a code is good."""

_OPEN: Final = invitation.c.accepted_at.is_(None) & invitation.c.revoked_at.is_(None)


@dataclass(frozen=True, slots=True)
class Made:
    """A code just made, and until when it is good (ms). The code stays out of the ``repr``."""

    code: str = field(repr=False)
    expires_at: int


def invite(tx: Tx, user_id: str, caller: Principal) -> Made:
    """Make a code for a member of staff. It ends any code before it.

    Raises:
        ProblemError: 404 ``not_found``; 403 ``insufficient_permissions``; 409 ``customer_account``,
            ``account_inactive`` or ``deletion_scheduled``.
    """
    row = _held(tx, user_id)
    policy.may_invite(acting_role(tx, caller), row, locked=row.person_id in locked(tx, [row.person_id]))
    end_invitations(tx, user_id)
    made = Made(new_code(), tx.now + DAYS * DAY)
    tx.execute(
        insert(invitation).values(
            id=tx.new_id(),
            user_id=user_id,
            code_hash=hash_code(made.code),
            invited_by=caller.user_id,
            created_at=tx.now,
            expires_at=made.expires_at,
        )
    )
    _record(tx, "user.invited", user_id, caller, days=DAYS)
    return made


def revoke(tx: Tx, user_id: str, caller: Principal) -> None:
    """Take a member of staff's open invitation back; where there is none, nothing happens.

    Raises:
        ProblemError: 404 ``not_found``; 403 ``insufficient_permissions``.
    """
    row = _held(tx, user_id)
    policy.may_touch(acting_role(tx, caller), row.role)
    if end_invitations(tx, user_id):
        _record(tx, "invitation.revoked", user_id, caller)


def accept(tx: Tx, code: str) -> tuple[Row[Any], str]:
    """Fetch the first token with a code; the code is used up.

    Returns:
        The token, as ``make_token`` gives it.

    Raises:
        ProblemError: 403 ``invitation_refused``, the same for a code that never was, was used, taken back, has expired,
            or whose account is shut.
    """
    mine = (invitation.c.code_hash == hash_code(code)) & _OPEN & (invitation.c.expires_at > tx.now)
    used = tx.execute(
        update(invitation).where(mine).values(accepted_at=tx.now).returning(invitation.c.user_id)
    ).first()  # by the hash of 128 random bits: nothing about another code shows in the time it takes
    row = None if used is None else hold(tx, used.user_id)
    if row is None or not row.active:
        raise ProblemError(
            403,
            "invitation_refused",
            "This invitation is not good, or not any more. Ask whoever invited you for a new one.",
        )
    end_invitations(tx, row.id)
    made = make_token(tx, user_id=row.id, role=row.role, name="first token", told=False)
    acting = Principal(made[0].id, made[0].name, row.role, row.id)
    _record(tx, "invitation.accepted", row.id, acting)
    return made


def _held(tx: Tx, user_id: str) -> Any:
    row = hold(tx, user_id)
    if row is None:
        raise not_found("user")
    return row


def _record(tx: Tx, action: str, user_id: str, caller: Principal, **facts: int) -> None:
    audit.record_of_user(tx, action, user_id, caller=caller, metadata=facts)
    topics.publish(tx, "user_updated", USERS, user_id=user_id)
    tx.touch("access", "people")
