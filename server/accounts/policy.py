"""Who may do what to whom. Each rule raises the refusal, in the order in which people should hear of them."""

from __future__ import annotations

from server.kit.access import PERMISSIONS, RANK, Principal, Role
from server.kit.problems import ProblemError

CHIEFS: tuple[Role, ...] = ("owner", "admin")


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
