"""kill -9 in a burst of webhooks: nothing acknowledged is lost, nothing is doubled, nothing forged gets in."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.activity.models import activity
from server.inbox.models import inbox
from server.kit.clock import SystemClock
from server.kit.db import Store
from server.orders.models import order, order_item
from tests.support.burst import Delivery, new_shop, store_beside, storm
from tests.support.shopbelld import Shopbelld
from tests.support.stripe_events import SECRET, Purchase, encode, sign


def _delivery(event: dict[str, Any], *, forged: bool = False) -> Delivery:
    body, secret = encode(event), "whsec_forged" if forged else SECRET

    def signed() -> dict[str, str]:
        return {"stripe-signature": sign(body, secret, SystemClock().now() // 1000)}

    return Delivery("/webhooks/stripe", body, signed, event["id"], forged)


def _events(count: int, seed: int) -> tuple[list[Delivery], dict[str, list[str]]]:
    """Shuffled deliveries of ``count`` purchases, and the entries that each must lead to."""
    chance = random.Random(seed)  # noqa: S311 - a seed, no secret
    now = SystemClock().now() // 1000
    deliveries: list[Delivery] = []
    wanted: dict[str, list[str]] = {}
    for number in range(count):
        buys = Purchase(f"b{number}", email=f"buyer{number % 7}@example.com")
        name = f"evt_{number}_"
        events: list[dict[str, Any]] = []
        if number % 3 == 0:
            events = [
                buys.awaiting(event_id=f"{name}placed", created=now - 50),
                buys.succeeded(event_id=f"{name}paid", created=now - 40),
            ]
            wanted[buys.session_id] = ["order.created", "order.paid"]
        else:
            events = [buys.completed(event_id=f"{name}placed", created=now - 50)]
            wanted[buys.session_id] = ["order.created"]
        if number % 2:
            events.append(buys.refund(4300, event_id=f"{name}refund", created=now - 30))
            wanted[buys.session_id].append("order.refunded")
        deliveries += [_delivery(event) for event in events]
        if number % 4 == 0:  # the same again, and the same under another id
            deliveries.append(_delivery(events[0]))
            deliveries.append(_delivery({**events[0], "id": f"{name}again"}))
        if number % 5 == 0:
            forged = Purchase(f"forged{number}").completed(event_id=f"evt_forged_{number}", created=now)
            deliveries.append(_delivery(forged, forged=True))
    chance.shuffle(deliveries)
    return deliveries, wanted


def _check(store: Store, taken: Counter[str], wanted: dict[str, list[str]]) -> None:
    def unit(tx: Any) -> tuple[list[Any], list[Any], list[Any], list[str]]:
        return (
            tx.execute(select(order)).all(),
            tx.execute(select(activity.c.type, activity.c.order_id, activity.c.level)).all(),
            tx.execute(select(inbox.c.event_id, inbox.c.state)).all(),
            list(tx.execute(select(order_item.c.order_id)).scalars()),
        )

    orders, entries, events, lines = store.read(unit)
    kept = Counter(row.event_id for row in events)
    assert set(taken) - set(kept) == set(), "acknowledged, and lost"
    assert max(kept.values()) == 1
    assert not [event_id for event_id in kept if "forged" in event_id]
    assert {row.state for row in events} == {"done"}

    sessions = {row.id: row.stripe_session_id for row in orders}
    assert sorted(sessions.values()) == sorted(wanted), "every purchase has one order"
    told: dict[str, list[str]] = {session: [] for session in wanted}
    for row in entries:
        told[sessions[row.order_id]].append(row.type)
    assert {session: sorted(types) for session, types in told.items()} == {
        session: sorted(types) for session, types in wanted.items()
    }
    for row in orders:
        refunded = "order.refunded" in wanted[row.stripe_session_id]
        assert (row.payment_status, row.refunded) == (("refunded", 4300) if refunded else ("paid", 0))
    numbers = sorted(row.number for row in orders)
    assert len(set(numbers)) == len(numbers) == len(lines)


def _storm(server: Shopbelld, store: Store, *, purchases: int, kills: int, seed: int) -> None:
    deliveries, wanted = _events(purchases, seed)
    taken = storm(server, store, deliveries, refusal=400, kills=kills)
    _check(store, taken, wanted)


@pytest.fixture
def server(home: Path, database_url: str) -> Iterator[Shopbelld]:
    with new_shop(
        home,
        database_url,
        SHOPBELL_STRIPE_WEBHOOK_SECRETS=f"whsec_older,{SECRET}",
        SHOPBELL_MAIL_CONFIRMATION="off",  # what follows a payment has tests of its own
    ) as made:
        yield made


@pytest.fixture
def store(server: Shopbelld, database_url: str) -> Iterator[Store]:
    with store_beside(server, database_url) as opened:
        yield opened


@pytest.mark.timeout(120)
def test_a_burst_survives_being_killed(server: Shopbelld, store: Store) -> None:
    _storm(server, store, purchases=60, kills=3, seed=1)


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_a_long_burst_survives_being_killed_often(server: Shopbelld, store: Store) -> None:
    _storm(server, store, purchases=3000, kills=34, seed=2)
