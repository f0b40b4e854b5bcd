"""Orders as they are read: one whole, a page of a tab, the tabs' counts."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, or_, select, true

from server.activity import service as activity
from server.contract.base import Money
from server.contract.orders import (
    CustomerRef,
    Order,
    OrderCounts,
    OrderItem,
    OrderRow,
    OrderSort,
    OrderTab,
    OrderTimes,
)
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none
from server.kit.paging import PageRequest, Slice, slice_of
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.orders import deadlines, hooks, policy
from server.orders.models import order, order_item, order_payment
from server.orders.sorting import NEEDS_ATTENTION, page_rows, place
from server.people import service as people

MAX_SEARCH: Final = 200
_NUMBER: Final = re.compile(r"SS-[0-9]{6}-[0-9]{4,12}", re.ASCII | re.IGNORECASE)
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

_UNPAID: Final = order.c.payment_status.in_(("pending", "failed")) & (
    order.c.fulfilment_status != "cancelled"
)
_TO_SHIP: Final = (order.c.payment_status == "paid") & order.c.fulfilment_status.in_(
    ("unfulfilled", "submitted", "processing", "failed")
)
_SHIPPED: Final = order.c.fulfilment_status.in_(("shipped", "delivered"))
_PROBLEM: Final = (
    (order.c.fulfilment_status == "failed")
    | ((order.c.payment_status == "failed") & (order.c.fulfilment_status != "cancelled"))
    | NEEDS_ATTENTION
)
_TABS: Final[dict[OrderTab, ColumnElement[bool]]] = {
    "all": true(),
    "unpaid": _UNPAID,
    "to_ship": _TO_SHIP,
    "shipped": _SHIPPED,
    "problems": _PROBLEM,
}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which orders: those of a tab, whose number, customer, provider's number or tracking number holds ``q``.

    ``sort`` is their order: newest or oldest first, the highest total first, or first those of which something is
    open, then the newest.
    """

    tab: OrderTab = "all"
    q: str = ""
    sort: OrderSort = "newest"

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"orders\0{self.tab}\0{self.sort}\0{self.q}"

    def place(self, row: OrderRow) -> tuple[int, str]:
        """A row's place in the list, for its page's cursors."""
        return place(row, self.sort)


def find(tx: Tx, key: str, *, lock: bool = False) -> Row[Any] | None:
    """The order with this id or number (whatever the letters' case); None when there is none.

    Args:
        tx: the transaction.
        key: anything a stranger may have sent.
        lock: keep others from changing it until the transaction ends.
    """
    if _ID.fullmatch(key):
        mine = order.c.id == key.lower()
    elif _NUMBER.fullmatch(key):
        mine = order.c.number == key.upper()
    else:
        return None
    statement = select(order).where(mine)
    return tx.execute(statement.with_for_update() if lock else statement).first()


def find_by_payment(tx: Tx, *, session: str | None = None, intent: str | None = None) -> str | None:
    """The id of the order that was placed at this session, or that this payment came for, the first or another."""
    mine = order.c.stripe_session_id == session if session else order.c.payment_intent == intent
    found: str | None = tx.execute(select(order.c.id).where(mine).order_by(order.c.id).limit(1)).scalar()
    if found is None and not session:
        other = select(order_payment.c.order_id).where(order_payment.c.intent == intent)
        found = tx.execute(other).scalar()
    return found


