"""New orders, and the end of old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Row, insert, update
from sqlalchemy import delete as delete_rows

from server.activity import service as activity
from server.contract.base import Money
from server.contract.orders import Address, HandledBy, NewOrder
from server.kit.problems import invalid_request
from server.kit.tx import Tx
from server.orders import events
from server.orders.models import order, order_item
from server.orders.numbers import next_number
from server.people import service as people

MOST: Final = 10**15
"""The largest total, in minor units: what `contract.base.Money` can carry."""
MOST_PRICE: Final = 10**12


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order: name and price (minor units) as they are now."""

    name: str
    quantity: int
    unit_price: int
    product_id: str | None = None
    variant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An order to be, with its customer and address in the vault. Amounts in minor units of ``currency``."""

    currency: str
    total: int
    lines: Sequence[Line]
    shipping: int | None = None
    person_id: str | None = None
    address_id: str | None = None
    stripe_session_id: str | None = None
    handled_by: HandledBy = "shopbell"


def create(tx: Tx, new: NewOrder) -> str:
    """Make the order of a shop's own program, ``pending`` and ``unfulfilled``. Writes no entry: nothing was bought yet.

    Returns:
        The order's id.

    Raises:
        ProblemError: 422 ``invalid_request`` (see `priced`).
    """
    draft = priced(new)
    customer = new.customer
    if not customer.email.strip():
        raise invalid_request(("customer.email", "must be an e-mail address"))
    person_id = people.find_or_create_customer(
        tx, email=customer.email, name=customer.name, phone=customer.phone
    )
    address_id = people.add_address(tx, person_id, customer.address) if customer.address else None
    return make(tx, replace(draft, person_id=person_id, address_id=address_id))


def priced(new: NewOrder) -> Draft:
    """What an order costs, line by line and in all.

    Raises:
        ProblemError: 422 ``invalid_request`` for a price of another currency or out of bounds, or a total that is.
    """
    currency = new.currency.upper()
    lines = [
        Line(
            item.name,
            item.quantity,
            _price(item.unit_price, currency, f"items.{i}.unit_price"),
            item.product_id,
            item.variant_id,
        )
        for i, item in enumerate(new.items)
    ]
    shipping = None if new.shipping is None else _price(new.shipping, currency, "shipping")
    total = sum(line.quantity * line.unit_price for line in lines) + (shipping or 0)
    if total > MOST:
        raise invalid_request(("items", "together they cost more than an order can hold"))
    return Draft(currency, total, lines, shipping, handled_by=new.handled_by)


def make(tx: Tx, draft: Draft) -> str:
    """Write a draft down under the next number, and give its id."""
    order_id = tx.new_id()
    tx.execute(
        insert(order).values(
            id=order_id,
            number=next_number(tx),
            person_id=draft.person_id,
            address_id=draft.address_id,
            currency=draft.currency,
            total=draft.total,
            shipping=draft.shipping,
            payment_status="pending",
            fulfilment_status="unfulfilled",
            stripe_session_id=draft.stripe_session_id,
            handled_by=draft.handled_by,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    tx.execute(
        insert(order_item),
        [
            {
                "id": tx.new_id(),
                "order_id": order_id,
                "position": position,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "product_id": line.product_id,
                "variant_id": line.variant_id,
            }
            for position, line in enumerate(draft.lines)
        ],
    )
    events.publish(tx, "order_created", events.ORDERS, draft.person_id, order_id=order_id)
    tx.touch("orders")
    return order_id


def fill_address(tx: Tx, row: Row[Any], address: Address) -> None:
    """Give an order the address that was asked for at the payment page, unless it has one."""
    if row.person_id is not None and row.address_id is None:
        address_id = people.add_address(tx, row.person_id, address)
        tx.execute(update(order).where(order.c.id == row.id).values(address_id=address_id, updated_at=tx.now))
        events.tell(tx, "order_updated", row)
        tx.touch("orders")


def delete(tx: Tx, order_id: str) -> None:
    """Take an order away with its lines. What happened to it stays in the log, without the order."""
    activity.forget_order(tx, order_id)
    tx.execute(delete_rows(order).where(order.c.id == order_id))
    tx.touch("orders")


def _price(price: int | Money, currency: str, field: str) -> int:
    if isinstance(price, Money):
        if price.currency != currency:
            raise invalid_request((field, f"must be in the order's currency, {currency}"))
        price = price.amount
    if not 0 <= price <= MOST_PRICE:
        raise invalid_request((field, f"must be 0 to {MOST_PRICE}"))
    return price
