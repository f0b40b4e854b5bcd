"""A customer's orders as their pages show them: paid ones of one person, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, select

from server.catalog.showing import Shown, shown
from server.contract.orders import Address
from server.kit.money import money_text
from server.kit.pages import web_address
from server.kit.tx import Tx
from server.lookup.service import PAID
from server.orders.models import order, order_item
from server.people import service as people
from server.settings.face import Face

MOST: Final = 200
"""Orders on the list: the newest."""

_STATUS: Final = {
    "unfulfilled": "Being prepared",
    "submitted": "Being prepared",
    "failed": "Being prepared",  # the shop sees to it; nothing a customer can do
    "processing": "In production",
    "shipped": "On its way",
    "delivered": "Delivered",
    "cancelled": "Cancelled",
}
_REACHED: Final = {"processing": 1, "shipped": 2, "delivered": 3}


@dataclass(frozen=True, slots=True)
class Card:
    """An order on the list. ``tone`` is ``good``, ``bad`` or empty; the words say the same."""

    number: str
    day: str
    status: str
    tone: str
    total: str
    items: str


@dataclass(frozen=True, slots=True)
class Line:
    """An item: as it was when it was bought, and its product as it is now."""

    name: str
    quantity: int
    each: str
    total: str
    url: str | None
    image: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step on an order's way."""

    name: str
    done: bool
    day: str | None


@dataclass(frozen=True, slots=True)
class Whole:
    """An order whole."""

    card: Card
    lines: list[Line]
    steps: list[Step]
    subtotal: str
    shipping: str | None
    refunded: str | None
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    address: list[str]


def orders_of(tx: Tx, person_id: str, face: Face) -> list[Card]:
    """The paid orders of a person, newest first."""
    rows = tx.execute(
        _mine(person_id).order_by(order.c.created_at.desc(), order.c.id.desc()).limit(MOST)
    ).all()
    names: dict[str, list[str]] = {}
    for line in _lines(tx, [row.id for row in rows]):
        names.setdefault(line.order_id, []).append(line.name)
    return [_card(row, names.get(row.id, []), face) for row in rows]


def order_of(tx: Tx, person_id: str, number: str, face: Face) -> Whole | None:
    """One paid order of this person by its number; None for every other, whoever's it is."""
    row = tx.execute(_mine(person_id).where(order.c.number == number.upper())).first()
    if row is None:
        return None
    items = _lines(tx, [row.id])
    products = shown(tx, [item.product_id for item in items], face.shop.url)
    return Whole(
        card=_card(row, [item.name for item in items], face),
        lines=[_line(item, row.currency, products.get(item.product_id, Shown())) for item in items],
        steps=_steps(row, face),
        subtotal=money_text(sum(item.quantity * item.unit_price for item in items), row.currency),
        shipping=None if row.shipping is None else money_text(row.shipping, row.currency),
        refunded=money_text(row.refunded, row.currency) if row.refunded else None,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        tracking_url=web_address(row.tracking_url),
        address=_address(people.addresses(tx, [row.address_id]).get(row.address_id))
        if row.address_id
        else [],
    )


def _mine(person_id: str) -> Select[Any]:
    return select(order).where(order.c.person_id == person_id, order.c.payment_status.in_(PAID))


def _lines(tx: Tx, ids: list[str]) -> list[Row[Any]]:
    found = select(order_item).where(order_item.c.order_id.in_(ids))
    return list(tx.execute(found.order_by(order_item.c.order_id, order_item.c.position))) if ids else []


def _card(row: Row[Any], names: list[str], face: Face) -> Card:
    tone = {"delivered": "good", "shipped": "good", "cancelled": "bad"}.get(row.fulfilment_status, "")
    refunded = row.payment_status == "refunded"
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return Card(
        number=row.number,
        day=face.day(row.created_at),
        status="Refunded" if refunded else _STATUS.get(row.fulfilment_status, "Being prepared"),
        tone="" if refunded else tone,
        total=money_text(row.total, row.currency),
        items=", ".join(names[:2]) + more,
    )


def _line(item: Row[Any], currency: str, product: Shown) -> Line:
    return Line(
        name=item.name,
        quantity=item.quantity,
        each=money_text(item.unit_price, currency),
        total=money_text(item.quantity * item.unit_price, currency),
        url=product.url,
        image=product.image,
    )


def _steps(row: Row[Any], face: Face) -> list[Step]:
    """The way of an order that was neither cancelled nor paid back."""
    if row.fulfilment_status == "cancelled" or row.payment_status == "refunded":
        return []
    reached = _REACHED.get(row.fulfilment_status, 0)
    named = (
        ("Paid", row.paid_at),
        ("In production", row.processing_at),
        ("On its way", row.shipped_at),
        ("Delivered", row.delivered_at),
    )
    return [
        Step(name, place <= reached, face.day(at) if at is not None and place <= reached else None)
        for place, (name, at) in enumerate(named)
    ]


def _address(place: Address | None) -> list[str]:
    if place is None:
        return []
    town = " ".join(part for part in (place.city, place.state, place.postal_code) if part)
    return [part for part in (place.name, place.line1, place.line2, town, place.country) if part]
