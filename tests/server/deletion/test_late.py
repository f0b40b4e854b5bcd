"""What comes late for somebody who was erased: it keeps its effect and brings nobody back."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select

from server.activity.models import activity, activity_text
from server.contract.mail import Bounce
from server.contract.orders import Address, FulfilmentStep, NewOrder
from server.inbox.models import inbox
from server.jobs.runner import Runner
from server.kit.db import Store
from server.kit.tx import Tx
from server.mail import bounces
from server.mail.models import mail
from server.orders import service as orders
from server.orders.models import order
from server.people import service as people
from server.people.models import address, person
from server.recovery.models import abandoned_cart
from server.settings import service as settings
from tests.server.conftest import STRIPE_SECRET, Staff
from tests.server.deletion import world
from tests.support.stripe_events import Purchase, encode, sign

EMAIL, NAME = "mary@example.com", "Mary Example"


@pytest.fixture
def number(store: Store, staff: Staff) -> str:
    """An order, placed and not paid for, whose customer has been erased since."""
    new = NewOrder.model_validate(
        {
            "customer": {"email": EMAIL, "name": NAME},
            "items": [{"name": "Wool socks", "quantity": 1, "unit_price": 4300}],
            "currency": "GBP",
        }
    )
    made = store.write(lambda tx: orders.create(tx, new))
    row = store.read(lambda tx: tx.execute(select(order).where(order.c.id == made)).one())
    world.delete(store, row.person_id, staff.principal("owner"))
    return str(row.number)


def webhook(http: httpx.Client, store: Store, event: dict[str, Any]) -> None:
    body = encode(event)
    signature = sign(body, STRIPE_SECRET, store.clock.now() // 1000)
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    answer = http.post("/webhooks/stripe", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


def order_of(store: Store, number: str) -> Any:
    return store.read(lambda tx: tx.execute(select(order).where(order.c.number == number)).one())


def count(store: Store, table: Any, *where: Any) -> int:
    wanted = select(func.count()).select_from(table).where(*where)
    return int(store.read(lambda tx: tx.execute(wanted).scalar_one()))


def nobody_is_back(store: Store, number: str) -> None:
    row = order_of(store, number)
    assert (row.person_id, row.address_id) == (None, None)
    assert row.anonymized_at is not None
    assert count(store, person, person.c.kind == "customer", person.c.erased_at.is_(None)) == 0
    assert count(store, address) == 0
    bodies = store.read(lambda tx: list(tx.execute(select(inbox.c.body)).scalars()))
    assert bodies
    assert not any(bodies)


def test_a_payment_keeps_its_effect(http: httpx.Client, store: Store, number: str) -> None:
    bought = Purchase("LATE", amount=4300, reference=number, customer=NAME, email=EMAIL)
    webhook(http, store, bought.completed(created=store.clock.now() // 1000))
    assert order_of(store, number).payment_status == "paid"
    nobody_is_back(store, number)
    webhook(http, store, bought.refund(4300, created=store.clock.now() // 1000))
    assert order_of(store, number).payment_status == "refunded"
    nobody_is_back(store, number)
    Runner(store).drain()
    assert count(store, mail, mail.c.state.in_(("sent", "kept"))) == 0


def test_a_session_left_makes_no_cart(http: httpx.Client, store: Store, number: str) -> None:
    store.write(lambda tx: settings.set_value(tx, "recovery.enabled", "on"))
    bought = Purchase("LEFT", amount=4300, reference=number, customer=NAME, email=EMAIL)
    webhook(http, store, bought.expired(created=store.clock.now() // 1000))
    assert count(store, abandoned_cart) == 0
    nobody_is_back(store, number)


@pytest.mark.parametrize("status", ["submitted", "failed", "cancelled"])
def test_a_step_brings_no_address_back(store: Store, staff: Staff, number: str, status: str) -> None:
    step = FulfilmentStep.model_validate(
        {
            "status": status,
            "provider": "Printify",
            "carrier": "DHL",
            "tracking_number": "T-1",
            "tracking_url": "https://track.example/T-1",
            "reason": f"nobody at {NAME}'s",
        }
    )
    actor = orders.actor_of(staff.principal("owner"))
    row = store.write(lambda tx: orders.fulfil(tx, number, step, actor=actor))
    assert row.fulfilment_status == status
    assert (row.carrier, row.tracking_number, row.tracking_url, row.fulfilment_error) == (None,) * 4
    assert count(store, activity_text) == 0
    params = store.read(lambda tx: list(tx.execute(select(activity.c.params)).scalars()))
    assert NAME not in json.dumps(params)
    assert "T-1" not in json.dumps(params)


def test_a_bounce_is_noted_without_its_words(store: Store, staff: Staff) -> None:
    from tests.server.deletion.test_deleting import a_mail, make_mary

    def unit(tx: Tx) -> tuple[str, str]:
        person_id = make_mary(tx, staff)
        made = a_mail(tx, person_id)
        tx.execute(mail.insert().values(made))
        return person_id, made["message_id"]

    person_id, message_id = store.write(unit)
    world.delete(store, person_id, staff.principal("owner"))
    told = Bounce(message_id=message_id, kind="hard", reason="550 Mary.Example@Example.com unknown")
    assert store.write(lambda tx: bounces.note(tx, told))
    assert count(store, activity, activity.c.type == "email.bounced") == 1
    assert count(store, activity_text) == 0


def test_nothing_opens_their_orders_any_more(
    store: Store, staff: Staff, http: httpx.Client, number: str
) -> None:
    """The look-up answers as for anybody, and mails nobody."""
    from server.lookup import service as lookup

    before = count(store, mail)
    store.write(lambda tx: lookup.ask(tx, EMAIL))
    assert count(store, mail) == before


def test_a_webhook_that_waits_keeps_its_facts_and_says_nothing_of_the_person(
    store: Store, staff: Staff
) -> None:
    """Town, postal code and a name of one word go where a record says whom it is about, and nowhere else."""
    told = {
        "customer": {"email": EMAIL, "name": "Paid"},
        "address": {"line1": "7 Harbour Row", "city": "Málaga", "postal_code": "29001", "state": "AN"},
        "payment_status": "paid",
        "order": {"reference": "29001", "state": "an"},
    }
    who = store.write(lambda tx: people.find_or_create_customer(tx, email=EMAIL, name="Paid"))
    place = Address(line1="7 Harbour Row", city="málaga", postal_code="29001", country="ES")
    store.write(lambda tx: people.add_address(tx, who, place))
    row = {
        "provider": "stripe",
        "connection": "main",
        "event_id": "evt_1",
        "type": "charge.refunded",
        "attempts": 0,
    }
    row |= {
        "state": "parked",
        "waits_for": "pi_1",
        "body": json.dumps(told),
        "received_at": 1,
        "occurred_at": 1,
    }
    store.write(lambda tx: tx.execute(insert(inbox).values(id="i", **row)))
    world.delete(store, who, staff.principal("owner"))
    body = store.read(lambda tx: tx.execute(select(inbox.c.body).where(inbox.c.id == "i")).scalar_one())
    left = json.loads(body)
    assert left["payment_status"] == "paid"
    assert left["order"] == told["order"]
    mark = left["customer"]["email"]
    assert mark.startswith("⟨erased")
    assert left["customer"] == {"email": mark, "name": mark}
    assert left["address"] == {"line1": mark, "city": mark, "postal_code": mark, "state": "AN"}
