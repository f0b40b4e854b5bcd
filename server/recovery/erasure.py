"""What an erasure does to carts that were left at the payment page. Suppressions name nobody and stay."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_

from server.kit import refs
from server.people.erasure import Rule, Subject, register
from server.recovery.models import abandoned_cart


def _carts(subject: Subject) -> ColumnElement[bool]:
    theirs = refs.orders_of(subject.person_id)
    return or_(
        abandoned_cart.c.person_id == subject.person_id,
        abandoned_cart.c.order_id.in_(theirs),
        abandoned_cart.c.recovered_order_id.in_(theirs),
    )


register(
    Rule(
        abandoned_cart,
        "abandoned carts",
        "delete",
        "What the person left at the payment page; no reminder leaves any more.",
        _carts,
        ("person_id",),
    )
)
