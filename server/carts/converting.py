"""A cart becomes an order: once, whole or not at all.

The cart is claimed by one conditional update, and everything is looked at again once it is held. Claim, order and the
cart's new state are one transaction, so a failure anywhere leaves the cart as it was.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from server.accounts import users
from server.billing import service as billing
from server.carts import events
from server.carts.keeping import TOPIC, find, not_active
from server.carts.models import cart, cart_line
from server.carts.paying import check_option
from server.carts.products import offer
from server.contract.base import Money
from server.contract.billing import NewInvoice
from server.contract.shop_carts import ConvertCart
from server.kit.problems import ProblemError, invalid_request
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.making import MOST
from server.people import service as people


def stands(tx: Tx, cart_id: str) -> bool:
    """Whether a cart can be claimed now: asked before the transaction, it tells who came too late from who lost."""
    row = tx.execute(select(cart.c.state).where(cart.c.id == cart_id)).first()
    return row is not None and row.state == "active"


def convert(tx: Tx, cart_id: str, new: ConvertCart, *, stood: bool = False) -> str:
    """Make a pending order of a cart, at the prices that stand in it; with a billing profile, draft its invoice too.

    Args:
        tx: the transaction.
        cart_id: the cart.
        new: who a guest is, and to whom the invoice is made out.
        stood: the caller saw the cart active before: if it is not any more, somebody else was quicker.

    Returns:
        The order's id.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``cart_already_converting``, ``cart_not_active``, ``cart_empty``,
            ``no_shipping_method``, ``product_not_available``, ``email_already_registered``,
            ``payment_option_unavailable``, ``billing_profile_not_owned``; 422 as `offer`, or ``invalid_request``
            without an e-mail. The cart stays as it was.
    """
    seen = find(tx, cart_id)
    if seen.state != "active" and not stood:
        raise not_active(seen)
    row = _claim(tx, seen)
    lines = tx.execute(
        select(cart_line)
        .where(cart_line.c.cart_id == row.id)
        .order_by(cart_line.c.created_at, cart_line.c.id)
    ).all()
    _check(tx, row, lines)
    person_id = _customer(tx, row, new)
    draft = _draft(row, lines, person_id)
    order_id = orders.make(tx, draft)
    if new.billing_profile_id is not None:
        total = Money(amount=draft.total, currency=row.currency)
        billing.create(tx, NewInvoice(order=order_id, billing_profile_id=new.billing_profile_id, total=total))
    done = {"state": "converted", "order_id": order_id, "person_id": person_id, "expires_at": None}
    tx.execute(update(cart).where(cart.c.id == row.id).values(**done, updated_at=tx.now))
    tx.touch(TOPIC)
    events.tell(tx, "cart_updated", row, state="converted", order_id=order_id)
    return order_id


def _claim(tx: Tx, seen: Row[Any]) -> Row[Any]:
    """Take the cart; of all who try at once the database lets one."""
    mine = (cart.c.id == seen.id) & (cart.c.state == "active")
    claimed = tx.execute(
        update(cart).where(mine).values(state="converting", updated_at=tx.now).returning(cart)
    ).first()
    if claimed is None:
        now = find(tx, seen.id)
        if now.state not in ("converting", "converted"):
            raise not_active(now)
        raise ProblemError(
            409, "cart_already_converting", "Somebody else is making an order of this cart.", reason=now.state
        )
    if claimed.expires_at is not None and claimed.expires_at <= tx.now:
        raise not_active(seen)
    return claimed


def _check(tx: Tx, row: Row[Any], lines: list[Row[Any]] | Any) -> None:
    """Everything once more: what could be bought when it was put in may be gone."""
    if not lines:
        raise ProblemError(409, "cart_empty", "There is nothing in this cart.")
    if row.shipping_method is None:
        raise ProblemError(409, "no_shipping_method", "Choose how it is to be sent first.")
    if row.payment_option is not None:
        check_option(tx, row.payment_option)
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
    for line in lines:
        offer(tx, line.product_id, line.variant_id, line.specs, row.currency, wanted[line.variant_id])


def _customer(tx: Tx, row: Row[Any], new: ConvertCart) -> str:
    """Whose order it will be. A guest who uses the address of somebody with an account must sign in."""
    if row.person_id is not None:
        person_id: str = row.person_id
        return person_id
    if new.email is None or not new.email.strip():
        raise invalid_request(("email", "is missing: this is a guest's cart"))
    known = people.find_customer(tx, new.email)
    if known is not None and users.user_of(tx, [known]):
        raise ProblemError(
            409, "email_already_registered", "Somebody with this e-mail has an account: sign in with it."
        )
    return people.find_or_create_customer(tx, email=new.email, name=new.name)


def _draft(row: Row[Any], lines: Any, person_id: str) -> orders.Draft:
    shipping = row.shipping_amount
    goods = [
        orders.Line(line.name, line.quantity, line.unit_price, line.product_id, line.variant_id)
        for line in lines
    ]
    total = sum(one.quantity * one.unit_price for one in goods) + (shipping or 0)
    if total > MOST:
        raise invalid_request(("lines", "together they cost more than an order can hold"))
    return orders.Draft(row.currency, total, goods, shipping, person_id=person_id)
