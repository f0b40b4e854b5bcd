"""A cart becomes an order: once, whole or not at all, for exactly what the cart said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from server.accounts.models import user
from server.billing.models import invoice
from server.carts.models import cart
from server.catalog.models import product
from server.contract.orders import Order
from server.kit.clock import DAY, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.orders import service as orders
from server.orders.models import order as order_table
from server.people import service as people
from server.people.models import billing_profile
from tests.server.carts.till import OWNER, Till
from tests.support.signed_up import sign_up
from tests.support.told import Topics

GUEST: dict[str, Any] = {"email": "guest@example.com", "name": "Gus Guest"}


def order_of(till: Till, order_id: str) -> Order:
    return till.store.read(lambda tx: orders.get(tx, order_id, OWNER))


def how_many(till: Till) -> int:
    count = select(func.count()).select_from(order_table)
    return till.store.read(lambda tx: int(tx.execute(count).scalar_one()))


def refused(till: Till, key: str, **who: Any) -> tuple[str, str | None]:
    """Why a cart cannot become an order; it stands as before, and nothing was written."""
    before, many = till.get(key), how_many(till)
    known = till.store.read(lambda tx: people.find_customer(tx, GUEST["email"]))
    with pytest.raises(ProblemError) as caught:
        till.convert(key, **who)
    assert till.get(key) == before
    assert how_many(till) == many
    assert till.store.read(lambda tx: people.find_customer(tx, GUEST["email"])) == known
    return caught.value.code, caught.value.reason


def test_an_order_is_what_the_cart_was(till: Till) -> None:
    key = till.ready()
    till.add(key, specs={"engraving": "M. E."})
    till.add(key, variant_id=till.medium)
    till.price(till.small, 9900)
    found = order_of(till, till.convert(key, **GUEST))
    assert (found.payment_status, found.fulfilment_status) == ("pending", "unfulfilled")
    assert found.customer is not None
    assert (found.customer.email, found.customer.name) == ("guest@example.com", "Gus Guest")
    assert [(one.name, one.quantity, one.unit_price.amount, one.variant_id) for one in found.items] == [
        ("Wool-Socks — No. 0", 2, 1250, till.small),
        ("Wool-Socks — No. 0", 1, 1250, till.small),
        ("Wool-Socks — No. 1", 1, 1350, till.medium),
    ]
    assert found.shipping is not None
    assert (found.shipping.amount, found.total.amount) == (395, 3 * 1250 + 1350 + 395)
    after = till.get(key)
    assert (after.state, after.total, after.order and after.order.number) == (
        "converted",
        found.total,
        found.number,
    )
    assert after.customer is not None, "the guest's cart is the customer's from now on"
    assert after.customer.id == found.customer.id


@given(lines=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 50)), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_totals_are_equal(till: Till, lines: list[tuple[int, int]]) -> None:
    key = till.open(session=f"session-{till.store.ids.new()}")
    for price, quantity in lines:
        product_id = till.product(f"thing-{till.store.ids.new()}", price)
        till.add(key, product_id=product_id, variant_id=None, quantity=quantity)
    till.choose(key, shipping_method="post")
    total = till.get(key).total
    assert order_of(till, till.convert(key, **GUEST)).total == total
    assert total.amount == sum(price * quantity for price, quantity in lines)


def test_what_is_missing(till: Till, store: Store) -> None:
    key = till.open()
    assert refused(till, key, **GUEST) == ("cart_empty", None)
    till.add(key)
    assert refused(till, key, **GUEST) == ("no_shipping_method", None)
    till.choose(key, shipping_method="post")
    assert refused(till, key)[0] == "invalid_request"
    sign_up(store, "mary@example.com")
    assert refused(till, key, email="MARY@example.com")[0] == "email_already_registered"
    assert refused(till, key, **GUEST, billing_profile_id="none")[0] == "billing_profile_not_owned"
    with pytest.raises(ProblemError, match="not_found"):
        till.convert("none")
    till.convert(key, **GUEST)


def test_everything_is_looked_at_again(till: Till) -> None:
    key = till.ready()
    till.choose(key, payment_option="cash")
    till.set(update(cart).values(payment_option="card"))
    assert refused(till, key, **GUEST) == ("payment_option_unavailable", "not_connected")
    till.choose(key, payment_option="cash")
    till.put_options({"key": "colour", "required": True, "choices": ["red"]})
    assert refused(till, key, **GUEST)[0] == "missing_required_option"
    till.put_options()
    till.set(update(product).values(available=0))
    assert refused(till, key, **GUEST) == ("product_not_available", "unavailable")


def test_a_cart_that_is_not_active(till: Till, clock: FrozenClock) -> None:
    key = till.ready()
    till.convert(key, **GUEST)
    assert refused(till, key, **GUEST) == ("cart_not_active", "converted")
    assert refused(till, key, **GUEST, stood=True) == ("cart_already_converting", "converted")
    with pytest.raises(ProblemError, match="cart_not_active"):
        till.add(key)
    for state in ("merged", "expired", "abandoned"):
        other = till.ready(session=f"a-session-{state}")
        till.set(update(cart).where(cart.c.id == other).values(state=state))
        for stood in (False, True):
            assert refused(till, other, **GUEST, stood=stood) == ("cart_not_active", state)
    late = till.ready(session="a-session-too-old")
    clock.advance(30 * DAY)
    assert refused(till, late, **GUEST) == ("cart_not_active", "expired")


def test_a_failure_in_the_middle_puts_the_cart_back(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    key = till.ready()
    before = till.get(key)

    def fails(*_: Any) -> str:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("server.carts.converting.orders.make", fails)
        with pytest.raises(RuntimeError):
            till.convert(key, **GUEST)
    assert (till.get(key), how_many(till)) == (before, 0)
    topics = Topics(till.store)
    topics.new()
    order_id = till.convert(key, **GUEST)
    told = [(one.event, one.data) for one in topics.new()]
    assert told == [
        ("order_created", {"order_id": order_id}),
        ("cart_updated", {"cart_id": key, "state": "converted", "order_id": order_id}),
    ]


def test_a_billing_profile_gets_the_invoice_drafted(till: Till, store: Store) -> None:
    mary = sign_up(store, "mary@example.com")
    eve = sign_up(store, "eve@example.com")

    def profile(person_id: str) -> str:
        values = {"person_id": person_id, "label": "Home", "created_at": 1, "updated_at": 1}
        made = store.ids.new()
        store.write(lambda tx: tx.execute(insert(billing_profile).values(id=made, **values)).rowcount)
        return made

    hers, others = profile(mary.person_id), profile(eve.person_id)
    key = till.ready(email="mary@example.com")
    assert refused(till, key, billing_profile_id=others)[0] == "billing_profile_not_owned"
    order_id = till.convert(key, billing_profile_id=hers)
    made = store.read(lambda tx: tx.execute(select(invoice)).one())
    assert (made.order_id, made.billing_profile_id, made.state) == (order_id, hers, "draft")
    assert (made.total, made.person_id) == (till.get(key).total.amount, mary.person_id)
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(user)).scalar_one()) == 2
