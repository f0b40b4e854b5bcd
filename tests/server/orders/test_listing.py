"""The list: tabs and their counts, the search, pages both ways, and what each row says."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

import pytest
from sqlalchemy import update

from server.activity import service as activity
from server.contract.orders import Order, OrderRow, OrderTab
from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.paging import PageRequest, Position, Slice
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.models import order
from server.orders.reading import ListQuery
from server.people.models import person
from tests.server.orders.shop import Shop, caller


def listed(store: Store, tab: OrderTab = "all", q: str = "") -> list[str]:
    page = store.read(lambda tx: orders.listing(tx, ListQuery(tab, q), PageRequest(limit=200)))
    return [row.number[-4:] for row in page.rows]


def counted(store: Store) -> dict[str, int]:
    return store.read(orders.counts).model_dump()


@pytest.fixture
def shelf(shop: Shop, clock: FrozenClock) -> dict[str, Order]:
    """One order of each kind, a minute apart, by name; their numbers count up from 0001."""
    made: dict[str, Order] = {}

    def add(name: str, *steps: str, paid: bool = True) -> Order:
        clock.advance(MINUTE)
        made[name] = shop.order(customer={"email": f"{name}@example.com"})
        if paid:
            made[name] = shop.pay(made[name])
        for step in steps:
            made[name] = shop.step(made[name].id, step)
        return made[name]

    add("pending", paid=False)
    add("paid")
    add("submitted", "submitted")
    add("processing", "processing")
    add("shipped", "shipped")
    add("delivered", "delivered")
    add("failed", "failed")
    add("cancelled", "cancelled")
    unpaid = add("refused", paid=False)
    shop.store.write(lambda tx: orders.mark_payment_failed(tx, unpaid.id, shop.payment(unpaid)))
    add("given-up", "cancelled", paid=False)
    shop.store.write(lambda tx: activity.resolve_order(tx, made["given-up"].id, caller()))
    return made


def test_each_tab_holds_its_orders_newest_first(store: Store, shelf: dict[str, Order]) -> None:
    names = {row.number[-4:]: name for name, row in shelf.items()}
    tabs = {tab: [names[number] for number in listed(store, tab)] for tab in get_args(OrderTab)}
    assert tabs["all"] == list(reversed(shelf))
    assert tabs["unpaid"] == ["refused", "pending"]
    assert tabs["to_ship"] == ["failed", "processing", "submitted", "paid"]
    assert tabs["shipped"] == ["delivered", "shipped"]
    assert tabs["problems"] == ["refused", "cancelled", "failed"]


def test_the_counts_are_those_of_the_tabs(store: Store, shelf: dict[str, Order]) -> None:
    assert counted(store) == {tab: len(listed(store, tab)) for tab in get_args(OrderTab)}


def test_an_empty_shop(store: Store) -> None:
    assert listed(store) == []
    assert counted(store) == dict.fromkeys(get_args(OrderTab), 0)


def test_a_failed_payment_is_no_problem_once_the_order_is_cancelled_and_seen_to(
    store: Store, shop: Shop, shelf: dict[str, Order]
) -> None:
    number = shelf["refused"].number[-4:]
    shop.step(shelf["refused"].id, "cancelled")
    assert number in listed(store, "problems")  # nobody has seen to the entries
    store.write(lambda tx: activity.resolve_order(tx, shelf["refused"].id, caller()))
    assert number not in listed(store, "problems")


def test_rows_say_what_is_wrong(shop: Shop, store: Store, shelf: dict[str, Order]) -> None:
    shop.step(shelf["failed"].id, "failed", reason="out of [b]stock", attempt=2)
    page = store.read(lambda tx: orders.listing(tx, ListQuery("problems"), PageRequest()))
    told = {row.id: (row.attention, row.problem) for row in page.rows}
    assert told == {
        shelf["refused"].id: (1, "Payment failed"),
        shelf["cancelled"].id: (1, None),
        shelf["failed"].id: (2, "out of [b]stock"),
    }


def test_open_attention_alone_makes_a_problem_until_it_is_resolved(shop: Shop, store: Store) -> None:
    made = shop.pay(shop.order())
    assert listed(store, "problems") == []
    store.write(lambda tx: activity.log(tx, "custom.odd", order_id=made.id, level="warning"))
    assert listed(store, "problems") == ["0001"]
    assert counted(store)["problems"] == 1
    store.write(lambda tx: activity.resolve_order(tx, made.id, caller()))
    assert listed(store, "problems") == []
    assert counted(store)["problems"] == 0


class TestSearch:
    @pytest.fixture(autouse=True)
    def _orders(self, shop: Shop, clock: FrozenClock) -> None:
        first = shop.order(customer={"email": "Mary.Jones@example.com", "name": "Mary Jones"})
        shop.step(first.id, "submitted", provider="Printify", provider_order_id="PFY_12345")
        clock.advance(MINUTE)
        second = shop.order(customer={"email": "zoe@example.org", "name": "Zoë 100% Müller"})
        shop.step(second.id, "shipped", tracking_number="JD-0099%")

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("0001", ["0001"]),
            ("ss-260223", ["0002", "0001"]),
            ("mary", ["0001"]),
            ("JONES@EXAMPLE", ["0001"]),
            ("müller", ["0002"]),
            ("pfy_1", ["0001"]),
            ("PFY%", []),
            ("pfy1", []),
            ("_", ["0001"]),
            ("%", ["0002"]),
            ("jd-0099%", ["0002"]),
            ("\\", []),
            ("/", []),
            ("'; DROP TABLE shop_order;--", []),
            ("", ["0002", "0001"]),
            ("   ", ["0002", "0001"]),
        ],
    )
    def test_it_is_literal(self, store: Store, q: str, found: list[str]) -> None:
        assert listed(store, "all", q) == found

    def test_it_narrows_the_tab(self, store: Store) -> None:
        assert listed(store, "shipped", "example") == ["0002"]


def test_an_erased_customer_is_shown_by_the_mark(shop: Shop, store: Store, clock: FrozenClock) -> None:
    made = shop.order()
    assert made.customer is not None
    erased = {"name": None, "email": None, "email_key": None, "name_key": None, "phone": None}
    store.write(lambda tx: tx.execute(update(person).values(**erased, mark="7F2A", erased_at=clock.now())))
    page = store.read(lambda tx: orders.listing(tx, ListQuery(), PageRequest()))
    for shown in (page.rows[0].customer, shop.get(made.id).customer):
        assert shown is not None
        assert (shown.id, shown.erased) == (made.customer.id, "7F2A")
        assert (shown.name, shown.email, shown.phone) == (None, None, None)


def test_an_order_without_a_customer_is_listed(shop: Shop, store: Store) -> None:
    made = shop.order()
    store.write(lambda tx: tx.execute(update(order).values(person_id=None, address_id=None)))
    assert shop.get(made.id).customer is None
    assert listed(store) == ["0001"]


def _page(request: PageRequest, tx: Tx) -> Slice[OrderRow]:
    return orders.listing(tx, ListQuery(), request)


def _walk(store: Store, limit: int, edge: Any) -> list[str]:
    """Every row from one end to the other, page by page."""
    request = PageRequest(limit=limit, edge=edge)
    seen: list[str] = []
    for _ in range(100):
        page = store.read(partial(_page, request))
        rows = [row.number[-4:] for row in page.rows]
        seen = seen + rows if edge == "newest" else rows + seen
        if not (page.older if edge == "newest" else page.newer):
            return seen
        last = page.rows[-1] if edge == "newest" else page.rows[0]
        request = PageRequest(limit, Position(*orders.place(last), "older" if edge == "newest" else "newer"))
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("edge", ["newest", "oldest"])
def test_pages_meet_without_gap_or_repeat(shop: Shop, store: Store, clock: FrozenClock, edge: str) -> None:
    for _ in range(4):
        for _ in range(3):  # three at the same moment
            shop.order()
        clock.advance(1)
    everything = [f"{n:04d}" for n in range(12, 0, -1)]
    for limit in (1, 2, 5, 12, 13):
        assert _walk(store, limit, edge) == everything


def test_an_order_that_comes_meanwhile_moves_no_page(shop: Shop, store: Store, clock: FrozenClock) -> None:
    for _ in range(6):
        shop.order()
        clock.advance(1)
    first = store.read(lambda tx: orders.listing(tx, ListQuery(), PageRequest(limit=3)))
    shop.order()
    rest = PageRequest(3, Position(*orders.place(first.rows[-1])))
    second = store.read(lambda tx: orders.listing(tx, ListQuery(), rest))
    assert [row.number[-4:] for row in second.rows] == ["0003", "0002", "0001"]
