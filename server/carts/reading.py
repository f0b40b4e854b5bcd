"""Carts as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from server.carts.keeping import find
from server.carts.models import cart, cart_line
from server.contract.activity import OrderRef
from server.contract.base import Money
from server.contract.orders import CustomerRef
from server.contract.shop_carts import CartLine, CartState, ShopCart
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none, milliseconds
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.tx import Tx
from server.orders import service as orders
from server.people import service as people


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which carts: in a state, of a person, the one that became an order (id or number)."""

    state: CartState | None = None
    person: str | None = None
    order: str | None = None

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"shop carts\0{self.state}\0{self.person}\0{self.order}"


def get(tx: Tx, cart_id: str, caller: Principal) -> ShopCart:
    """A cart whole.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    return _shown(tx, [find(tx, cart_id)], caller)[0]


def listing(tx: Tx, query: ListQuery, page: PageRequest, caller: Principal) -> Slice[ShopCart]:
    """A page of carts, newest first."""
    statement = select(cart)
    if query.state is not None:
        statement = statement.where(cart.c.state == query.state)
    if query.person is not None:
        statement = statement.where(cart.c.person_id == query.person)
    if query.order is not None:
        row = orders.find(tx, query.order)
        statement = statement.where(cart.c.order_id == (row.id if row else query.order))
    found = slice_of(tx.execute(keyset(statement, page, cart.c.created_at, cart.c.id)).all(), page)
    return Slice(_shown(tx, found.rows, caller), found.older, found.newer)


def place(row: ShopCart) -> tuple[int, str]:
    """A row's place in the list, for its page's cursors."""
    return milliseconds(row.created_at), row.id


def _shown(tx: Tx, rows: Sequence[Row[Any]], caller: Principal) -> list[ShopCart]:
    lines: dict[str, list[Row[Any]]] = {row.id: [] for row in rows}
    inside = select(cart_line).where(cart_line.c.cart_id.in_(lines))
    for line in tx.execute(inside.order_by(cart_line.c.created_at, cart_line.c.id)):
        lines[line.cart_id].append(line)
    wanted = {row.person_id for row in rows if row.person_id} if caller.may("people.read") else set()
    customers = people.people(tx, wanted)
    numbers = orders.numbers(tx, {row.order_id for row in rows if row.order_id})
    return [
        _cart(row, lines[row.id], customers.get(row.person_id), numbers.get(row.order_id)) for row in rows
    ]


def _cart(
    row: Row[Any], lines: Sequence[Row[Any]], customer: people.Person | None, number: str | None
) -> ShopCart:
    def money(amount: int) -> Money:
        return Money.model_construct(amount=amount, currency=row.currency)

    subtotal = sum(line.quantity * line.unit_price for line in lines)
    return ShopCart(
        id=row.id,
        state=row.state,
        customer=None if customer is None else _customer(customer),
        lines=[
            CartLine(
                id=line.id,
                product_id=line.product_id,
                variant_id=line.variant_id,
                name=line.name,
                specs=line.specs,
                quantity=line.quantity,
                unit_price=money(line.unit_price),
            )
            for line in lines
        ],
        shipping_method=row.shipping_method,
        shipping=None if row.shipping_amount is None else money(row.shipping_amount),
        payment_option=row.payment_option,
        subtotal=money(subtotal),
        total=money(subtotal + (row.shipping_amount or 0)),
        order=None if number is None else OrderRef(id=row.order_id, number=number),
        created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
        expires_at=instant_or_none(row.expires_at),
    )


def _customer(person: people.Person) -> CustomerRef:
    if person.erased_at is not None:
        return CustomerRef(erased=person.mark)
    return CustomerRef(id=person.id, name=person.name, email=person.email, phone=person.phone)