def get(tx: Tx, key: str, caller: Principal) -> Order:
    """An order whole, by id or number.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = find(tx, key)
    if row is None:
        raise not_found("order")
    return shown(tx, row, caller)


def listing(tx: Tx, query: ListQuery, page: PageRequest) -> Slice[OrderRow]:
    """A page of orders, in the order that the query asks for."""
    statement = select(order).where(_TABS[query.tab])
    if query.q.strip():
        statement = statement.where(_matches(tx, query.q.strip()))
    found = slice_of(page_rows(tx, statement, query.sort, page), page)
    customers = people.people(tx, {row.person_id for row in found.rows if row.person_id})
    open_entries = activity.attention_by_order(tx, [row.id for row in found.rows])
    rows = [
        OrderRow(**_head(row, customers.get(row.person_id), open_entries.get(row.id, 0)))
        for row in found.rows
    ]
    return Slice(rows, found.older, found.newer)


def counts(tx: Tx) -> OrderCounts:
    """How many orders stand under each tab."""

    def tally(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(condition)

    found = tx.execute(
        select(
            func.count().label("all"),
            tally(_UNPAID).label("unpaid"),
            tally(_TO_SHIP).label("to_ship"),
            tally(_SHIPPED).label("shipped"),
            tally(_PROBLEM).label("problems"),
        ).select_from(order)
    ).one()
    return OrderCounts(**found._mapping)


def numbers(tx: Tx, ids: Collection[str]) -> dict[str, str]:
    """The numbers of orders by id; an order that is gone is left out."""
    found = tx.execute(select(order.c.id, order.c.number).where(order.c.id.in_(set(ids))))
    return {row.id: row.number for row in found}


def shown(tx: Tx, row: Row[Any], caller: Principal) -> Order:
    """An order's row as this caller sees it."""
    sees = policy.sees_customer(caller)
    customer = people.people(tx, [row.person_id]).get(row.person_id) if row.person_id and sees else None
    address = people.addresses(tx, [row.address_id]).get(row.address_id) if row.address_id and sees else None
    attention = activity.attention_by_order(tx, [row.id]).get(row.id, 0)
    return Order(
        **_head(row, customer, attention),
        items=_items(tx, row),
        shipping=_money(row.shipping, row.currency),
        refunded=_money(row.refunded or None, row.currency),
        address=address,
        provider=row.provider,
        provider_order_id=row.provider_order_id,
        provider_status=row.provider_status,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        tracking_url=row.tracking_url,
        handled_by=row.handled_by,
        expected=deadlines.expected(tx, row),
        times=OrderTimes(**{name: instant_or_none(getattr(row, name)) for name in OrderTimes.model_fields}),
        actions=[
            *policy.actions(row, attention, caller, reachable=customer is not None and bool(customer.email)),
            *hooks.actions(tx, row, caller),
        ],
    )


def _matches(tx: Tx, q: str) -> ColumnElement[bool]:
    columns = (order.c.number, order.c.provider_order_id, order.c.tracking_number)
    found: list[ColumnElement[bool]] = [column.icontains(q, autoescape=True) for column in columns]
    customers: Sequence[str] = people.search(tx, q)
    if customers:
        found.append(order.c.person_id.in_(customers))
    return or_(*found)


def _head(row: Row[Any], customer: people.Person | None, attention: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "customer": _customer(row, customer),
        "total": Money(amount=row.total, currency=row.currency),
        "payment_status": row.payment_status,
        "fulfilment_status": row.fulfilment_status,
        "attention": attention,
        "problem": _problem(row),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
    }


def _problem(row: Row[Any]) -> str | None:
    if row.fulfilment_status == "failed":
        return row.fulfilment_error or "Submission failed"
    return "Payment failed" if row.payment_status == "failed" else None


def _customer(row: Row[Any], person: people.Person | None) -> CustomerRef | None:
    if person is None:
        return CustomerRef(erased=row.person_mark) if row.anonymized_at is not None else None
    if person.erased_at is not None:
        return CustomerRef(id=person.id, erased=person.mark)
    return CustomerRef(id=person.id, name=person.name, email=person.email, phone=person.phone)


def _items(tx: Tx, row: Row[Any]) -> list[OrderItem]:
    lines = tx.execute(
        select(order_item).where(order_item.c.order_id == row.id).order_by(order_item.c.position)
    )
    return [
        OrderItem(
            name=line.name,
            quantity=line.quantity,
            unit_price=Money(amount=line.unit_price, currency=row.currency),
            product_id=line.product_id,
            variant_id=line.variant_id,
        )
        for line in lines
    ]


def _money(amount: int | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount=amount, currency=currency)
