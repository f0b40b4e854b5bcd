"""kill -9 of the server in a burst of writes: what was confirmed is there, once, and whole."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from server.activity.models import activity
from server.app.backup import inspect
from server.kit.db import open_store
from server.kit.migrate import migrate
from server.kit.schema import idempotency
from server.kit.tx import Tx
from server.orders.models import order, order_item
from tests.server.conftest import let_staff_in
from tests.support.shopbelld import Shopbelld
from tests.support.waiting import until

THREADS = 6
KILLS = 3
BETWEEN = 40  # confirmed writes between two kills


@pytest.fixture
def shop(database_url: str) -> Iterator[Shopbelld]:
    """A shop's server, on the file or on PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))
    server = Shopbelld(folder, None if database_url.startswith("sqlite") else database_url)
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Burst:
    """Threads that write as a shop's own program does: the same request again until it is confirmed."""

    server: Shopbelld
    token: str
    up: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)
    orders: dict[int, tuple[str, str]] = field(default_factory=dict)
    events: dict[int, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def confirmed(self) -> int:
        """How many writes were."""
        with self.lock:
            return len(self.orders) + len(self.events)

    def has_confirmed(self, count: int) -> bool:
        """Whether that many were."""
        return self.confirmed >= count

    def run(self) -> None:
        """Write until told to stop; what was begun is brought to its end."""
        client = self.server.client()
        while not self.done.is_set():
            number = next(self.numbers)
            while True:
                self.up.wait(60)
                try:
                    self._write(client, number)
                except httpx.TransportError:  # killed under our hands: was it done or not? Ask again the same
                    client.close()
                    client = self.server.client()
                    continue
                break
        client.close()

    def _write(self, client: httpx.Client, number: int) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": f"write-{number}"}
        if number % 2:
            body: dict[str, object] = {
                "customer": {"email": f"buyer{number % 7}@example.com"},
                "items": [{"name": f"Thing {number}", "quantity": 1, "unit_price": 100}] * 3,
                "currency": "GBP",
            }
            answer = client.post("/v1/orders", headers=headers, json=body)
        else:
            body = {"type": "custom.burst.note", "message": f"note {number}", "dedupe_key": str(number)}
            answer = client.post("/v1/activity", headers=headers, json=body)
        with self.lock:
            if answer.status_code not in (200, 201):
                self.wrong.append(f"{number}: {answer.status_code} {answer.text}")
            elif number % 2:
                self.orders[number] = (answer.json()["id"], answer.json()["number"])
            else:
                self.events[number] = answer.json()["id"]


@pytest.mark.timeout(120)
def test_nothing_confirmed_is_lost_and_nothing_is_done_twice(shop: Shopbelld, database_url: str) -> None:
    on_file = database_url.startswith("sqlite")
    store = open_store(None if on_file else database_url, shop.data)
    migrate(store)
    burst = Burst(shop, let_staff_in(store).tokens["storefront"])
    store.close()
    threads = [threading.Thread(target=burst.run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            before = burst.confirmed
            shop.start()
            burst.up.set()
            until(partial(burst.has_confirmed, before + BETWEEN), "some writes", seconds=40)
            burst.up.clear()
            shop.kill()
        shop.start()
    finally:
        burst.done.set()
        burst.up.set()
        for thread in threads:
            thread.join(60)
    shop.kill()
    assert burst.wrong == []
    assert burst.confirmed >= KILLS * BETWEEN
    store = open_store(None if on_file else database_url, shop.data)
    try:
        store.read(lambda tx: check(tx, burst))
    finally:
        store.close()
    if on_file:
        inspect(shop.data / "shop.db")


def check(tx: Tx, burst: Burst) -> None:
    """Every confirmed write stands once, whole, with its entry in the log; and nothing else does."""
    orders = {row.id: row.number for row in tx.execute(select(order.c.id, order.c.number))}
    assert orders == dict(burst.orders.values()), "an order for each confirmed one, and no other"
    assert len(set(orders.values())) == len(orders)
    counted = tx.execute(
        select(order_item.c.order_id, func.count().label("lines")).group_by(order_item.c.order_id)
    )
    lines: dict[str, int] = {row.order_id: row.lines for row in counted}
    assert set(lines.values()) == {3}
    assert set(lines) == set(orders)
    notes = tx.execute(select(activity.c.id).where(activity.c.type == "custom.burst.note")).scalars().all()
    assert sorted(notes) == sorted(burst.events.values())
    keys = tx.execute(select(idempotency.c.key)).scalars().all()
    assert sorted(keys) == sorted(f"write-{number}" for number in [*burst.orders, *burst.events])
