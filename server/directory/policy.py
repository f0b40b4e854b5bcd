"""What a caller may do to a person's record now: the same rules that refuse it when it is tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from server.accounts import policy as accounts
from server.contract.base import ActionState
from server.kit.access import RANK, Permission, Principal
from server.kit.problems import ProblemError

_FINER: Final = frozenset({"target_is_owner", "target_is_staff"})


def may_write(row: Any) -> None:
    """Whether anything may be written about a person at all.

    Raises:
        ProblemError: 409 ``already_erased``, or ``deletion_scheduled`` while the erasure is awaited.
    """
    if row.erased_at is not None:
        raise ProblemError(409, "already_erased", "This person has been erased: nothing is left to write to.")
    if row.hidden_at is not None:
        raise ProblemError(
            409,
            "deletion_scheduled",
            "The erasure of this person is scheduled. Restore them first, or let it happen.",
        )


def may_edit(row: Any, account: Any | None, caller: Principal) -> None:
    """Whether the caller may change the person's name, e-mail and phone.

    Customers: whoever may edit people. Members of staff: themselves, and whoever may touch them otherwise
    (``accounts.policy.may_touch``): an e-mail is where an invitation goes.

    Args:
        row: the person.
        account: the person's account; None when there is none.
        caller: who asks, with the role as it stands now.

    Raises:
        ProblemError: as `may_write`; 403 ``insufficient_permissions``.
    """
    may_write(row)
    _towards_staff(account, caller)


def may_export(row: Any, account: Any | None, caller: Principal) -> None:
    """Whether the caller may take along all that is held about the person; as for editing, and of hidden ones too.

    Raises:
        ProblemError: 409 ``already_erased``; 403 ``insufficient_permissions``.
    """
    if row.erased_at is not None:
        raise ProblemError(409, "already_erased", "This person has been erased: there is nothing to export.")
    _towards_staff(account, caller)


def _towards_staff(account: Any | None, caller: Principal) -> None:
    if account is not None and RANK[account.role] and account.id != caller.user_id:
        accounts.may_touch(caller.role, account.role)


def actions(row: Any, account: Any | None, caller: Principal) -> list[ActionState]:
    """``edit``, ``note``, ``profile`` and ``export``, with the code of the refusal when it is not allowed."""
    return [
        state("edit", caller, "people.edit", lambda: may_edit(row, account, caller)),
        state("note", caller, "people.edit", lambda: may_write(row)),
        state("profile", caller, "billing.manage_profiles", lambda: may_write(row)),
        state("export", caller, "people.export", lambda: may_export(row, account, caller)),
    ]


def state(name: str, caller: Principal, permission: Permission, check: Callable[[], None]) -> ActionState:
    """An action as a record lists it: what ``check`` would refuse is refused here with its code."""
    if not caller.may(permission):
        return ActionState(name=name, allowed=False, reason="insufficient_permissions")
    try:
        check()
    except ProblemError as refusal:
        finer = refusal.reason if refusal.reason in _FINER else None
        return ActionState(name=name, allowed=False, reason=finer or refusal.code)
    return ActionState(name=name, allowed=True)
