"""The topics of billing, and who may follow them."""

from __future__ import annotations

from typing import Final

from server.kit import topics

ORDERS: Final = "billing:orders"
INVOICES: Final = "billing:invoices"
SUBSCRIPTIONS: Final = "billing:subscriptions"
PROFILES: Final = "billing:profiles"
TRANSACTIONS: Final = "billing:transactions"


def of_user(topic: str, user_id: str | None) -> list[str]:
    """A topic of this room for everybody who may see all, and for the user, where there is one, whose it is."""
    return [topic] if user_id is None else [topic, f"{topic}:user:{user_id}"]


for _name in (ORDERS, INVOICES, SUBSCRIPTIONS, PROFILES, TRANSACTIONS):
    topics.allow(_name, topics.staff("billing.read"))
    topics.allow(f"{_name}:user:", topics.own_or_staff("billing.read"))
