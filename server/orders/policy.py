"""What a caller may do to an order now: the same rules that refuse it when it is tried."""

from __future__ import annotations

from typing import Any, Final

from server.contract.base import ActionState
from server.contract.orders import FulfilmentStatus
from server.kit.access import Permission, Principal
from server.orders.states import STEPS, may_step

STEP_ACTIONS: Final[dict[FulfilmentStatus, str]] = {
    "submitted": "submit",
    "processing": "process",
    "shipped": "ship",
    "delivered": "deliver",
    "failed": "fail",
    "cancelled": "cancel",
}
"""The action that each fulfilment step is called in a record's list of actions."""


def actions(row: Any, attention: int, caller: Principal) -> list[ActionState]:
    """What ``caller`` may do to an order.

    Args:
        row: the order.
        attention: how many of its entries are open.
        caller: who asks.

    Returns:
        ``resolve_all`` and one action for each fulfilment step, with the reason when it is not allowed:
        ``insufficient_permissions``, ``nothing_open`` or ``invalid_transition``.
    """
    return [
        _state("resolve_all", caller, "activity.resolve", None if attention else "nothing_open"),
        *(
            _state(
                STEP_ACTIONS[step],
                caller,
                "orders.fulfil",
                None if may_step(row.fulfilment_status, step) else "invalid_transition",
            )
            for step in STEPS
        ),
    ]


def sees_customer(caller: Principal) -> bool:
    """Whether the caller may read whose order it is. A storefront may make and move orders, not look people up."""
    return caller.may("orders.read")


def _state(name: str, caller: Principal, permission: Permission, obstacle: str | None) -> ActionState:
    reason = obstacle if caller.may(permission) else "insufficient_permissions"
    return ActionState(name=name, allowed=reason is None, reason=reason)
