"""What a caller may do to an order now: the same rules that refuse it when it is tried."""

from __future__ import annotations

from typing import Any, Final, Literal

from server.contract.base import ActionState
from server.contract.orders import FulfilmentStatus
from server.kit.access import Permission, Principal
from server.orders.states import STEPS, may_step

MailName = Literal["confirmation", "shipping"]
STEP_ACTIONS: Final[dict[FulfilmentStatus, str]] = {
    "submitted": "submit",
    "processing": "process",
    "shipped": "ship",
    "delivered": "deliver",
    "failed": "fail",
    "cancelled": "cancel",
}
"""The action that each fulfilment step is called in a record's list of actions."""


def actions(row: Any, attention: int, caller: Principal, *, reachable: bool = False) -> list[ActionState]:
    """What ``caller`` may do to an order.

    Args:
        row: the order.
        attention: how many of its entries are open.
        caller: who asks.
        reachable: whether its customer has an e-mail address.

    Returns:
        ``resolve_all`` and one action for each fulfilment step, with the reason when it is not allowed:
        ``insufficient_permissions``, ``nothing_open`` or ``invalid_transition``. ``send_confirmation`` and
        ``send_shipping`` with the reasons of `mail_obstacle`; ``send_mail`` is allowed when one of them is.
    """
    confirmation = mail_obstacle(row, "confirmation", reachable=reachable)
    shipping = mail_obstacle(row, "shipping", reachable=reachable)
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
        _state("send_mail", caller, "mail.send", confirmation if shipping is not None else None),
        _state("send_confirmation", caller, "mail.send", confirmation),
        _state("send_shipping", caller, "mail.send", shipping),
    ]


def mail_obstacle(row: Any, kind: MailName, *, reachable: bool) -> str | None:
    """Why an order's mail cannot be sent now: ``no_address``, ``not_paid``, ``not_shipped``; None when it can."""
    if not reachable:
        return "no_address"
    if kind == "confirmation":
        return None if row.payment_status in ("paid", "refunded") else "not_paid"
    return None if row.fulfilment_status in ("shipped", "delivered") else "not_shipped"


def sees_customer(caller: Principal) -> bool:
    """Whether the caller may read whose order it is. A storefront may make and move orders, not look people up."""
    return caller.may("orders.read")


def _state(name: str, caller: Principal, permission: Permission, obstacle: str | None) -> ActionState:
    reason = obstacle if caller.may(permission) else "insufficient_permissions"
    return ActionState(name=name, allowed=reason is None, reason=reason)
