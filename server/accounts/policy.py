"""Who may do what to whom. Each rule raises the refusal, in the order in which people should hear of them."""

from __future__ import annotations

from typing import Any, Final, get_args

from server.contract.access import StaffRole
from server.kit.access import PERMISSIONS, RANK, Principal, Role
from server.kit.problems import ProblemError

CHIEFS: Final[tuple[Role, ...]] = ("owner", "admin")
STAFF: Final[tuple[StaffRole, ...]] = get_args(StaffRole)


def insufficient(reason: str, detail: str) -> ProblemError:
    """The refusal for want of rank."""
    return ProblemError(403, "insufficient_permissions", detail, reason=reason)


def may_touch(actor: Role, target: Role) -> None:
    """Whether somebody of one role may change, deactivate or revoke for somebody of another.

    An Owner may do so to everyone, an Admin to those below; nobody else to anyone.

    Raises:
        ProblemError: 403 ``insufficient_permissions`` with ``target_is_owner`` or ``target_is_staff``.
    """
    if actor == "owner":
        return
    if actor not in CHIEFS:
        raise insufficient("role", "Only an Owner or an Admin may do this.")
    if target == "owner":
        raise insufficient("target_is_owner", "Only an Owner may do this to an Owner.")
    if RANK[target] >= RANK[actor]:
        raise insufficient("target_is_staff", "Only an Owner may do this to an Admin.")


def may_grant(actor: Role, role: Role) -> None:
    """Whether somebody may give a user this role.

    Raises:
        ProblemError: 403 ``owner_role_protected`` for the Owner's role, whoever asks; 403
            ``insufficient_permissions`` for a role that is not below one's own.
    """
    if role == "owner":
        raise ProblemError(403, "owner_role_protected", "The Owner's role cannot be granted.")
    may_touch(actor, role)


def staff_role(name: str) -> StaffRole:
    """The role of this name, of those that staff can have.

    Raises:
        ProblemError: 422 ``role_not_found``; 409 ``customer_account`` for the role of customers.
    """
    if name == "user":
        raise _customer()
    if name not in STAFF:
        raise ProblemError(422, "role_not_found", f"The roles are {', '.join(STAFF)}.")
    return name


def may_change_role(actor: Role, row: Any, role: Role, *, last_owner: bool) -> None:
    """Whether somebody may give an account another role than the one it has.

    Raises:
        ProblemError: 409 ``customer_account`` or ``cannot_demote_last_owner``; 403 ``owner_role_protected`` or
            ``insufficient_permissions``.
    """
    if role == "owner":
        may_grant(actor, role)
    may_move(actor, row, last_owner=last_owner)
    may_grant(actor, role)


def may_move(actor: Role, row: Any, *, last_owner: bool) -> None:
    """Whether somebody may change an account's role at all, whatever to.

    Raises:
        ProblemError: 409 ``customer_account`` or ``cannot_demote_last_owner``; 403 ``insufficient_permissions``.
    """
    be_staff(row)
    if last_owner:
        raise ProblemError(409, "cannot_demote_last_owner", "The last active Owner stays Owner.")
    may_touch(actor, row.role)


def may_deactivate(caller: Principal, actor: Role, row: Any, *, last_owner: bool) -> None:
    """Whether the caller may shut an account.

    Raises:
        ProblemError: 403 ``cannot_deactivate_self`` or ``insufficient_permissions``; 409
            ``cannot_deactivate_last_owner``.
    """
    if caller.user_id == row.id:
        raise ProblemError(403, "cannot_deactivate_self", "You cannot deactivate yourself.")
    if last_owner:
        raise ProblemError(
            409, "cannot_deactivate_last_owner", "The last active Owner cannot be deactivated."
        )
    may_touch(actor, row.role)


def may_reactivate(actor: Role, row: Any, *, locked: bool) -> None:
    """Whether somebody may open an account again.

    Raises:
        ProblemError: 403 ``insufficient_permissions``; 409 ``deletion_scheduled``.
    """
    may_touch(actor, row.role)
    be_unlocked(locked=locked)


def may_invite(actor: Role, row: Any, *, locked: bool) -> None:
    """Whether somebody may give an account's holder a code to come in with.

    Raises:
        ProblemError: 409 ``customer_account``, ``deletion_scheduled`` or ``account_inactive``; 403
            ``insufficient_permissions``.
    """
    be_staff(row)
    may_touch(actor, row.role)
    be_unlocked(locked=locked)
    be_active(row)


def be_staff(row: Any) -> None:
    """Refuse a customer's account. Raises ProblemError 409 ``customer_account``."""
    if row.role == "user":
        raise _customer()


def be_active(row: Any) -> None:
    """Refuse an account that is shut. Raises ProblemError 409 ``account_inactive``."""
    if not row.active:
        raise ProblemError(409, "account_inactive", "This account is deactivated. Reactivate it first.")


def be_unlocked(*, locked: bool) -> None:
    """Refuse an account whose person is about to be erased. Raises ProblemError 409 ``deletion_scheduled``."""
    if locked:
        raise ProblemError(
            409,
            "deletion_scheduled",
            "The erasure of this person is scheduled. Restore them first, or let it happen.",
        )


def _customer() -> ProblemError:
    return ProblemError(
        409, "customer_account", "A customer's account stays one, and no member of staff becomes a customer."
    )


def may_make_token(caller: Principal, role: Role) -> None:
    """Whether the caller may make a token of this role: one that may do nothing the caller may not.

    Rank alone would not do: a storefront ranks lowest and may still create orders, which Support may not.

    Raises:
        ProblemError: 403 ``insufficient_permissions`` with ``role_above_yours``.
    """
    beyond = [name for name, roles in PERMISSIONS.items() if role in roles and not caller.may(name)]
    if RANK[role] > RANK[caller.role] or beyond:
        raise insufficient(
            "role_above_yours",
            f"A {caller.role} token cannot make a {role} token: it could do more than itself.",
        )
