"""Callers, and orders to begin with, in few words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from server.activity.models import activity, activity_text
from server.contract.orders import FulfilmentStep, NewOrder, Order
from server.kit.access import Principal, Role
from server.kit.db import Store
from server.orders import service as orders
from server.orders.payment import Payment


def caller(role: Role = "owner") -> Principal:
    return Principal("t1", "a token", role, None if role == "storefront" else "u1")


def new_order(**changed: Any) -> NewOrder:
    fields: dict[str, Any] = {
        "customer": {"email": "mary@example.com", "name": "Mary Example"},
        "items": [
            {"name": "Wool socks", "quantity": 2, "unit_price": 1200},
            {"name": "Sock bag", "quantity": 1, "unit_price": 1505, "product_id": "bag-1"},
        ],
        "currency": "GBP",
        "shipping": 395,
    }
    return NewOrder.model_validate(fields | changed)


class Shop:
    """The orders of a store, with few words."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def order(self, **changed: Any) -> Order:
        new = new_order(**changed)
        made = self.store.write(lambda tx: orders.create(tx, new))
        return self.get(made)

    def get(self, key: str, role: Role = "owner") -> Order:
        return self.store.read(lambda tx: orders.get(tx, key, caller(role)))

    def step(self, key: str, status: str, **details: Any) -> Order:
        told = FulfilmentStep.model_validate({"status": status, **details})
        actor = orders.actor_of(caller())
        self.store.write(lambda tx: orders.fulfil(tx, key, told, actor=actor))
        return self.get(key)

    def pay(self, order: Order, **changed: Any) -> Order:
        payment = self.payment(order, **changed)
        self.store.write(lambda tx: orders.mark_placed(tx, order.id, payment, paid=True))
        return self.get(order.id)

    def payment(self, order: Order, **changed: Any) -> Payment:
        fields: dict[str, Any] = {
            "processor": "Stripe",
            "reference": f"cs_{order.number}",
            "intent": f"pi_{order.number}",
            "amount": order.total.amount,
            "currency": order.total.currency,
            "occurred_at": self.store.clock.now(),
        }
        return Payment(**(fields | changed))

    def entries(self, order: Order) -> list[str]:
        """The types of an order's entries, oldest first."""
        statement = (
            select(activity.c.type)
            .where(activity.c.order_id == order.id)
            .order_by(activity.c.occurred_at, activity.c.seq)
        )
        return self.store.read(lambda tx: list(tx.execute(statement).scalars()))

    def entry(self, order: Order, kind: str) -> Any:
        """The one entry of a type, as it is stored."""
        statement = select(activity).where(activity.c.order_id == order.id, activity.c.type == kind)
        return self.store.read(lambda tx: tx.execute(statement).one())

    def texts(self, order: Order) -> list[str]:
        """The strangers' texts of an order's entries."""
        statement = (
            select(activity_text.c.value)
            .join(activity, activity.c.id == activity_text.c.activity_id)
            .where(activity.c.order_id == order.id)
            .order_by(activity_text.c.seq)
        )
        return self.store.read(lambda tx: list(tx.execute(statement).scalars()))
