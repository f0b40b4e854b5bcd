"""Carts go with whose they are, also when a guest's became an order."""

from __future__ import annotations

from sqlalchemy import func, select

from server.carts.models import cart, cart_line
from server.kit.db import Store
from server.people import service as people
from tests.server.carts.till import Till
from tests.support.erasing import erase, everything
from tests.support.signed_up import sign_up


def test_carts_go_with_what_was_chosen_in_them(till: Till, store: Store) -> None:
    mary = sign_up(store, "mary@example.com")
    key = till.open(email="mary@example.com")
    till.add(key, specs={"engraving": "Mary zanzibar"})
    others = till.open(email="eve@example.com")
    till.add(others)
    done = erase(store, mary.person_id)
    assert (done["delete carts"], done["delete cart lines"]) == (1, 1)
    assert "zanzibar" not in everything(store, "cart", "cart_line")
    assert till.lines(others) == [({}, 1, 1250)]


def test_a_guests_cart_that_became_an_order_goes_and_the_order_stays(till: Till, store: Store) -> None:
    key = till.ready()
    till.add(key, specs={"engraving": "zanzibar"})
    order_id = till.convert(key, email="guest@example.com")
    guest = store.read(lambda tx: people.find_customer(tx, "guest@example.com"))
    assert guest is not None
    done = erase(store, guest)
    assert (done["delete carts"], done["delete cart lines"], done["anonymise orders"]) == (1, 2, 1)
    assert "zanzibar" not in everything(store, "cart_line", "order_item", "shop_order")
    for table in (cart, cart_line):
        count = select(func.count()).select_from(table)
        assert store.read(lambda tx, count=count: tx.execute(count).scalar_one()) == 0  # type: ignore[misc]
    assert store.read(lambda tx: people.find_customer(tx, "guest@example.com")) is None
    assert order_id in everything(store, "shop_order")
