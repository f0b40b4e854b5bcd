"""What payments do to an order: they only raise it, and each fact is told once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.contract.base import Money
from server.kit.clock import MINUTE, FrozenClock, instant
from server.kit.db import Store
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.payment import Payment, Refund
from tests.server.orders.shop import Shop


def test_paid_at_the_payment_page(shop: Shop, clock: FrozenClock) -> None:
    at = clock.now() - MINUTE
    made = shop.pay(shop.order(), occurred_at=at)
    assert made.payment_status == "paid"
    assert made.times.paid_at == instant(at)
    assert shop.entries(made) == ["order.created"]
    entry = shop.entry(made, "order.created")
    assert entry.params == {"amount": {"amount": 4300, "currency": "GBP"}, "via": "Stripe"}
    assert (entry.occurred_at, entry.actor_kind, entry.level) == (at, "customer", "info")
    assert entry.person_id == (made.customer and made.customer.id)


def test_told_twice_changes_nothing(shop: Shop, clock: FrozenClock) -> None:
    made = shop.pay(shop.order())
    clock.advance(MINUTE)
    assert shop.pay(made) == made
    assert shop.entries(made) == ["order.created"]


def test_money_that_comes_later(shop: Shop, store: Store, clock: FrozenClock) -> None:
    made = shop.order()
    store.write(lambda tx: orders.mark_placed(tx, made.id, shop.payment(made), paid=False))
    assert shop.get(made.id).payment_status == "pending"
    clock.advance(MINUTE)
    store.write(lambda tx: orders.mark_paid(tx, made.id, shop.payment(made)))
    assert shop.get(made.id).payment_status == "paid"
    assert shop.entries(made) == ["order.created", "order.paid"]


def test_money_that_does_not_come(shop: Shop, store: Store) -> None:
    made = shop.order()
    store.write(lambda tx: orders.mark_payment_failed(tx, made.id, shop.payment(made)))
    failed = shop.get(made.id)
    assert (failed.payment_status, failed.problem, failed.attention) == ("failed", "Payment failed", 1)
    assert failed.times.payment_failed_at is not None
    assert shop.pay(made, reference="cs_another", intent="pi_another").payment_status == "paid"
    assert shop.entries(made) == ["order.payment_failed", "order.paid"]


def test_another_amount_pays_all_the_same_and_is_told(shop: Shop) -> None:
    made = shop.pay(shop.order(), amount=5000)
    assert (made.payment_status, made.total.amount, made.attention) == ("paid", 4300, 1)
    assert shop.entry(made, "order.created").params["amount"] == {"amount": 5000, "currency": "GBP"}
    entry = shop.entry(made, "order.amount_mismatch")
    assert entry.level == "warning"
    assert entry.params["amount"] == {"amount": 5000, "currency": "GBP"}
    assert entry.params["expected"] == {"amount": 4300, "currency": "GBP"}
    shop.pay(made, amount=5000)
    assert shop.entries(made) == ["order.created", "order.amount_mismatch"]


def test_the_same_number_in_another_currency_is_another_amount(shop: Shop) -> None:
    made = shop.pay(shop.order(), currency="EUR")
    assert made.payment_status == "paid"
    assert "order.amount_mismatch" in shop.entries(made)


def test_a_second_payment_is_a_warning(shop: Shop) -> None:
    made = shop.pay(shop.order())
    again = shop.pay(made, reference="cs_second", intent="pi_second")
    assert again.payment_status == "paid"
    assert again.times == made.times
    assert shop.entries(made) == ["order.created", "order.paid_again"]
    shop.pay(made, reference="cs_second", intent="pi_second")
    assert shop.entries(made) == ["order.created", "order.paid_again"]
    shop.pay(made)  # the first again, late
    assert shop.entries(made) == ["order.created", "order.paid_again"]


class TestRefunds:
    def refund(self, shop: Shop, order_id: str, amount: int, **changed: Any) -> None:
        fields: dict[str, Any] = {
            "processor": "Stripe",
            "reference": "ch_1",
            "amount": amount,
            "of": 4300,
            "currency": "GBP",
            "occurred_at": shop.store.clock.now(),
        }
        refund = Refund(**(fields | changed))
        shop.store.write(lambda tx: orders.mark_refunded(tx, order_id, refund))

    def test_a_part_leaves_it_paid(self, shop: Shop) -> None:
        made = shop.pay(shop.order())
        self.refund(shop, made.id, 1000)
        made = shop.get(made.id)
        assert (made.payment_status, made.refunded) == ("paid", Money(amount=1000, currency="GBP"))
        assert made.times.refunded_at is None
        entry = shop.entry(made, "order.refunded")
        assert entry.params["amount"] == {"amount": 1000, "currency": "GBP"}
        assert entry.params["of"] == {"amount": 4300, "currency": "GBP"}

    def test_all_of_it(self, shop: Shop, clock: FrozenClock) -> None:
        made = shop.pay(shop.order())
        clock.advance(MINUTE)
        self.refund(shop, made.id, 4300)
        made = shop.get(made.id)
        assert made.payment_status == "refunded"
        assert made.times.refunded_at == instant(clock.now())
        assert "of" not in shop.entry(made, "order.refunded").params

    def test_each_part_is_told_once(self, shop: Shop) -> None:
        made = shop.pay(shop.order())
        for amount in (1000, 1000, 2500, 4300, 2500):
            self.refund(shop, made.id, amount)
        assert shop.entries(made) == ["order.created", *["order.refunded"] * 3]
        assert shop.get(made.id).refunded == Money(amount=4300, currency="GBP")

    def test_one_in_another_currency_is_not_added_up(self, shop: Shop) -> None:
        made = shop.pay(shop.order())
        self.refund(shop, made.id, 900, of=5000, currency="EUR")
        assert shop.get(made.id).refunded is None
        assert shop.entry(made, "order.refunded").params["amount"]["currency"] == "EUR"


Fact = tuple[str, int]
_FACTS: list[Fact] = [
    ("placed", 0),
    ("paid", 0),
    ("failed", 0),
    ("refunded", 1000),
    ("refunded", 4300),
]


def _tell(shop: Shop, order_id: str, payment: Payment, fact: Fact) -> Callable[[Tx], None]:
    kind, amount = fact

    def unit(tx: Tx) -> None:
        if kind == "placed":
            orders.mark_placed(tx, order_id, payment, paid=False)
        elif kind == "paid":
            orders.mark_paid(tx, order_id, payment)
        elif kind == "failed":
            orders.mark_payment_failed(tx, order_id, payment)
        else:
            orders.mark_refunded(
                tx, order_id, Refund("Stripe", f"ch_{order_id}", amount, 4300, "GBP", payment.occurred_at)
            )

    return unit


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.permutations(_FACTS), repeats=st.lists(st.sampled_from(_FACTS), max_size=6))
def test_facts_in_any_order_end_the_same(shop: Shop, told: list[Fact], repeats: list[Fact]) -> None:
    made = shop.order()
    payment = shop.payment(made)
    status = ["pending", "failed", "paid", "refunded"]
    reached = 0
    for fact in [*told, *repeats]:
        shop.store.write(_tell(shop, made.id, payment, fact))
        now = status.index(shop.get(made.id).payment_status)
        assert now >= reached, "a payment fell"
        reached = now
    end = shop.get(made.id)
    assert (end.payment_status, end.refunded) == ("refunded", Money(amount=4300, currency="GBP"))
    assert sorted(shop.entries(made)) == [
        "order.created",
        "order.paid",
        "order.payment_failed",
        "order.refunded",
        "order.refunded",
    ]
    assert all([end.times.paid_at, end.times.payment_failed_at, end.times.refunded_at])


@pytest.mark.parametrize("rank", ["paid", "refunded"])
def test_a_late_failure_lowers_nothing(shop: Shop, store: Store, rank: str) -> None:
    made = shop.pay(shop.order())
    if rank == "refunded":
        TestRefunds().refund(shop, made.id, 4300)
    store.write(lambda tx: orders.mark_payment_failed(tx, made.id, shop.payment(made)))
    assert shop.get(made.id).payment_status == rank
