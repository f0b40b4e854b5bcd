"""Accounts and whose they are: staff, and customers who signed up. One role each, and always one active Owner."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, cast

from sqlalchemy import Row, select

from server.accounts import policy
from server.accounts.actions import actions
from server.accounts.models import invitation, token, user
from server.accounts.roles import change, end_access, lock, sync, unlock
from server.accounts.standing import acting_role, hold_owners, is_last_owner, lower
from server.accounts.topics import USERS
from server.audit import service as audit
from server.contract.access import AccountRole, StaffRole, UserRow
from server.kit import topics
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none
from server.kit.folding import fold_email
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.people import service as people
from server.people.models import person

__all__ = [
    "acting_role",
    "change",
    "create_owner",
    "create_user",
    "end_access",
    "find_by_email",
    "first_owner",
    "get",
    "has_owner",
    "hold_owners",
    "is_last_owner",
    "lock",
    "lower",
    "make_account",
    "names",
    "page",
    "person_of",
    "shown",
    "sync",
    "unlock",
    "user_of",
    "without_person",
]

_AT_ONCE: Final = 500
"""Ids in one statement."""


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


def create_user(tx: Tx, *, email: str, name: str | None, role: str, caller: Principal) -> str:
    """Let a member of staff in.

    Raises:
        ProblemError: 422 ``role_not_found``; 403 ``owner_role_protected`` or ``insufficient_permissions``; 409
            ``customer_account`` or ``email_taken``.
    """
    granted = policy.staff_role(role)
    policy.may_grant(acting_role(tx, caller), granted)
    facts = {"role": role}
    return _create(
        tx, email=email, name=name, role=granted, action="user.created", facts=facts, caller=caller
    )


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
    user_id = make_account(tx, person_id, role)
    if user_id is None:
        raise ProblemError(409, "email_taken", "A member of staff with this e-mail exists already.")
    audit.record_of_user(tx, action, user_id, caller=caller, metadata=facts)
    topics.publish(tx, "user_created", USERS, user_id=user_id, role=role)
    tx.touch("access", "people")
    return user_id


def make_account(tx: Tx, person_id: str, role: AccountRole) -> str | None:
    """Make a person's account: its id; None when the person has one already."""
    make = upsert(tx.dialect, user)
    made = tx.execute(
        make.values(id=tx.new_id(), person_id=person_id, role=role, active=1, created_at=tx.now)
        .on_conflict_do_nothing(index_elements=[user.c.person_id])
        .returning(user.c.id)
    )
    return cast("str | None", made.scalar())


def has_owner(tx: Tx) -> bool:
    """Whether the shop has an active Owner: before that it lets nobody in."""
    found = select(user.c.id).where((user.c.role == "owner") & (user.c.active == 1)).limit(1)
    return tx.execute(found).first() is not None


def first_owner(tx: Tx) -> str | None:
    """The active Owner who is there longest."""
    found = select(user.c.id).where((user.c.role == "owner") & (user.c.active == 1))
    return cast("str | None", tx.execute(found.order_by(user.c.created_at, user.c.id).limit(1)).scalar())


def find_by_email(tx: Tx, email: str) -> str | None:
    """The member of staff with this e-mail, whatever its letters' case."""
    mine = (person.c.kind == "staff") & (person.c.email_key == fold_email(email.strip()))
    found = select(user.c.id).join(person, person.c.id == user.c.person_id).where(mine)
    return cast("str | None", tx.execute(found).scalar())


def get(tx: Tx, user_id: str, caller: Principal | None = None) -> UserRow:
    """An account as clients see one.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = tx.execute(select(user).where(user.c.id == user_id)).first()
    if row is None:
        raise not_found("user")
    return shown(tx, [row], caller)[0]


def page(tx: Tx, request: PageRequest, role: AccountRole | None = None) -> Slice[Row[Any]]:
    """Accounts, newest first, as rows of their table (``shown`` makes of them what clients see).

    Args:
        tx: the transaction.
        request: which page.
        role: only these; None for all staff. Customers come only when asked for by their role.
    """
    wanted = user.c.role != "user" if role is None else user.c.role == role
    rows = tx.execute(keyset(select(user).where(wanted), request, user.c.created_at, user.c.id)).all()
    return slice_of(rows, request)


def shown(tx: Tx, rows: Sequence[Row[Any]], caller: Principal | None = None) -> list[UserRow]:
    """Rows of accounts with their names and e-mails out of the vault.

    Args:
        tx: the transaction.
        rows: of ``account``.
        caller: whose actions are listed with each; None lists none.
    """
    known = people.people(tx, [row.person_id for row in rows])
    invited = _invited(tx, [row.id for row in rows if row.role != "user"])
    offered = {} if caller is None or not rows else actions(tx, rows, caller)
    return [
        UserRow(
            id=row.id,
            person_id=row.person_id,
            name=known[row.person_id].name if row.person_id in known else None,
            email=known[row.person_id].email if row.person_id in known else None,
            role=row.role,
            active=bool(row.active),
            invited=row.id in invited,
            created_at=instant(row.created_at),
            last_seen_at=instant_or_none(row.last_seen_at),
            actions=offered.get(row.id, []),
        )
        for row in rows
    ]


def without_person(row: UserRow) -> UserRow:
    """What is kept of an answer for its repeat: name and e-mail stand in the vault alone."""
    return row.model_copy(update={"name": None, "email": None})


def _invited(tx: Tx, user_ids: Collection[str]) -> set[str]:
    """Those who were given a code and have never had a token."""
    if not user_ids:
        return set()
    unused = invitation.c.accepted_at.is_(None) & invitation.c.revoked_at.is_(None)
    never = ~select(token.c.id).where(token.c.user_id == invitation.c.user_id).exists()
    statement = select(invitation.c.user_id).where(invitation.c.user_id.in_(set(user_ids)) & unused & never)
    return set(tx.execute(statement).scalars())


def names(tx: Tx, user_ids: Iterable[str | None]) -> dict[str, str]:
    """What to call users, by id; those who are gone are left out."""
    owners = _people_of(tx, {user_id for user_id in user_ids if user_id is not None})
    known = people.people(tx, list(owners.values()))
    return {user_id: known[whose].shown for user_id, whose in owners.items() if whose in known}


def user_of(tx: Tx, person_ids: Collection[str]) -> dict[str, str]:
    """The accounts of people: the user's id by the person's; one without an account is left out."""
    found: dict[str, str] = {}
    wanted = sorted(set(person_ids))
    for start in range(0, len(wanted), _AT_ONCE):
        mine = user.c.person_id.in_(wanted[start : start + _AT_ONCE])
        found |= {
            row.person_id: row.id for row in tx.execute(select(user.c.id, user.c.person_id).where(mine))
        }
    return found


def person_of(tx: Tx, user_id: str) -> str | None:
    """The person whose account this is; None when there is no such account."""
    return cast("str | None", tx.execute(select(user.c.person_id).where(user.c.id == user_id)).scalar())


def _people_of(tx: Tx, user_ids: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    wanted = sorted(user_ids)
    for start in range(0, len(wanted), _AT_ONCE):
        mine = user.c.id.in_(wanted[start : start + _AT_ONCE])
        found |= {
            row.id: row.person_id for row in tx.execute(select(user.c.id, user.c.person_id).where(mine))
        }
    return found
