"""What an erasure does to orders: the money and the goods stay, whose they were goes."""

from __future__ import annotations

from server.kit import refs
from server.orders.models import order, order_item
from server.people.erasure import Mentions, Rule, Subject, register


def _emptied(subject: Subject) -> dict[str, object]:
    """The carrier's page shows where a parcel went; the provider's words may name anybody."""
    return {
        "person_id": None,
        "person_mark": subject.mark,
        "anonymized_at": subject.now,
        "address_id": None,
        "fulfilment_error": None,
        "carrier": None,
        "tracking_number": None,
        "tracking_url": None,
    }


register(
    Rule(
        order,
        "orders",
        "anonymise",
        "Numbers, goods, amounts and times stay for the books; customer, address and parcel's traces go.",
        lambda subject: order.c.person_id == subject.person_id,
        ("person_id", "address_id"),
        _emptied,
    ),
    Mentions(
        order_item,
        ("name",),
        linked=lambda subject: order_item.c.order_id.in_(refs.orders_of(subject.person_id)),
    ),
)
