"""kill -9 in a burst of providers' webhooks: nothing taken is lost, nothing is doubled, nothing forged gets in."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import select

from server.activity.models import activity
from server.activity.service import Actor
from server.contract.orders import FulfilmentStep, NewOrder
from server.inbox.models import inbox
from server.kit.clock import MINUTE, SECOND, FrozenClock, SystemClock
from server.kit.db import Store
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.models import order
from server.practice.providers.printful import PrintfulServer
from server.practice.providers.printify import PrintifyServer
from server.practice.providers.server import Call, Hook
from tests.server.fulfilment.houses import ACCOUNT, PRINTFUL_SECRET, PRINTIFY_SECRET, TOKEN
from tests.support.burst import Delivery, new_shop, store_beside, storm
from tests.support.shopbelld import Shopbelld

STEPS: Final = ("order.submitted", "order.production", "order.shipped", "order.delivered")


@dataclass(frozen=True)
class Providers:
    """Both providers with their orders; they are not asked anything here, they only tell."""

    clock: FrozenClock
    printify: PrintifyServer
    printful: PrintfulServer
    thing: str
    variant: int

    def accept(self, number: str, *, at_printful: bool) -> str:
        """Hand an order over; the provider's id for it."""
        if at_printful:
            body: dict[str, Any] = {
                "external_id": number,
                "shipping": "STANDARD",
                "recipient": {"address1": "1 Sock Lane", "country_code": "GB"},
                "items": [{"sync_variant_id": self.variant, "quantity": 1}],
            }
            made = self.printful.act(Call("submit", (), {"confirm": "1"}, body)).body["result"]["id"]
            return str(made)
        body = {
            "external_id": number,
            "label": number,
            "line_items": [{"product_id": self.thing, "variant_id": 1000, "quantity": 1}],
            "shipping_method": 1,
            "address_to": {"address1": "1 Sock Lane", "country": "GB"},
        }
        found: str = self.printify.act(Call("submit", (ACCOUNT,), {}, body)).body["id"]
        return found

    def tell(self, name: str, *, at_printful: bool) -> list[Hook]:
        """An order's way to the door, a minute for each step."""
        server = self.printful if at_printful else self.printify
        hooks = []
        for move in (server.to_production, server.ship, server.deliver):
            self.clock.advance(MINUTE)
            hooks.append(move(name))
        return hooks


def _providers(now: int) -> Providers:
    clock = FrozenClock(now)
    printify = PrintifyServer(clock, token=TOKEN, account=ACCOUNT, secret=PRINTIFY_SECRET)
    printful = PrintfulServer(clock, token=TOKEN, account=ACCOUNT, secret=PRINTFUL_SECRET)
    thing = printify.add_product("Socks", {"S": 100})
    variant = int(printful.add_product("Socks", {"S": "1.00"})) * 10
    return Providers(clock, printify, printful, thing, variant)


def _begin(store: Store, providers: Providers, count: int) -> dict[str, tuple[str, bool]]:
    """So many orders that their providers have: by id, the provider's name for each, and whether it is Printful."""
    new = NewOrder.model_validate(
        {
            "customer": {"email": "buyer@example.com", "name": "Bea Buyer"},
            "items": [{"name": "Socks", "quantity": 1, "unit_price": 100}],
            "currency": "GBP",
            "handled_by": "program",
        }
    )
    made: dict[str, tuple[str, bool]] = {}

    def unit(tx: Tx) -> None:
        for n in range(count):
            order_id = orders.create(tx, new)
            row = orders.find(tx, order_id)
            assert row is not None
            at_printful = n % 2 == 1
            name = providers.accept(row.number, at_printful=at_printful)
            step = FulfilmentStep(
                status="submitted",
                provider="Printful" if at_printful else "Printify",
                provider_order_id=name,
            )
            orders.fulfil(tx, order_id, step, actor=Actor("system"))
            made[order_id] = (name, at_printful)

    store.write(unit)
    return made


def _deliveries(
    providers: Providers, made: dict[str, tuple[str, bool]], chance: random.Random
) -> list[Delivery]:
    """Every webhook three times, one forged for every nine, all shuffled."""
    found: list[Delivery] = []
    for order_id, (name, at_printful) in made.items():
        path = f"/webhooks/{'printful' if at_printful else 'printify'}/main"
        server = providers.printful if at_printful else providers.printify
        hooks = providers.tell(name, at_printful=at_printful)
        for n, hook in enumerate(hooks):
            found += [_delivery(path, hook, f"{order_id} {n}")] * 3
        said = hooks[chance.randrange(3)].body
        altered = said.replace(b'"id"', b'"id" ', 1)
        forged = (
            server.signed(altered, "0" * 64) if chance.random() < 0.5 else Hook(altered, hooks[0].headers)
        )
        found.append(_delivery(path, forged, f"forged {order_id}", forged=True))
    chance.shuffle(found)
    return found


def _delivery(path: str, hook: Hook, name: str, *, forged: bool = False) -> Delivery:
    return Delivery(path, hook.body, lambda: hook.headers, name, forged)


def _check(store: Store, made: dict[str, tuple[str, bool]]) -> None:
    def unit(tx: Tx) -> tuple[list[Any], list[Any], list[Any]]:
        return (
            list(tx.execute(select(order))),
            list(
                tx.execute(
                    select(activity.c.order_id, activity.c.type).where(activity.c.category == "orders")
                )
            ),
            list(tx.execute(select(inbox.c.event_id, inbox.c.state, inbox.c.body))),
        )

    rows, entries, events = store.read(unit)
    assert {row.id: row.fulfilment_status for row in rows} == dict.fromkeys(made, "delivered")
    assert len(events) == 3 * len(made), "each is kept once, and nothing forged"
    assert {row.state for row in events} == {"done"}
    assert not [row for row in events if '"id" ' in row.body]
    told = Counter((row.order_id, row.type) for row in entries)
    assert told == {(order_id, step): 1 for order_id in made for step in STEPS}
    for row in rows:
        assert row.processing_at < row.shipped_at < row.delivered_at
        assert row.tracking_number is not None


def _storm(server: Shopbelld, store: Store, *, many: int, kills: int, seed: int) -> None:
    now = SystemClock().now() // SECOND * SECOND
    providers = _providers(now - many * 3 * MINUTE - MINUTE)
    made = _begin(store, providers, many)
    deliveries = _deliveries(providers, made, random.Random(seed))  # noqa: S311 - a seed, no secret
    taken = storm(server, store, deliveries, refusal=401, kills=kills)
    assert set(taken.values()) == {3}
    _check(store, made)


@pytest.fixture
def server(home: Path, database_url: str) -> Iterator[Shopbelld]:
    with new_shop(
        home,
        database_url,
        SHOPBELL_PRINTIFY_WEBHOOK_SECRET=PRINTIFY_SECRET,
        SHOPBELL_PRINTFUL_WEBHOOK_SECRET=PRINTFUL_SECRET,
    ) as made:
        yield made


@pytest.fixture
def store(server: Shopbelld, database_url: str) -> Iterator[Store]:
    with store_beside(server, database_url) as opened:
        yield opened


@pytest.mark.timeout(180)
def test_a_burst_survives_being_killed(server: Shopbelld, store: Store) -> None:
    _storm(server, store, many=30, kills=3, seed=1)


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_ten_thousand_survive_twenty_kills(server: Shopbelld, store: Store) -> None:
    _storm(server, store, many=1000, kills=20, seed=2)
