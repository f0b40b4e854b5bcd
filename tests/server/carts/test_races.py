"""Many at one cart at once: one line, one order, whoever is quicker, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy import func, select

from server.carts import service as carts
from server.contract.shop_carts import AddLine, ConvertCart, MergeCart, NewCart, SpecValue
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.orders.models import order
from tests.server.carts.till import SESSION, Till

ROUNDS = 15
AT_ONCE = 4


def together(*acts: Callable[[], object]) -> list[object]:
    """Let all begin at the same moment; what each gave, or its refusal."""
    start = threading.Barrier(len(acts), timeout=10)

    def act(one: Callable[[], object]) -> object:
        start.wait()
        try:
            return one()
        except ProblemError as refused:
            return refused.code

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(20) for future in [pool.submit(act, one) for one in acts]]


def test_racing_adds_make_one_line(till: Till) -> None:
    specs: dict[str, SpecValue] = {"colour": "red", "size": "L"}
    one = AddLine(product_id=till.socks, variant_id=till.small, specs=specs)
    other = one.model_copy(update={"specs": dict(reversed(specs.items()))})
    for n in range(ROUNDS):
        key = till.open(session=f"{SESSION}-{n}")
        made = together(*(partial(till.run, carts.add, key, new) for new in (one, other) * (AT_ONCE // 2)))
        assert (made.count(True), made.count(False)) == (1, AT_ONCE - 1), "one line was made"
        assert till.lines(key) == [(specs, AT_ONCE, 1250)]


def test_racing_converts_make_one_order(till: Till, store: Store) -> None:
    count = select(func.count()).select_from(order)
    for n in range(ROUNDS):
        key = till.ready(session=f"{SESSION}-{n}")
        seen = threading.Barrier(AT_ONCE)
        new = ConvertCart(email=f"guest{n}@example.com")
        results = together(*[partial(convert, till, key, new, seen)] * AT_ONCE)
        won = [one for one in results if one != "cart_already_converting"]
        assert len(won) == 1, results
        found = till.get(key)
        assert (found.state, found.order and found.order.id) == ("converted", won[0])
        assert store.read(lambda tx: tx.execute(count).scalar_one()) == n + 1


def convert(till: Till, key: str, new: ConvertCart, seen: threading.Barrier) -> str:
    """As the route does: look first, and then, with all the others, act."""
    stood = till.store.read(lambda tx: carts.stands(tx, key))
    seen.wait(10)
    return till.run(carts.convert, key, new, stood=stood)


def test_what_is_added_while_it_becomes_an_order_is_in_it_or_refused(till: Till) -> None:
    more = AddLine(product_id=till.socks, variant_id=till.medium)
    who = ConvertCart(email="guest@example.com")
    for n in range(ROUNDS):
        key = till.ready(session=f"{SESSION}-{n}")
        _, added = together(
            partial(till.run, carts.convert, key, who), partial(till.run, carts.add, key, more)
        )
        found = till.get(key)
        assert found.order is not None
        assert till.run(total_of, found.order.id) == found.total.amount
        assert added in (True, "cart_not_active")
        assert len(found.lines) == (2 if added is True else 1)


def total_of(tx: Tx, order_id: str) -> int:
    return int(tx.execute(select(order.c.total).where(order.c.id == order_id)).scalar_one())


def test_a_session_that_asks_twice_at_once_has_one_cart(till: Till) -> None:
    for n in range(ROUNDS):
        new = NewCart(session=f"{SESSION}-{n}")
        opened = together(*[partial(till.run, carts.open_cart, new)] * AT_ONCE)
        assert len({one[0] for one in opened if isinstance(one, tuple)}) == 1


def test_two_guests_carts_into_one_lose_nothing(till: Till) -> None:
    for n in range(ROUNDS):
        hers = till.open(email=f"mary{n}@example.com")
        guests = [till.open(session=f"{SESSION}-{n}-{i}") for i in range(2)]
        for guest in guests:
            till.add(guest, quantity=2)
        into = MergeCart(into=hers)
        together(*(partial(till.run, carts.merge, guest, into) for guest in guests))
        assert till.lines(hers) == [({}, 4, 1250)]
