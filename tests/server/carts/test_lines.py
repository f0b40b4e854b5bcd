"""What is in a cart: equal choices are one line, at the price it went in for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from server.carts import service as carts
from server.carts import specs
from server.carts.models import cart
from server.catalog.models import product, variant
from server.contract.shop_carts import AddLine, ChangeLine, MergeCart
from server.kit.clock import DAY, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from tests.server.carts.till import SESSION, Till
from tests.support.signed_up import sign_up
from tests.support.told import Topics

VALUES = st.text(max_size=8) | st.integers(-5, 5) | st.booleans() | st.none()
CHOICES = st.dictionaries(st.text(min_size=1, max_size=4), VALUES, max_size=5)


@given(CHOICES, st.randoms(use_true_random=False))
def test_the_order_of_the_keys_does_not_matter(chosen: dict[str, Any], random: Any) -> None:
    keys = list(chosen)
    random.shuffle(keys)
    assert specs.hash_of("v", {key: chosen[key] for key in keys}) == specs.hash_of("v", chosen)


@given(CHOICES, CHOICES)
def test_other_choices_are_another_line(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = json.dumps(specs.chosen(one), sort_keys=True) == json.dumps(specs.chosen(other), sort_keys=True)
    assert (specs.hash_of("v", one) == specs.hash_of("v", other)) == same
    assert specs.hash_of("v", one) != specs.hash_of("w", one)


def test_nothing_chosen_is_nothing_chosen() -> None:
    assert specs.hash_of("v", None) == specs.hash_of("v", {}) == specs.hash_of("v", {"engraving": None})
    values = [specs.hash_of("v", {"size": value}) for value in (1, "1", True, 0, False, "")]
    assert len(set(values)) == len(values)


def test_equal_lines_are_one_and_its_price_stays(till: Till) -> None:
    key = till.open()
    till.add(key, specs={"colour": "red", "engraving": "M. E."})
    till.price(till.small, 9900)
    till.add(key, specs={"engraving": "M. E.", "colour": "red"}, quantity=2)
    assert till.lines(key) == [({"colour": "red", "engraving": "M. E."}, 3, 1250)]
    till.add(key, specs={"colour": 1})
    till.add(key, specs={"colour": "1"})
    till.add(key, specs={"colour": True})
    till.add(key)
    till.add(key, specs={})
    till.add(key, specs={"colour": None})
    assert till.lines(key)[1:] == [
        ({"colour": 1}, 1, 9900),
        ({"colour": "1"}, 1, 9900),
        ({"colour": True}, 1, 9900),
        ({}, 3, 9900),
    ]
    till.add(key, variant_id=till.medium)
    found = till.get(key)
    assert len(found.lines) == 6, "another variant is another line"
    assert found.subtotal.amount == 3 * 1250 + 6 * 9900 + 1350


def test_choices_that_the_product_does_not_offer(till: Till) -> None:
    key = till.open()
    till.put_options({"key": "colour", "required": True, "choices": ["red", 1]}, {"key": "engraving"})

    def refused(**what: Any) -> str:
        with pytest.raises(ProblemError) as caught:
            till.add(key, **what)
        return caught.value.code

    assert refused(specs={"colour": "red", "colr": "x"}) == "unknown_option_key"
    for value in ("green", "1", True, 2):
        assert refused(specs={"colour": value}) == "invalid_option_value", value
    assert refused(specs={"colour": "red", "engraving": "x" * 1_001}) == "invalid_option_value"
    for none in (None, {}, {"engraving": "M"}, {"colour": None}):
        assert refused(specs=none) == "missing_required_option"
    assert till.get(key).lines == []
    till.add(key, specs={"colour": 1, "engraving": "x" * 1_000})


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        (product, {"available": 0}, "unavailable"),
        (variant, {"available": 0}, "unavailable"),
        (variant, {"price": None}, "no_price"),
        (variant, {"currency": "EUR"}, "other_currency"),
        (variant, {"stock": 1}, "out_of_stock"),
    ],
)
def test_what_cannot_be_bought(till: Till, table: Any, values: dict[str, Any], reason: str) -> None:
    key = till.open()
    till.set(update(table).values(**values))
    with pytest.raises(ProblemError) as caught:
        till.add(key, quantity=2)
    assert (caught.value.code, caught.value.reason) == ("product_not_available", reason)


def test_stock_is_looked_at_for_all_that_is_wanted(till: Till) -> None:
    key = till.open()
    till.set(update(variant).values(stock=3))
    till.add(key, quantity=2)
    with pytest.raises(ProblemError, match="product_not_available"):
        till.add(key, quantity=2)
    assert till.lines(key) == [({}, 2, 1250)]


def test_a_variant_may_be_left_out_where_there_is_one(till: Till) -> None:
    key = till.open()
    hat = till.product("hat", 900)
    assert till.add(key, product_id="hat", variant_id=None).lines[0].product_id == hat
    with pytest.raises(ProblemError, match="variant_id"):
        till.add(key, variant_id=None)


def test_a_line_and_a_cart_hold_so_much(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    key = till.open()
    till.add(key, quantity=10_000)
    with pytest.raises(ProblemError, match="quantity"):
        till.add(key)
    monkeypatch.setattr("server.carts.lines.MOST_LINES", 1)
    with pytest.raises(ProblemError, match="at most 1"):
        till.add(key, variant_id=till.medium)
    assert till.lines(key) == [({}, 10_000, 1250)]


def session_of(tx: Tx, cart_id: str) -> str | None:
    found: str | None = tx.execute(select(cart.c.session_hash).where(cart.c.id == cart_id)).scalar()
    return found


def test_each_change_is_told_once_to_whose_cart_it_is(till: Till, store: Store) -> None:
    mary = sign_up(store, "mary@example.com")
    topics = Topics(store)
    for who, topic in (
        ({"email": "Mary@example.com"}, f"shop:cart:user:{mary.user_id}"),
        ({"session": SESSION}, None),
        ({"email": "guest@example.com"}, ""),
    ):
        key = till.open(**who)
        session = till.run(session_of, key)
        wanted = frozenset({f"shop:cart:session:{session}" if topic is None else topic}) - {""}
        topics.new()
        line = till.add(key).lines[0].id
        till.add(key)
        for quantity in (5, 5, 0):
            till.run(carts.change, key, line, ChangeLine(quantity=quantity))
        till.add(key)
        till.run(carts.clear, key)
        till.run(carts.clear, key)
        for _ in range(2):
            till.choose(key, shipping_method="post")
            till.choose(key, payment_option="cash")
        told = topics.new("shop:cart:")
        assert {one.topics for one in told} == ({wanted} if wanted else set())
        if wanted:
            assert [one.event for one in told] == [
                "item_added",
                "quantity_updated",
                "quantity_updated",
                "item_removed",
                "item_added",
                "cart_cleared",
                "shipping_selected",
                "payment_selected",
            ]
            assert told[0].data == {"cart_id": key, "line_id": line, "product_id": till.socks, "quantity": 1}
            assert "example.com" not in str(told)
            assert SESSION not in str(told)


def test_a_session_is_kept_as_a_hash_and_finds_its_cart(till: Till, store: Store) -> None:
    key = till.open()
    assert till.open() == key
    assert till.open(session=SESSION, currency="EUR") != key
    assert till.open(email="mary@example.com") == till.open(email="MARY@example.com") != key
    rows = store.read(lambda tx: tx.execute(select(cart)).all())
    assert len(rows) == 3
    assert not any(SESSION in str(value) for row in rows for value in row)
    for bad in ({"session": SESSION, "email": "mary@example.com"}, {"currency": "GBP"}):
        with pytest.raises(ProblemError, match="either"):
            till.open(**bad)


def test_merging_sums_equal_lines(till: Till) -> None:
    guest, hers = till.open(), till.open(email="mary@example.com")
    till.add(hers, quantity=2)
    till.price(till.small, 9900)
    till.add(guest, quantity=3)
    till.add(guest, specs={"engraving": "M"})
    merged = till.run(carts.merge, guest, MergeCart(into=hers))
    assert merged == hers
    assert till.lines(hers) == [({}, 5, 1250), ({"engraving": "M"}, 1, 9900)]
    assert (till.get(guest).state, till.get(guest).lines) == ("merged", [])
    for one, into in ((guest, hers), (hers, hers), (hers, till.open()), (till.open(), till.open())):
        with pytest.raises(ProblemError) as caught:
            till.run(carts.merge, one, MergeCart(into=into))
        assert caught.value.code in ("cart_not_active", "invalid_request")
    assert till.lines(hers) == [({}, 5, 1250), ({"engraving": "M"}, 1, 9900)]


def test_guests_carts_end_after_thirty_days(till: Till, store: Store, clock: FrozenClock) -> None:
    old, hers = till.open(), till.open(email="mary@example.com")
    till.add(old, specs={"engraving": "Mary"})
    till.add(hers)
    clock.advance(30 * DAY - 1)
    assert store.write(carts.expire) == 0
    till.add(old)
    clock.advance(30 * DAY - 1)
    assert store.write(carts.expire) == 0, "it was touched since"
    topics = Topics(store)
    topics.new()
    clock.advance(1)
    with pytest.raises(ProblemError, match="expired"):
        till.add(old)
    fresh = till.open(session="another-session-of-a-guest")
    assert store.write(carts.expire) == 1
    assert store.write(carts.expire) == 0
    assert [(one.event, one.data) for one in topics.new("shop:cart:session:")] == [
        ("cart_updated", {"cart_id": old, "state": "expired"})
    ]
    assert (till.get(old).state, till.get(old).lines) == ("expired", [])
    assert (till.get(hers).state, len(till.get(hers).lines)) == ("active", 1)
    assert till.get(fresh).state == "active"
    assert till.open() != old


def test_what_a_cart_is_asked_for_is_checked(till: Till) -> None:
    key = till.open()
    for shipping in ({"amount": 1, "currency": "EUR"}, {"amount": -1, "currency": "GBP"}):
        with pytest.raises(ProblemError, match="shipping"):
            till.choose(key, shipping=shipping)
    for option in ("card", "seashells"):
        with pytest.raises(ProblemError, match="payment_option_unavailable"):
            till.choose(key, payment_option=option)
    with pytest.raises(ProblemError, match="not_found"):
        till.run(carts.add, "none", AddLine(product_id=till.socks))
