"""Carts left at the payment page: kept when the shop wants to remind of them, and what became of each."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, delete, select, update

from server.activity import service as activity
from server.activity.service import Actor
from server.contract.activity import OrderRef
from server.contract.base import Money
from server.contract.carts import Cart, CartItem, CheckoutNotice
from server.contract.orders import CustomerRef
from server.kit.clock import DAY, MINUTE, instant, instant_or_none, milliseconds
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.mail import service as mail
from server.orders import service as orders
from server.orders.models import order_item
from server.payments.hooks import Expired
from server.people import service as people
from server.recovery.models import abandoned_cart
from server.settings import service as settings

QUERY: Final = "carts"
"""What cursors of the list are bound to."""
_PAID: Final = ("paid", "refunded")


def record(tx: Tx, told: Expired) -> str | None:
    """Keep the cart of an expired session and ask for its reminder; the same session again changes nothing.

    Nothing is kept while reminders are switched off, without an e-mail, when the order was paid for elsewhere, or
    when its customer has been erased.

    Returns:
        The person whose cart it is, if one was kept.
    """
    if not told.email or not settings.get(tx, "recovery.enabled"):
        return None
    if told.order is not None and (
        told.order.payment_status in _PAID or told.order.anonymized_at is not None
    ):
        return None
    person_id = people.find_or_create_customer(tx, email=told.email, name=told.name, phone=told.phone)
    insert = upsert(tx.dialect, abandoned_cart)
    items = _items(tx, told)
    amount, currency = _amount(tx, told)
    cart_id: str | None = tx.execute(
        insert.values(
            id=tx.new_id(),
            stripe_session_id=told.session_id,
            person_id=person_id,
            order_id=None if told.order is None else told.order.id,
            currency=currency,
            amount=amount,
            items=items,
            expired_at=told.occurred_at,
            created_at=tx.now,
        )
        .on_conflict_do_nothing(index_elements=[abandoned_cart.c.stripe_session_id])
        .returning(abandoned_cart.c.id)
    ).scalar()
    if cart_id is None:
        return person_id
    activity.log(
        tx,
        "abandoned_cart.created",
        person_id=person_id,
        params={"amount": {"amount": amount, "currency": currency}, "items": len(items)},
        occurred_at=told.occurred_at,
        identity=("cart", told.session_id, "abandoned_cart.created"),
        actor=Actor("customer"),
    )
    delay = settings.get(tx, "recovery.delay_minutes") * MINUTE
    mail.queue(
        tx, "recovery", person_id=person_id, cart_id=cart_id, delay=delay, unique=f"recovery:{cart_id}"
    )
    tx.touch("carts")
    return person_id


def note_paid(tx: Tx, row: Row[Any]) -> None:
    """An order was paid: the carts of its customer that had a reminder before are recovered by it."""
    if row.person_id is None or row.paid_at is None:
        return
    found = tx.execute(
        select(abandoned_cart.c.id, abandoned_cart.c.amount, abandoned_cart.c.currency)
        .where(
            abandoned_cart.c.person_id == row.person_id,
            abandoned_cart.c.emailed_at <= row.paid_at,
            abandoned_cart.c.recovered_at.is_(None),
        )
        .order_by(abandoned_cart.c.emailed_at.desc(), abandoned_cart.c.id.desc())
    ).all()
    if not found:
        return
    tx.execute(
        update(abandoned_cart)
        .where(abandoned_cart.c.id.in_([cart.id for cart in found]))
        .values(recovered_at=row.paid_at, recovered_order_id=row.id)
    )
    activity.log(
        tx,
        "abandoned_cart.recovered",
        order_id=row.id,
        person_id=row.person_id,
        params={"amount": {"amount": row.total, "currency": row.currency}},
        occurred_at=row.paid_at,
        identity=("cart", found[0].id, "abandoned_cart.recovered"),
        actor=Actor("customer"),
    )
    tx.touch("carts")


def find(tx: Tx, cart_id: str | None) -> Row[Any] | None:
    """A cart's row; None when it is gone."""
    return tx.execute(select(abandoned_cart).where(abandoned_cart.c.id == cart_id)).first()


def notice(tx: Tx) -> CheckoutNotice:
    """What to say at checkout; nothing while reminders are switched off."""
    said = settings.get(tx, "recovery.notice").strip() if settings.get(tx, "recovery.enabled") else ""
    return CheckoutNotice(notice=said or None)


def prune(tx: Tx, days: int) -> int:
    """Let go of carts that were kept longer than so many days. Returns how many. Suppressions stay."""
    gone = tx.execute(
        delete(abandoned_cart).where(abandoned_cart.c.created_at < tx.now - days * DAY)
    ).rowcount
    if gone:
        tx.touch("carts")
    return gone


def listing(tx: Tx, page: PageRequest) -> Slice[Cart]:
    """A page of carts, newest first."""
    statement = keyset(select(abandoned_cart), page, abandoned_cart.c.created_at, abandoned_cart.c.id)
    found = slice_of(tx.execute(statement).all(), page)
    customers = people.people(tx, {row.person_id for row in found.rows if row.person_id})
    named = {row.order_id for row in found.rows} | {row.recovered_order_id for row in found.rows}
    numbers = orders.numbers(tx, [order_id for order_id in named if order_id])
    rows = [_shown(row, customers.get(row.person_id), numbers) for row in found.rows]
    return Slice(rows, found.older, found.newer)


def place(cart: Cart) -> tuple[int, str]:
    """A cart's place in the list, for its page's cursors."""
    return milliseconds(cart.created_at), cart.id


def _shown(row: Row[Any], person: people.Person | None, numbers: dict[str, str]) -> Cart:
    def ref(order_id: str | None) -> OrderRef | None:
        return OrderRef(id=order_id, number=numbers[order_id]) if order_id and order_id in numbers else None

    return Cart(
        id=row.id,
        customer=None if person is None else _customer(person),
        items=[CartItem(**item) for item in row.items],
        amount=Money(amount=row.amount, currency=row.currency),
        order=ref(row.order_id),
        expired_at=instant(row.expired_at),
        created_at=instant(row.created_at),
        emailed_at=instant_or_none(row.emailed_at),
        withheld=row.withheld,
        recovered_at=instant_or_none(row.recovered_at),
        recovered_by=ref(row.recovered_order_id),
    )


def _customer(person: people.Person) -> CustomerRef:
    if person.erased_at is not None:
        return CustomerRef(id=person.id, erased=person.mark)
    return CustomerRef(id=person.id, name=person.name, email=person.email, phone=person.phone)


def _items(tx: Tx, told: Expired) -> list[dict[str, Any]]:
    """What was left: as the order says it, which knows the shop's own products, else as the session does."""
    if told.order is not None:
        lines = (
            select(order_item).where(order_item.c.order_id == told.order.id).order_by(order_item.c.position)
        )
        found = [(line.name, line.quantity, line.product_id) for line in tx.execute(lines)]
    else:
        found = [(line.name, line.quantity, line.product_id) for line in told.lines]
    return [{"name": name, "quantity": many, "product_id": product} for name, many, product in found]


def _amount(tx: Tx, told: Expired) -> tuple[int, str]:
    if told.amount is not None and told.currency is not None:
        return told.amount, told.currency
    if told.order is not None:
        return told.order.total, told.order.currency
    return told.amount or 0, told.currency or settings.get(tx, "shop.currency")
