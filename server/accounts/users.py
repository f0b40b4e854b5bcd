"""Members of staff: one role each, and always one active Owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from sqlalchemy import Row, func, insert, select, update

from server.accounts import policy
from server.accounts.models import token, user
from server.audit import service as audit
from server.contract.access import StaffRole, UserRow
from server.kit.access import RANK, Principal, Role
from server.kit.clock import instant
from server.kit.folding import fold_email
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx
from server.people import service as people
from server.people.models import person

_OWNERS_LOCK = 0x5348_4F51  # one number for all transactions that may take an Owner away


def create_owner(
    tx: Tx, *, email: str, name: str | None = None, by: Literal["init", "setup", "command"] = "init"
) -> str:
    """Make an Owner. Only for who has the machine itself, or its one-time code; no caller can be granted this.

    Returns:
        The user's id.

    Raises:
        ProblemError: 409 ``email_taken``.
    """
    return _create(
        tx, email=email, name=name, role="owner", action="owner.created", facts={"by": by}, caller=None
    )


def create_user(tx: Tx, *, email: str, name: str | None, role: StaffRole, caller: Principal) -> str:
    """Let a member of staff in.

    Raises:
        ProblemError: 403 ``owner_role_protected`` or ``insufficient_permissions``; 409 ``email_taken``.
    """
    policy.may_grant(acting_role(tx, caller), role)
    facts = {"role": role}
    return _create(tx, email=email, name=name, role=role, action="user.created", facts=facts, caller=caller)


def _create(
    tx: Tx,
    *,
    email: str,
    name: str | None,
    role: StaffRole,
    action: str,
    facts: Mapping[str, str],
    caller: Principal | None,
) -> str:
    person_id = people.create_staff(tx, email=email, name=name)
    if tx.execute(select(user.c.id).where(user.c.person_id == person_id)).first() is not None:
        raise ProblemError(409, "email_taken", "A member of staff with this e-mail exists already.")
    user_id = tx.new_id()
    tx.execute(insert(user).values(id=user_id, person_id=person_id, role=role, active=1, created_at=tx.now))
    audit.record(
        tx,
        action,
        caller=caller,
        resource_type="user",
        resource_id=user_id,
        target_user_id=user_id,
        metadata=facts,
    )
    tx.touch("access")
    return user_id


def has_owner(tx: Tx) -> bool:
    """Whether the shop has an active Owner: before that it lets nobody in."""
    found = select(user.c.id).where((user.c.role == "owner") & (user.c.active == 1)).limit(1)
    return tx.execute(found).first() is not None


def first_owner(tx: Tx) -> str | None:
    """The active Owner who is there longest."""
    found = select(user.c.id).where((user.c.role == "owner") & (user.c.active == 1))
    return cast("str | None", tx.execute(found.order_by(user.c.created_at, user.c.id).limit(1)).scalar())


def find_by_email(tx: Tx, email: str) -> str | None:
    """The user with this e-mail, whatever its letters' case."""
    mine = (person.c.kind == "staff") & (person.c.email_key == fold_email(email.strip()))
    found = select(user.c.id).join(person, person.c.id == user.c.person_id).where(mine)
    return cast("str | None", tx.execute(found).scalar())


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


def change(tx: Tx, user_id: str, *, role: StaffRole | None, active: bool | None, caller: Principal) -> None:
    """Change a user's role, or deactivate or reactivate one. Deactivating revokes all the user's tokens at once.

    Raises:
        ProblemError: 404 ``not_found``; 403 ``owner_role_protected``, ``cannot_deactivate_self`` or
            ``insufficient_permissions``; 409 ``cannot_demote_last_owner`` or ``cannot_deactivate_last_owner``.
    """
    _hold_owners(tx)
    row = tx.execute(select(user).where(user.c.id == user_id)).first()
    if row is None:
        raise not_found("user")
    actor = acting_role(tx, caller)
    if role is not None and role != row.role:
        _change_role(tx, row, role, actor, caller)
    if active is not None and active != bool(row.active):
        current = row.role if role is None else role
        if active:
            _reactivate(tx, row.id, current, actor, caller)
        else:
            _deactivate(tx, row.id, current, actor, caller)


