"""What a caller may do to an account now: the rules that refuse it when it is tried, asked beforehand.

Rooms above this one add what they let a caller do (``delete``), with the rule that they enforce themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from server.accounts import policy
from server.accounts.standing import acting_role, active_owners, locked
from server.contract.base import ActionState
from server.kit.access import Permission, Principal
from server.kit.problems import ProblemError
from server.kit.tx import Tx

_FINER: Final = frozenset({"target_is_owner", "target_is_staff"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rule needs to know of an account besides its row.

    Attributes:
        last_owner: it is the one active Owner that the shop must keep.
        locked: the erasure of its person is scheduled.
    """

    last_owner: bool
    locked: bool


Rule = Callable[[Principal, Any, Standing], None]
"""Raises the refusal for a caller (with the role as it stands) and a row of ``account``; nothing when it may be."""


def _set_role(caller: Principal, row: Any, how: Standing) -> None:
    policy.may_move(caller.role, row, last_owner=how.last_owner)


def _deactivate(caller: Principal, row: Any, how: Standing) -> None:
    policy.may_deactivate(caller, caller.role, row, last_owner=how.last_owner)
    if not row.active:
        raise ProblemError(409, "already_inactive", "This account is deactivated already.")


def _reactivate(caller: Principal, row: Any, how: Standing) -> None:
    policy.may_reactivate(caller.role, row, locked=how.locked)
    if row.active:
        raise ProblemError(409, "already_active", "This account is active.")


def _invite(caller: Principal, row: Any, how: Standing) -> None:
    policy.may_invite(caller.role, row, locked=how.locked)


_RULES: Final[dict[str, tuple[Permission, Rule]]] = {
    "set_role": ("users.manage", _set_role),
    "deactivate": ("users.manage", _deactivate),
    "reactivate": ("users.manage", _reactivate),
    "invite": ("users.manage", _invite),
}


def offer(name: str, permission: Permission, rule: Rule) -> None:
    """List one more action with every account.

    Args:
        name: the action's.
        permission: what the caller needs besides.
        rule: what refuses it when it is tried.

    Raises:
        ValueError: another action has the name.
    """
    if name in _RULES:
        raise ValueError(f"there is an action {name} already")
    _RULES[name] = (permission, rule)


def names() -> list[str]:
    """All actions that accounts list."""
    return list(_RULES)


def actions(tx: Tx, rows: Sequence[Any], caller: Principal) -> dict[str, list[ActionState]]:
    """What the caller may do to each of these accounts, by the account's id.

    A refusal's ``reason`` is its code, or the finer one where that says to whom (``target_is_owner``).
    """
    asking = replace(caller, role=acting_role(tx, caller))
    owners = active_owners(tx) if any(row.role == "owner" for row in rows) else 0
    shut = locked(tx, [row.person_id for row in rows if not row.active])  # whoever is locked is not active
    return {
        row.id: [
            _state(name, permission, rule, asking, row, standing)
            for name, (permission, rule) in _RULES.items()
        ]
        for row in rows
        for standing in [
            Standing(row.role == "owner" and bool(row.active) and owners <= 1, row.person_id in shut)
        ]
    }


def _state(
    name: str, permission: Permission, rule: Rule, caller: Principal, row: Any, standing: Standing
) -> ActionState:
    if not caller.may(permission):
        return ActionState(name=name, allowed=False, reason="insufficient_permissions")
    try:
        rule(caller, row, standing)
    except ProblemError as refusal:
        finer = refusal.reason if refusal.reason in _FINER else None
        return ActionState(name=name, allowed=False, reason=finer or refusal.code)
    return ActionState(name=name, allowed=True)
