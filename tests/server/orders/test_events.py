"""What is told on the topics when something happens to an order: each transition once, to staff and to its customer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from server.contract.orders import Address, FulfilmentStep, Order
from server.kit.db import Store
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.payment import Refund
from tests.server.orders.shop import Shop, caller
from tests.support.signed_up import sign_up
from tests.support.told import Told, Topics


@pytest.fixture
def told(store: Store) -> Topics:
    return Topics(store)


def base(event: str, order: Order) -> Told:
    return Told(event, {"order_id": order.id}, frozenset({"billing:orders"}))


def back(shop: Shop, order: Order, amount: int, **changed: object) -> Refund:
    refund = Refund("Stripe", "re_1", amount, order.total.amount, "GBP", shop.store.clock.now())
    return replace(refund, **changed)  # type: ignore[arg-type]


def test_the_whole_way_of_an_order(shop: Shop, told: Topics) -> None:
    order = shop.order()
    assert told.new() == [base("order_created", order)]
    shop.pay(order)
    assert told.new() == [base("order_paid", order)]
    shop.pay(order)
    assert told.new() == [], "it was paid"
    for status in ("submitted", "processing", "shipped"):
        shop.step(order.id, status)
        assert told.new() == [base("order_updated", order)]
        shop.step(order.id, status)
        assert told.new() == [], "that is no step"
    shop.step(order.id, "shipped", carrier="Post")
    assert told.new() == [base("order_updated", order)], "a detail that was missing"
    shop.step(order.id, "cancelled")
    assert told.new() == [base("order_cancelled", order)]


def test_money_on_its_way_and_money_that_does_not_come(shop: Shop, told: Topics, store: Store) -> None:
    order = shop.order()
    payment = shop.payment(order)
    told.new()

    def placed(tx: Tx) -> None:
        orders.mark_placed(tx, order.id, payment, paid=False)

    store.write(placed)
    store.write(placed)
    assert told.new() == [base("order_confirmed", order)]
    for _ in range(2):
        store.write(lambda tx: orders.mark_payment_failed(tx, order.id, payment))
    assert told.new() == [base("order_updated", order)]
    for _ in range(2):
        store.write(lambda tx: orders.mark_paid(tx, order.id, payment))
    assert told.new() == [base("order_paid", order)]
    store.write(lambda tx: orders.mark_payment_failed(tx, order.id, payment))
    assert told.new() == [], "paid it stays"


def test_a_refund_is_told_in_part_and_whole(shop: Shop, told: Topics, store: Store) -> None:
    order = shop.pay(shop.order())
    told.new()
    for amount, wanted in ((1000, ["order_updated"]), (4300, ["order_refunded"])):
        refund = back(shop, order, amount)
        for _ in range(2):
            store.write(partial(orders.mark_refunded, order_id=order.id, refund=refund))
        assert told.new() == [base(event, order) for event in wanted]
    other = back(shop, order, 4300, intent="pi_of_another")
    store.write(lambda tx: orders.mark_refunded(tx, order.id, other))
    assert told.new() == [], "the order did not change"


def test_what_is_told_late_and_what_is_filled_in(shop: Shop, told: Topics, store: Store) -> None:
    order = shop.order()
    shop.step(order.id, "shipped")
    told.new()
    late = FulfilmentStep(status="processing")

    def tell(tx: Tx) -> None:
        orders.told(tx, order.id, late, actor=orders.actor_of(caller()))

    store.write(tell)
    store.write(tell)
    assert told.new() == [base("order_updated", order)]

    def fill(tx: Tx) -> None:
        row = orders.find(tx, order.id)
        assert row is not None
        orders.fill_address(tx, row, Address(line1="1 High Street"))

    store.write(fill)
    store.write(fill)
    assert told.new() == [base("order_updated", order)]


def test_a_customer_with_an_account_is_told_of_their_own(shop: Shop, told: Topics, store: Store) -> None:
    mary = sign_up(store, "mary@example.com")
    sign_up(store, "eve@example.com")
    order = shop.order(customer={"email": "MARY@example.com"})
    both = frozenset({"billing:orders", f"billing:orders:user:{mary.user_id}"})
    assert told.new("billing:") == [Told("order_created", {"order_id": order.id}, both)]
    shop.pay(order)
    assert told.new("billing:") == [Told("order_paid", {"order_id": order.id}, both)]


def test_what_is_refused_or_undone_is_not_told(shop: Shop, told: Topics, store: Store) -> None:
    order = shop.order()
    told.new()

    def undone(tx: Tx) -> None:
        orders.mark_paid(tx, order.id, shop.payment(order))
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - our own
        store.write(undone)
    assert told.new() == []
