"""The list: tabs and their counts, the search, pages both ways, and what each row says."""

from __future__ import annotations

from functools import partial
from typing import Any, cast, get_args

import pytest
from sqlalchemy import Select, select, true, update
from sqlalchemy.dialects import sqlite

from server.activity import service as activity
from server.contract.orders import Order, OrderRow, OrderSort, OrderTab
from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.paging import PageRequest, Position, Slice
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.models import order
from server.orders.reading import ListQuery
from server.orders.sorting import page_rows
from server.people.models import person
from tests.server.orders.shop import Shop, caller

NEWEST = ListQuery()


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


SORTS: tuple[OrderSort, ...] = get_args(OrderSort)


def _page(query: ListQuery, request: PageRequest, tx: Tx) -> Slice[OrderRow]:
    return orders.listing(tx, query, request)


def _walk(store: Store, limit: int, edge: Any, query: ListQuery = NEWEST) -> list[str]:
    """Every row from one end to the other, page by page."""
    request = PageRequest(limit=limit, edge=edge)
    seen: list[str] = []
    for _ in range(100):
        page = store.read(partial(_page, query, request))
        rows = [row.number[-4:] for row in page.rows]
        seen = seen + rows if edge == "newest" else rows + seen
        if not (page.older if edge == "newest" else page.newer):
            return seen
        last = page.rows[-1] if edge == "newest" else page.rows[0]
        request = PageRequest(limit, Position(*query.place(last), "older" if edge == "newest" else "newer"))
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


@pytest.fixture
def mixed(shop: Shop, store: Store, clock: FrozenClock) -> None:
    """Nine orders, three at a time; their totals and what is open on them agree with neither."""
    totals = (500, 900, 500, 100, 900, 500, 0, 700, 100)
    for number, total in enumerate(totals):
        made = shop.order(items=[{"name": "Socks", "quantity": 1, "unit_price": total}], shipping=None)
        if number in {1, 2, 7}:
            store.write(partial(activity.log, type="order.cancelled", order_id=made.id))
        if number % 3 == 2:
            clock.advance(MINUTE)
    resolved = shop.order(items=[{"name": "Socks", "quantity": 1, "unit_price": 200}], shipping=None)
    store.write(lambda tx: activity.log(tx, "order.cancelled", order_id=resolved.id))
    store.write(lambda tx: activity.resolve_order(tx, resolved.id, caller()))


SORTED = {
    "newest": "10 9 8 7 6 5 4 3 2 1",
    "oldest": "1 2 3 4 5 6 7 8 9 10",
    "total": "5 2 8 6 3 1 10 9 4 7",
    "attention": "8 3 2 10 9 7 6 5 4 1",
}


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("edge", ["newest", "oldest"])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_of_every_order_meet(store: Store, sort: OrderSort, edge: str) -> None:
    expected = [f"{int(number):04d}" for number in SORTED[sort].split()]
    for limit in (1, 2, 3, 4, 9, 10, 11):
        assert _walk(store, limit, edge, ListQuery(sort=sort)) == expected


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("sort", SORTS)
def test_from_any_row_a_page_goes_both_ways(store: Store, sort: OrderSort) -> None:
    query = ListQuery(sort=sort)
    everything = store.read(partial(_page, query, PageRequest())).rows
    for at, row in enumerate(everything):
        below = store.read(partial(_page, query, PageRequest(4, Position(*query.place(row), "older"))))
        above = store.read(partial(_page, query, PageRequest(4, Position(*query.place(row), "newer"))))
        assert list(below.rows) == list(everything[at + 1 : at + 5])
        assert list(above.rows) == list(everything[max(at - 4, 0) : at])
        assert (below.older, above.newer) == (at + 5 < len(everything), at > 4)


@pytest.mark.usefixtures("mixed")
def test_an_order_narrows_nothing_and_a_tab_keeps_it(store: Store) -> None:
    for sort in SORTS:
        page = store.read(partial(_page, ListQuery("problems", "000", sort), PageRequest()))
        named = {f"{int(number):04d}" for number in ("2", "3", "8")}
        told = [row.number[-4:] for row in page.rows]
        assert told == [n for n in (f"{int(number):04d}" for number in SORTED[sort].split()) if n in named]


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("sort", SORTS)
def test_no_order_sorts_the_whole_table(store: Store, sort: OrderSort) -> None:
    """Each walks along an index; only the few that need attention may be sorted."""
    if store.dialect != "sqlite":
        pytest.skip("PostgreSQL plans by the size of the table")
    plans: list[str] = []

    def unit(tx: Tx) -> None:
        statement = select(order).where(true())
        for page in (PageRequest(1), PageRequest(1, edge="oldest")):
            told = _Explained(tx, plans)
            page_rows(cast(Tx, told), statement, sort, page)

    store.read(unit)
    assert plans
    sorting = [plan for plan in plans if "TEMP B-TREE" in plan]
    assert [plan for plan in sorting if not plan.startswith("SEARCH shop_order USING INDEX")] == []
    assert bool(sorting) == (sort == "attention")


class _Explained:
    """Runs statements and keeps how SQLite says it does."""

    def __init__(self, tx: Tx, plans: list[str]) -> None:
        self._tx, self._plans = tx, plans

    def execute(self, statement: Select[Any]) -> Any:
        text = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        told = self._tx.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
        self._plans.append("; ".join(row[-1] for row in told))
        return self._tx.execute(statement)


def test_an_order_that_comes_meanwhile_moves_no_page(shop: Shop, store: Store, clock: FrozenClock) -> None:
    for _ in range(6):
        shop.order()
        clock.advance(1)
    first = store.read(lambda tx: orders.listing(tx, NEWEST, PageRequest(limit=3)))
    shop.order()
    rest = PageRequest(3, Position(*NEWEST.place(first.rows[-1])))
    second = store.read(lambda tx: orders.listing(tx, NEWEST, rest))
    assert [row.number[-4:] for row in second.rows] == ["0003", "0002", "0001"]
