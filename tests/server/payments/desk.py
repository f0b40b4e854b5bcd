"""Stripe on one side of a shop, its staff on the other, in few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from server.activity.models import activity
from server.inbox.models import inbox
from server.kit.clock import FrozenClock
from server.kit.db import Store
from tests.server.conftest import Staff
from tests.support.stripe_events import SECRET, encode, sign


@dataclass
class Desk:
    """What Stripe does to a shop, and what the shop then shows."""

    http: httpx.Client
    staff: Staff
    store: Store
    clock: FrozenClock

    def post(self, body: bytes, signature: str | None = None, **headers: str) -> httpx.Response:
        """Post bytes; without a signature of its own, signed now with the right secret."""
        now = self.clock.now() // 1000
        return self.http.post(
            "/webhooks/stripe",
            content=body,
            headers={
                "content-type": "application/json; charset=utf-8",
                "stripe-signature": sign(body, SECRET, now) if signature is None else signature,
                **headers,
            },
        )

    def tell(self, *events: dict[str, Any]) -> None:
        """Events as Stripe sends them, each answered 200."""
        for event in events:
            answer = self.post(encode(event))
            assert answer.status_code == 200, answer.text

    def order(self, **changed: Any) -> dict[str, Any]:
        """An order that the shop's own program makes: £43.00."""
        new = {
            "customer": {"email": "mary@example.com"},
            "items": [{"name": "Wool socks", "quantity": 1, "unit_price": 3905}],
            "currency": "GBP",
            "shipping": 395,
        }
        answer = self.http.post("/v1/orders", json=new | changed, headers=self.staff.bearer("storefront"))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def get(self, key: str) -> dict[str, Any]:
        """An order as the staff sees it."""
        answer = self.http.get(f"/v1/orders/{key}", headers=self.staff.bearer("readonly"))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def only_order(self) -> dict[str, Any]:
        """The one order of the shop."""
        rows = self.http.get("/v1/orders", headers=self.staff.bearer("readonly")).json()["items"]
        assert len(rows) == 1, rows
        return self.get(rows[0]["id"])

    def counts(self) -> dict[str, int]:
        """How many orders stand under each tab."""
        found: dict[str, int] = self.http.get(
            "/v1/orders/counts", headers=self.staff.bearer("readonly")
        ).json()
        return found

    def entries(self) -> list[tuple[str, str | None]]:
        """Type and order of every entry, in the order in which they were recorded."""
        statement = select(activity.c.type, activity.c.order_id).order_by(activity.c.seq)
        return [(row.type, row.order_id) for row in self.store.read(lambda tx: tx.execute(statement).all())]

    def types(self) -> list[str]:
        """The types of all entries, as recorded."""
        return [kind for kind, _ in self.entries()]

    def entry(self, kind: str) -> Any:
        """The one entry of a type, as it is stored."""
        statement = select(activity).where(activity.c.type == kind)
        return self.store.read(lambda tx: tx.execute(statement).one())

    def inbox(self) -> list[tuple[str, str]]:
        """Type and state of every stored event, as received."""
        statement = select(inbox.c.type, inbox.c.state).order_by(inbox.c.received_at, inbox.c.id)
        return [(row.type, row.state) for row in self.store.read(lambda tx: tx.execute(statement).all())]
