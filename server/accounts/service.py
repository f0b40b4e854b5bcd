"""Tokens: who holds one may come in, as far as its role, its user's role and its time allow."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from server.accounts import policy
from server.accounts.models import token, user
from server.accounts.standing import acting_role, hold, lower
from server.accounts.tokens import TokenText, new_token, parse
from server.accounts.users import create_owner, first_owner, has_owner
from server.audit import service as audit
from server.contract.access import TokenRow
from server.kit.access import Principal, Role
from server.kit.clock import DAY, HOUR, instant, instant_or_none
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import ProblemError, invalid_request, not_found
from server.kit.tx import Tx

__all__ = [
    "authenticate",
    "create_owner",
    "first_owner",
    "has_owner",
    "make_token",
    "note_use",
    "page_of_tokens",
    "request_token",
    "revoke",
    "shown",
    "unauthenticated",
]

DEFAULT_DAYS = 90
MAX_DAYS = 366
LONGEST_NAME = 80

_BEARER = (
    select(
        token.c.id,
        token.c.name,
        token.c.role,
        token.c.secret_hash,
        token.c.expires_at,
        token.c.revoked_at,
        token.c.user_id,
        user.c.role.label("user_role"),
        user.c.active.label("user_active"),
    )
    .select_from(token.outerjoin(user, user.c.id == token.c.user_id))
    .where(token.c.id == bindparam("token_id"))
)  # fmt: skip

_WORDS = {
    "missing": "A token is needed: Authorization: Bearer sbl_pat_…",
    "wrong": "This token is not one of this shop's.",
    "expired": "This token has expired. Make a new one.",
    "revoked": "This token has been revoked.",
}


def unauthenticated(reason: str) -> ProblemError:
    """The 401 refusal: ``missing``, ``wrong``, ``expired`` or ``revoked``."""
    return ProblemError(401, "unauthenticated", _WORDS[reason], reason=reason)


def make_token(
    tx: Tx,
    *,
    user_id: str | None,
    role: Role,
    name: str,
    days: int = DEFAULT_DAYS,
    caller: Principal | None = None,
    told: bool = True,
) -> tuple[Row[Any], str]:
    """Make a token. Whether the caller may is for the caller of this function to decide (``request_token``).

    Args:
        tx: the transaction; the audit entry is written in it.
        user_id: whose it is; None for a storefront's, which belongs to a program.
        role: how much it may do at most; never more than its user.
        name: what the shop calls it, 1 to 80 letters.
        days: after how many it expires, 1 to 366.
        caller: who made it; None for somebody with access to the machine.
        told: whether it is recorded as ``token.created``; what makes it may be recorded under a name of its own.

    Returns:
        The token's row, and its text, which is never to be had again.

    Raises:
        ProblemError: 422 ``invalid_request``; 404 ``not_found``; 409 ``account_inactive``.
    """
    if not 1 <= days <= MAX_DAYS:
        raise invalid_request(("days", f"must be 1 to {MAX_DAYS}"))
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise invalid_request(("name", f"must be 1 to {LONGEST_NAME} letters"))
    if (user_id is None) != (role == "storefront"):
        raise invalid_request(("role", "a storefront token belongs to no user, every other one does"))
    if user_id is not None:
        holder = hold(tx, user_id)
        if holder is None:
            raise not_found("user")
        policy.be_active(holder)
    made = _unused(tx)
    row = tx.execute(
        insert(token)
        .values(
            id=made.id,
            user_id=user_id,
            role=role,
            name=name.strip(),
            secret_hash=made.hash(),
            created_at=tx.now,
            expires_at=tx.now + days * DAY,
        )
        .returning(token)
    ).one()
    if told:
        audit.record(
            tx,
            "token.created",
            caller=caller,
            resource_type="token",
            resource_id=made.id,
            target_user_id=user_id,
            metadata={"role": role, "days": days},
        )
    tx.touch("access")
    return row, made.text()


def request_token(tx: Tx, *, role: Role, name: str, days: int, caller: Principal) -> tuple[Row[Any], str]:
    """Make a token for the caller, or for a shop's program.

    Raises:
        ProblemError: 403 ``insufficient_permissions`` for a token that could do more than the caller's own; 422.
    """
    acting = Principal(caller.token_id, caller.token_name, acting_role(tx, caller), caller.user_id)
    policy.may_make_token(acting, role)
    user_id = None if role == "storefront" else caller.user_id
    return make_token(tx, user_id=user_id, role=role, name=name, days=days, caller=caller)


def authenticate(tx: Tx, text: str) -> Principal:
    """Whose token this is.

    Raises:
        ProblemError: 401 ``unauthenticated`` with the reason ``wrong``, ``expired`` or ``revoked``.
    """
    given = parse(text)
    if given is None:
        raise unauthenticated("wrong")
    row = tx.execute(_BEARER, {"token_id": given.id}).first()
    if row is None or not given.matches(row.secret_hash):
        raise unauthenticated("wrong")
    if row.revoked_at is not None or (row.user_id is not None and not row.user_active):
        raise unauthenticated("revoked")
    if row.expires_at is not None and row.expires_at <= tx.now:
        raise unauthenticated("expired")
    role: Role = row.role if row.user_id is None else lower(row.role, row.user_role)
    return Principal(row.id, row.name, role, row.user_id, row.expires_at)


def note_use(tx: Tx, token_id: str) -> None:
    """Keep that a token was used, and that its user was seen, by the hour."""
    stale = token.c.last_used_at.is_(None) | (token.c.last_used_at <= tx.now - HOUR)
    tx.execute(update(token).where((token.c.id == token_id) & stale).values(last_used_at=tx.now))
    holder = select(token.c.user_id).where(token.c.id == token_id).scalar_subquery()
    unseen = user.c.last_seen_at.is_(None) | (user.c.last_seen_at <= tx.now - HOUR)
    tx.execute(update(user).where((user.c.id == holder) & unseen).values(last_seen_at=tx.now))


def revoke(tx: Tx, token_id: str, *, caller: Principal) -> Row[Any]:
    """End a token at once; one that is revoked already stays as it was.

    One's own always; another's with ``tokens.manage``, and only of those whom one may touch.

    Raises:
        ProblemError: 404 ``not_found``, also for another's token without ``tokens.manage``; 403
            ``insufficient_permissions``.
    """
    acting = Principal(caller.token_id, caller.token_name, acting_role(tx, caller), caller.user_id)
    row = tx.execute(
        select(token, user.c.role.label("user_role"))
        .select_from(token.outerjoin(user, user.c.id == token.c.user_id))
        .where(token.c.id == token_id)
    ).first()
    own = row is not None and row.user_id is not None and row.user_id == caller.user_id
    if row is None or not (own or acting.may("tokens.manage")):
        raise not_found("token")
    if not own and row.user_role is not None:
        policy.may_touch(acting.role, row.user_role)
    if row.revoked_at is None:
        tx.execute(update(token).where(token.c.id == token_id).values(revoked_at=tx.now))
        audit.record(
            tx,
            "token.revoked",
            caller=caller,
            resource_type="token",
            resource_id=token_id,
            target_user_id=row.user_id,
            metadata={"role": row.role},
        )
        tx.touch("access")
    return tx.execute(select(token).where(token.c.id == token_id)).one()


def page_of_tokens(tx: Tx, request: PageRequest, *, caller: Principal) -> Slice[Row[Any]]:
    """Tokens newest first: all of them with ``tokens.manage``, else the caller's own."""
    statement = select(token)
    if not caller.may("tokens.manage"):
        statement = statement.where(token.c.user_id == caller.user_id)
    return slice_of(tx.execute(keyset(statement, request, token.c.created_at, token.c.id)).all(), request)


def shown(row: Any) -> TokenRow:
    """A token as clients see it."""
    return TokenRow(
        id=row.id,
        name=row.name,
        role=row.role,
        user_id=row.user_id,
        created_at=instant(row.created_at),
        expires_at=instant_or_none(row.expires_at),
        last_used_at=instant_or_none(row.last_used_at),
        revoked_at=instant_or_none(row.revoked_at),
    )


def _unused(tx: Tx) -> TokenText:
    while True:
        made = new_token()
        if tx.execute(select(token.c.id).where(token.c.id == made.id)).first() is None:
            return made