def _change_role(tx: Tx, row: Any, role: StaffRole, actor: Role, caller: Principal) -> None:
    if role == "owner":
        policy.may_grant(actor, role)
    if _is_last_owner(tx, row):
        raise ProblemError(409, "cannot_demote_last_owner", "The last active Owner stays Owner.")
    policy.may_touch(actor, row.role)
    policy.may_grant(actor, role)
    tx.execute(update(user).where(user.c.id == row.id).values(role=role))
    audit.record(
        tx,
        "user.role_changed",
        caller=caller,
        resource_type="user",
        resource_id=row.id,
        target_user_id=row.id,
        metadata={"role_from": row.role, "role_to": role},
    )
    tx.touch("access")


def _deactivate(tx: Tx, user_id: str, role: Role, actor: Role, caller: Principal) -> None:
    if caller.user_id == user_id:
        raise ProblemError(403, "cannot_deactivate_self", "You cannot deactivate yourself.")
    row = tx.execute(select(user).where(user.c.id == user_id)).one()
    if _is_last_owner(tx, row):
        raise ProblemError(
            409, "cannot_deactivate_last_owner", "The last active Owner cannot be deactivated."
        )
    policy.may_touch(actor, role)
    tx.execute(update(user).where(user.c.id == user_id).values(active=0, deactivated_at=tx.now))
    open_tokens = (token.c.user_id == user_id) & token.c.revoked_at.is_(None)
    revoked = tx.execute(
        update(token).where(open_tokens).values(revoked_at=tx.now).returning(token.c.id)
    ).all()
    audit.record(
        tx,
        "user.deactivated",
        caller=caller,
        resource_type="user",
        resource_id=user_id,
        target_user_id=user_id,
        metadata={"tokens_revoked": len(revoked)},
    )
    tx.touch("access")


def _reactivate(tx: Tx, user_id: str, role: Role, actor: Role, caller: Principal) -> None:
    policy.may_touch(actor, role)
    tx.execute(update(user).where(user.c.id == user_id).values(active=1, deactivated_at=None))
    audit.record(
        tx,
        "user.reactivated",
        caller=caller,
        resource_type="user",
        resource_id=user_id,
        target_user_id=user_id,
    )
    tx.touch("access")


def _hold_owners(tx: Tx) -> None:
    """Let no other transaction count Owners meanwhile: two of them could take each other away otherwise."""
    if tx.dialect == "postgresql":
        tx.driver_sql(f"SELECT pg_advisory_xact_lock({_OWNERS_LOCK})")


def _is_last_owner(tx: Tx, row: Any) -> bool:
    if row.role != "owner" or not row.active:
        return False
    active = (user.c.role == "owner") & (user.c.active == 1)
    count = tx.execute(select(func.count()).select_from(user).where(active)).scalar_one()
    return bool(count <= 1)


def get(tx: Tx, user_id: str) -> UserRow:
    """A user as clients see one.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = tx.execute(select(user).where(user.c.id == user_id)).first()
    if row is None:
        raise not_found("user")
    return shown(tx, [row])[0]


def page(tx: Tx, request: PageRequest) -> Slice[Row[Any]]:
    """Users, newest first, as rows of their table (``shown`` makes of them what clients see)."""
    rows = tx.execute(keyset(select(user), request, user.c.created_at, user.c.id)).all()
    return slice_of(rows, request)


def shown(tx: Tx, rows: Sequence[Row[Any]]) -> list[UserRow]:
    """Rows of users with their names and e-mails out of the vault."""
    known = people.people(tx, [row.person_id for row in rows])
    return [
        UserRow(
            id=row.id,
            person_id=row.person_id,
            name=known[row.person_id].name if row.person_id in known else None,
            email=known[row.person_id].email if row.person_id in known else None,
            role=row.role,
            active=bool(row.active),
            created_at=instant(row.created_at),
        )
        for row in rows
    ]


def names(tx: Tx, user_ids: Iterable[str | None]) -> dict[str, str]:
    """What to call users, by id; those who are gone are left out."""
    wanted = sorted({user_id for user_id in user_ids if user_id is not None})
    if not wanted:
        return {}
    rows = tx.execute(select(user.c.id, user.c.person_id).where(user.c.id.in_(wanted))).all()
    known = people.people(tx, [row.person_id for row in rows])
    return {row.id: known[row.person_id].shown for row in rows if row.person_id in known}
