"""The rules of states, as a table."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from server.contract.orders import FulfilmentStatus, PaymentStatus
from server.kit.problems import ProblemError
from server.orders.states import check_step, may_step, payment_rises

ALLOWED: dict[FulfilmentStatus, set[FulfilmentStatus]] = {
    "unfulfilled": {"submitted", "processing", "shipped", "delivered", "failed", "cancelled"},
    "submitted": {"processing", "shipped", "delivered", "failed", "cancelled"},
    "processing": {"shipped", "delivered", "failed", "cancelled"},
    "shipped": {"delivered", "cancelled"},
    "delivered": set(),
    "failed": {"submitted", "processing", "shipped", "delivered", "cancelled"},
    "cancelled": set(),
}


@pytest.mark.parametrize(
    ("current", "target"), product(get_args(FulfilmentStatus), get_args(FulfilmentStatus))
)
def test_steps(current: FulfilmentStatus, target: FulfilmentStatus) -> None:
    assert may_step(current, target) == (target in ALLOWED[current])
    if target not in ALLOWED[current]:
        with pytest.raises(ProblemError) as refused:
            check_step(current, target)
        assert (refused.value.status, refused.value.code) == (409, "invalid_transition")


def test_a_payment_only_rises() -> None:
    ladder: list[PaymentStatus] = ["pending", "failed", "paid", "refunded"]
    for low, high in product(range(4), range(4)):
        assert payment_rises(ladder[low], ladder[high]) == (high > low)
