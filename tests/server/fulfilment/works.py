"""A shop with a provider, in few words: orders come in, jobs are run, entries are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from server.activity.models import activity
from server.catalog.models import product, variant
from server.contract.orders import NewOrder, Order
from server.fulfilment import registry, sync
from server.fulfilment.models import submission
from server.jobs.models import job
from server.jobs.runner import Runner
from server.kit.access import Principal
from server.kit.clock import MINUTE, SECOND, FrozenClock
from server.kit.db import Store
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.models import order_item
from server.orders.payment import Payment
from server.practice.providers.printify import PrintifyServer
from server.settings import service as settings
from tests.server.conftest import Staff
from tests.server.fulfilment.houses import (
    ACCOUNT,
    PRINTFUL_SECRET,
    PRINTIFY_SECRET,
    TOKEN,
    Server,
    Stocked,
    stock,
)

BOTH = pytest.mark.parametrize("works", ["printify", "printful"], indirect=True)
"""Runs a test with each provider."""
CALLER = Principal("t1", "tests", "owner")
ADDRESS = {
    "name": "Bea Buyer",
    "line1": "1 Sock Lane",
    "city": "London",
    "postal_code": "E1 6AN",
    "country": "GB",
}


def settings_of(server: Server) -> dict[str, str]:
    """What is set to be connected to a provider."""
    name, mine = server.provider, isinstance(server, PrintifyServer)
    return {
        f"{name}.token": TOKEN,
        f"{name}.{'shop_id' if mine else 'store_id'}": ACCOUNT,
        f"{name}.url": server.url,
        f"{name}.webhook_secret": PRINTIFY_SECRET if mine else PRINTFUL_SECRET,
    }


def put_settings(store: Store, given: Mapping[str, str | None]) -> None:
    """Change settings by their names; None unsets one."""

    def unit(tx: Tx) -> None:
        for name, text in given.items():
            if text is None:
                settings.unset(tx, name)
            else:
                settings.set_value(tx, name, text)

    store.write(unit)


@dataclass
class Works:
    """The shop, its provider, and somebody who runs the jobs."""

    store: Store
    clock: FrozenClock
    server: Server
    http: httpx.Client
    staff: Staff
    runner: Runner
    thing: Stocked

    @property
    def name(self) -> str:
        """The provider's."""
        return self.server.provider

    @property
    def label(self) -> str:
        """The provider's, in sentences."""
        return registry.PROVIDERS[self.name].label

    def set(self, **values: str) -> None:
        """Change settings: ``set(fulfilment__automatic="off")``."""
        self.put({name.replace("__", "."): value for name, value in values.items()})

    def put(self, given: Mapping[str, str | None]) -> None:
        """Change settings by their names; None unsets one."""
        put_settings(self.store, given)

    def run(self, *, after: int = 0) -> int:
        """Let time pass, and run what is due."""
        self.clock.advance(after)
        return self.runner.drain()

    def run_all(self) -> None:
        """Run until nothing waits but the schedules."""
        for _ in range(12):
            self.run(after=10 * MINUTE)

    def sync(self) -> None:
        """Read the provider's catalogue."""
        self.store.write(lambda tx: sync.want(tx, registry.PROVIDERS[self.name]))
        self.run()

    def variants(self) -> list[str]:
        """Our ids of the first product's variants."""

        def unit(tx: Tx) -> list[str]:
            rows = tx.execute(
                select(variant.c.id)
                .join(product, product.c.id == variant.c.product_id)
                .where(product.c.provider_product_id == self.thing.product_id)
                .order_by(variant.c.position)
            )
            return list(rows.scalars())

        return self.store.read(unit)

    def new(self, **changed: Any) -> NewOrder:
        """An order of two of the first variant."""
        fields: dict[str, Any] = {
            "customer": {"email": "bea@example.com", "name": "Bea Buyer", "address": ADDRESS},
            "items": [
                {
                    "name": "Wool socks S",
                    "quantity": 2,
                    "unit_price": 1250,
                    "product_id": None,
                    "variant_id": self.variants()[0],
                }
            ],
            "currency": "GBP",
        }
        return NewOrder.model_validate(fields | changed)

    def order(self, *, paid: bool = True, **changed: Any) -> Order:
        """An order that came in, and was paid."""
        new = self.new(**changed)
        made = self.store.write(lambda tx: orders.create(tx, new))
        if paid:
            self.pay(self.get(made))
        return self.get(made)

    def pay(self, order: Order, *, less: int = 0, currency: str | None = None) -> None:
        """The money came, or ``less`` of it, or another currency's."""
        payment = Payment(
            "Stripe",
            f"cs_{order.number}",
            f"pi_{order.number}",
            order.total.amount - less,
            currency or order.total.currency,
            self.clock.now(),
        )
        self.store.write(lambda tx: orders.mark_placed(tx, order.id, payment, paid=True))

    def get(self, key: str) -> Order:
        """An order as the Owner sees it."""
        return self.store.read(lambda tx: orders.get(tx, key, CALLER))

    def entries(self, order: Order, *types: str) -> list[Any]:
        """An order's entries, oldest first; only those of these types, when some are named."""
        answer = self.http.get(f"/v1/orders/{order.id}/timeline")
        assert answer.status_code == 200, answer.text
        found = answer.json()
        listed = found["items"] if isinstance(found, dict) else found
        return [entry for entry in listed if not types or entry["type"] in types]

    def types(self, order: Order) -> list[str]:
        """The types of an order's entries, oldest first, leaving mails aside."""
        return [entry["type"] for entry in self.entries(order) if entry["category"] != "emails"]

    def told(self, event_type: str) -> list[Any]:
        """The stored entries of a type, whosever they are."""
        statement = select(activity).where(activity.c.type == event_type).order_by(activity.c.seq)
        return self.store.read(lambda tx: list(tx.execute(statement)))

    def submission(self, order: Order, role: str = "owner") -> dict[str, Any]:
        """What is known about an order at its provider."""
        answer = self.http.get(f"/v1/orders/{order.id}/submission", headers=self.staff.bearer(role))  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def submit(self, order: Order, **body: Any) -> httpx.Response:
        """Press the key."""
        return self.http.post(f"/v1/orders/{order.id}/submit", json=body)

    def rows(self, order: Order) -> list[Any]:
        """The order's rows of the table."""
        return self.store.read(
            lambda tx: list(tx.execute(select(submission).where(submission.c.order_id == order.id)))
        )

    def jobs(self, kind: str) -> list[Any]:
        """The jobs of a kind, oldest first."""
        return self.store.read(
            lambda tx: list(tx.execute(select(job).where(job.c.kind == kind).order_by(job.c.id)))
        )

    def held(self, order: Order) -> list[dict[str, Any]]:
        """What the provider has under the order's number."""
        return self.server.held_as(order.number)

    def actions(self, order: Order, role: str = "owner") -> dict[str, str | None]:
        """The order's actions: None for what may be done, else why not."""
        answer = self.http.get(f"/v1/orders/{order.id}", headers=self.staff.bearer(role))  # type: ignore[arg-type]
        return {
            state["name"]: None if state["allowed"] else state["reason"] for state in answer.json()["actions"]
        }

    def break_line(self, order: Order) -> None:
        """The order's line names a variant that nobody knows."""
        self.store.write(
            lambda tx: tx.execute(
                update(order_item).where(order_item.c.order_id == order.id).values(variant_id="gone")
            )
        )


UNDO = 5 * SECOND


def stocked(server: Server) -> Stocked:
    """A provider with a product."""
    return stock(server)
