"""What an order's states may become. Pure rules, no database."""

from __future__ import annotations

from typing import Final

from server.contract.orders import FulfilmentStatus, PaymentStatus
from server.kit.problems import ProblemError

PAYMENT_RANK: Final[dict[PaymentStatus, int]] = {"pending": 0, "failed": 1, "paid": 2, "refunded": 3}
"""A payment only ever rises: what arrives late or twice lowers nothing."""

FORWARD: Final[tuple[FulfilmentStatus, ...]] = (
    "unfulfilled",
    "submitted",
    "processing",
    "shipped",
    "delivered",
)
"""The way of an order. Steps may be left out (a shop that packs itself goes straight to shipped)."""

STEPS: Final[tuple[FulfilmentStatus, ...]] = (
    "submitted",
    "processing",
    "shipped",
    "delivered",
    "failed",
    "cancelled",
)
"""What can be told of an order, in the order in which screens offer it."""

PAYMENT_STAMP: Final[dict[PaymentStatus, str]] = {
    "paid": "paid_at",
    "failed": "payment_failed_at",
    "refunded": "refunded_at",
}
FULFILMENT_STAMP: Final[dict[FulfilmentStatus, str]] = {step: f"{step}_at" for step in STEPS}


def payment_rises(current: PaymentStatus, target: PaymentStatus) -> bool:
    """Whether a payment in state ``current`` becomes ``target``; otherwise it stays as it is."""
    return PAYMENT_RANK[target] > PAYMENT_RANK[current]


def may_step(current: FulfilmentStatus, target: FulfilmentStatus) -> bool:
    """Whether an order in state ``current`` may take the step ``target``. The same state again is no step."""
    if target == "failed":
        return current in ("unfulfilled", "submitted", "processing")
    if target == "cancelled":
        return current not in ("delivered", "cancelled")
    if current == "failed":
        return target in FORWARD[1:]
    if current == "cancelled":
        return False
    return FORWARD.index(target) > FORWARD.index(current)


def check_step(current: FulfilmentStatus, target: FulfilmentStatus) -> None:
    """Refuse a step that the order's state does not allow.

    Raises:
        ProblemError: 409 ``invalid_transition``.
    """
    if not may_step(current, target):
        raise ProblemError(
            409, "invalid_transition", f"An order that is {current} cannot become {target}.", reason=current
        )
