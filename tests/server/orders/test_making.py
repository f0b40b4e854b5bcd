"""New orders: prices, totals, people, numbers; and what stays when one goes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import func, select

from server.activity.models import activity
from server.contract.base import Money
from server.contract.orders import NewOrderItem
from server.kit import topics
from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.orders import service as orders
from server.orders.making import priced
from server.orders.models import order, order_item
from server.people.models import person
from server.settings import service as settings
from tests.server.orders.shop import Shop, new_order


def test_an_order_says_what_was_ordered(shop: Shop) -> None:
    made = shop.order(
        customer={
            "email": "Mary@Example.com",
            "name": "Mary Example",
            "phone": "+44 20 7946 0018",
            "address": {"line1": "1 Sock Lane", "city": "London", "country": "GB"},
        }
    )
    assert made.number == "SS-260223-0001"
    assert made.total == Money(amount=4300, currency="GBP")
    assert made.shipping == Money(amount=395, currency="GBP")
    assert made.refunded is None
    assert (made.payment_status, made.fulfilment_status) == ("pending", "unfulfilled")
    assert [(item.name, item.quantity, item.unit_price.amount, item.product_id) for item in made.items] == [
        ("Wool socks", 2, 1200, None),
        ("Sock bag", 1, 1505, "bag-1"),
    ]
    assert made.customer is not None
    assert (made.customer.email, made.customer.name) == ("Mary@Example.com", "Mary Example")
    assert made.address is not None
    assert (made.address.line1, made.address.country) == ("1 Sock Lane", "GB")
    assert all(value is None for value in made.times.model_dump().values())
    assert shop.entries(made) == []  # nothing was bought yet


def test_it_is_found_by_id_and_by_number_in_any_case(shop: Shop) -> None:
    made = shop.order()
    assert shop.get(made.id) == shop.get(made.number) == shop.get(made.number.lower()) == made


@pytest.mark.parametrize(
    "key", ["", "x", "SS-260223-0002", "%", "00000000-0000-7000-8000-000000000000", "SS-260223-0001\0"]
)
def test_an_unknown_one_is_not_found(shop: Shop, key: str) -> None:
    shop.order()
    with pytest.raises(ProblemError) as refused:
        shop.get(key)
    assert refused.value.code == "not_found"


def test_the_same_customer_orders_again(shop: Shop, store: Store) -> None:
    first = shop.order(customer={"email": "MARY@example.com"})
    again = shop.order(customer={"email": "mary@EXAMPLE.com", "name": "Mary"})
    assert first.customer is not None
    assert again.customer is not None
    assert first.customer.id == again.customer.id
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(person)).scalar()) == 1


def test_prices_may_be_money_of_the_orders_currency(shop: Shop) -> None:
    price = Money(amount=1200, currency="EUR")
    made = shop.order(
        items=[{"name": "Socks", "quantity": 3, "unit_price": price}],
        currency="eur",
        shipping=Money(amount=1, currency="EUR"),
    )
    assert made.total == Money(amount=3601, currency="EUR")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"items": [{"name": "S", "quantity": 1, "unit_price": Money(amount=1, currency="EUR")}]}, "items.0"),
        (
            {"items": [{"name": "S", "quantity": 1, "unit_price": Money(amount=-1, currency="GBP")}]},
            "items.0",
        ),
        ({"shipping": Money(amount=395, currency="USD")}, "shipping"),
        ({"shipping": Money(amount=10**13, currency="GBP")}, "shipping"),
        ({"items": [{"name": "S", "quantity": 100_000, "unit_price": 10**12}]}, "items"),
    ],
)
def test_what_cannot_be_paid_is_refused(
    shop: Shop, store: Store, changed: dict[str, Any], field: str
) -> None:
    with pytest.raises(ProblemError) as refused:
        shop.order(**changed)
    assert (refused.value.status, refused.value.code) == (422, "invalid_request")
    assert refused.value.fields is not None
    assert refused.value.fields[0][0].startswith(field)
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(order)).scalar()) == 0
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(person)).scalar()) == 0


@pytest.mark.parametrize("price", [12.5, "1200", True, -1, None])
def test_a_price_is_an_integer(price: Any) -> None:
    with pytest.raises(ValidationError):
        NewOrderItem.model_validate({"name": "Socks", "quantity": 1, "unit_price": price})


def test_the_largest_total_fits(shop: Shop) -> None:
    made = shop.order(items=[{"name": "S", "quantity": 1000, "unit_price": 10**12}], shipping=None)
    assert made.total.amount == 10**15


def test_yen_have_no_pennies(shop: Shop) -> None:
    made = shop.order(items=[{"name": "靴下", "quantity": 1, "unit_price": 1200}], currency="JPY", shipping=0)
    assert made.total == Money(amount=1200, currency="JPY")


def test_making_one_moves_the_topic(shop: Shop, store: Store) -> None:
    shop.order()
    assert store.read(topics.counters)["orders"] == 1


class TestNumbers:
    def test_they_count_from_one_every_day(self, shop: Shop, clock: FrozenClock) -> None:
        assert [shop.order().number for _ in range(3)] == [f"SS-260223-000{n}" for n in (1, 2, 3)]
        clock.set("2026-02-24T00:00:00Z")
        assert shop.order().number == "SS-260224-0001"

    def test_the_day_is_the_shops(self, shop: Shop, store: Store, clock: FrozenClock) -> None:
        store.write(lambda tx: settings.set_value(tx, "shop.time_zone", "Pacific/Auckland"))
        clock.set("2026-02-23T10:59:59Z")
        assert shop.order().number == "SS-260223-0001"
        clock.set("2026-02-23T11:00:00Z")  # midnight there
        assert shop.order().number == "SS-260224-0001"

    def test_a_refused_order_uses_none_up(self, shop: Shop) -> None:
        shop.order()
        with pytest.raises(ProblemError):
            shop.order(shipping=Money(amount=1, currency="USD"))
        assert shop.order().number == "SS-260223-0002"

    def test_no_two_orders_share_one(self, store: Store) -> None:
        gate = threading.Barrier(6)
        made: list[str] = []

        def some() -> None:
            gate.wait(10)
            made.extend(store.write(lambda tx: orders.create(tx, new_order())) for _ in range(10))

        threads = [threading.Thread(target=some) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        numbers = store.read(lambda tx: orders.numbers(tx, made))
        assert sorted(numbers.values()) == [f"SS-260223-{n:04d}" for n in range(1, 61)]


@given(
    prices=st.lists(st.tuples(st.integers(1, 100_000), st.integers(0, 10**12)), min_size=1, max_size=20),
    shipping=st.none() | st.integers(0, 10**12),
)
def test_the_total_is_the_sum_or_the_order_is_refused(
    prices: list[tuple[int, int]], shipping: int | None
) -> None:
    new = new_order(
        items=[{"name": "S", "quantity": quantity, "unit_price": price} for quantity, price in prices],
        shipping=shipping,
    )
    expected = sum(quantity * price for quantity, price in prices) + (shipping or 0)
    if expected <= 10**15:
        assert priced(new).total == expected
    else:
        with pytest.raises(ProblemError, match="invalid_request"):
            priced(new)


def test_an_order_that_is_deleted_leaves_its_story(shop: Shop, store: Store) -> None:
    made = shop.pay(shop.order())
    other = shop.pay(shop.order())
    store.write(lambda tx: orders.delete(tx, made.id))
    with pytest.raises(ProblemError):
        shop.get(made.id)
    rows = store.read(lambda tx: tx.execute(select(activity.c.type, activity.c.order_id)).all())
    assert {tuple(row) for row in rows} == {("order.created", None), ("order.created", other.id)}
    left = store.read(lambda tx: tx.execute(select(order_item.c.order_id).distinct()).scalars().all())
    assert list(left) == [other.id]
