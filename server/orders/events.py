"""What is told on the topics of billing when something happens to an order: its id, once, after the commit."""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import Row

from server.accounts import users
from server.kit import topics
from server.kit.tx import Tx

ORDERS: Final = "billing:orders"
OrderEvent = Literal[
    "order_created",
    "order_updated",
    "order_confirmed",
    "order_paid",
    "order_cancelled",
    "order_refunded",
]


def tell(tx: Tx, event: OrderEvent, row: Row[Any]) -> None:
    """Tell what happened to an order to those who may see all of them, and to the customer who has an account."""
    publish(tx, event, ORDERS, row.person_id, order_id=row.id)


def publish(tx: Tx, event: str, topic: str, person_id: str | None, **data: Any) -> None:
    """Tell something on a topic of billing, and on that topic of the person's user, where there is one.

    Args:
        tx: the transaction.
        event: the event's name.
        topic: ``billing:orders``, ``billing:invoices``, …
        person_id: whose it is; somebody without an account, and somebody erased, has no topic.
        data: ids and the change.
    """
    user_id = None if person_id is None else users.user_of(tx, [person_id]).get(person_id)
    own = () if user_id is None else (f"{topic}:user:{user_id}",)
    topics.publish(tx, event, topic, *own, **data)
