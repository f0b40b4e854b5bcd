"""kill -9 in a burst of webhooks: nothing acknowledged is lost, nothing is doubled, nothing forged gets in."""

from __future__ import annotations

import queue
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.activity.models import activity
from server.inbox.models import inbox
from server.kit.clock import SystemClock
from server.kit.db import Store, open_store
from server.orders.models import order, order_item
from tests.support.shopbelld import Shopbelld
from tests.support.stripe_events import SECRET, Purchase, encode, sign
from tests.support.waiting import until

THREADS = 6


@dataclass(frozen=True)
class Delivery:
    """Bytes on their way, and whether they are really Stripe's."""

    body: bytes
    event_id: str
    forged: bool = False


@dataclass
class Burst:
    """Threads that deliver as Stripe does: again until it is acknowledged, and then never again."""

    server: Shopbelld
    waiting: queue.SimpleQueue[Delivery]
    up: threading.Event = field(default_factory=threading.Event)
    acknowledged: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: int = 0

    def run(self) -> None:
        """Deliver until nothing is left."""
        client = self.server.client()
        while True:
            try:
                delivery = self.waiting.get_nowait()
            except queue.Empty:
                if not self.open:
                    client.close()
                    return
                self.up.wait(0.05)
                continue
            self.up.wait(30)
            try:
                self._deliver(client, delivery)
            except httpx.TransportError:  # killed under our hands
                self.waiting.put(delivery)
                client.close()
                client = self.server.client()

    def _deliver(self, client: httpx.Client, delivery: Delivery) -> None:
        secret = "whsec_forged" if delivery.forged else SECRET
        now = SystemClock().now() // 1000
        answer = client.post(
            "/webhooks/stripe",
            content=delivery.body,
            headers={"stripe-signature": sign(delivery.body, secret, now)},
        )
        with self.lock:
            if delivery.forged and answer.status_code == 400:
                self.refused[400] += 1
            elif not delivery.forged and answer.status_code == 200:
                self.acknowledged[delivery.event_id] += 1
            else:
                self.wrong.append(f"{delivery} {answer.status_code} {answer.text}")
            self.open -= 1


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
        deliveries += [Delivery(encode(event), event["id"]) for event in events]
        if number % 4 == 0:  # the same again, and the same under another id
            deliveries.append(Delivery(encode(events[0]), events[0]["id"]))
            double = {**events[0], "id": f"{name}again"}
            deliveries.append(Delivery(encode(double), double["id"]))
        if number % 5 == 0:
            forged = Purchase(f"forged{number}").completed(event_id=f"evt_forged_{number}", created=now)
            deliveries.append(Delivery(encode(forged), forged["id"], forged=True))
    chance.shuffle(deliveries)
    return deliveries, wanted


def _work_left(store: Store) -> bool:
    left = select(inbox.c.id).where(inbox.c.state.not_in(("done", "ignored")))
    return store.read(lambda tx: tx.execute(left.limit(1)).first()) is not None


def _check(store: Store, burst: Burst, wanted: dict[str, list[str]]) -> None:
    def unit(tx: Any) -> tuple[list[Any], list[Any], list[Any], list[str]]:
        return (
            tx.execute(select(order)).all(),
            tx.execute(select(activity.c.type, activity.c.order_id, activity.c.level)).all(),
            tx.execute(select(inbox.c.event_id, inbox.c.state)).all(),
            list(tx.execute(select(order_item.c.order_id)).scalars()),
        )

    orders, entries, events, lines = store.read(unit)
    kept = Counter(row.event_id for row in events)
    assert set(burst.acknowledged) - set(kept) == set(), "acknowledged, and lost"
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
    waiting: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
    for delivery in deliveries:
        waiting.put(delivery)
    burst = Burst(server, waiting, open=len(deliveries))
    server.start()
    burst.up.set()
    threads = [threading.Thread(target=burst.run, name=f"stripe-{n}") for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for nth in range(1, kills + 1):
        goal = len(deliveries) * nth // (kills + 1)
        until(lambda goal=goal: len(deliveries) - burst.open >= goal, f"delivery {goal}", seconds=60)  # type: ignore[misc]
        burst.up.clear()
        server.kill()
        server.start()
        burst.up.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not burst.wrong
    assert sum(burst.acknowledged.values()) + burst.refused[400] == len(deliveries)
    assert burst.refused[400] == sum(delivery.forged for delivery in deliveries)
    until(lambda: not _work_left(store), "the server to finish what was cut off", seconds=30)
    _check(store, burst, wanted)


@pytest.fixture
def server(home: Path, database_url: str) -> Iterator[Shopbelld]:
    url = None if database_url.startswith("sqlite") else database_url
    server = Shopbelld(
        home,
        url,
        SHOPBELL_STRIPE_WEBHOOK_SECRETS=f"whsec_older,{SECRET}",
        SHOPBELL_MAIL_CONFIRMATION="off",  # what follows a payment has tests of its own
    )
    server.command("init")
    yield server
    server.kill()


@pytest.fixture
def store(server: Shopbelld, database_url: str) -> Iterator[Store]:
    """The server's store, read from beside it."""
    on_file = database_url.startswith("sqlite")
    opened = open_store(None if on_file else database_url, server.data)
    yield opened
    opened.close()


@pytest.mark.timeout(120)
def test_a_burst_survives_being_killed(server: Shopbelld, store: Store) -> None:
    _storm(server, store, purchases=60, kills=3, seed=1)


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_a_long_burst_survives_being_killed_often(server: Shopbelld, store: Store) -> None:
    _storm(server, store, purchases=3000, kills=34, seed=2)
