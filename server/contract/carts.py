"""Carts that were left at the payment page, and what is said there about reminders."""

from __future__ import annotations

from server.contract.activity import OrderRef
from server.contract.base import Answer, Instant, Money
from server.contract.orders import CustomerRef


class CartItem(Answer):
    """Something that was left behind."""

    name: str
    quantity: int
    product_id: str | None = None


class Cart(Answer):
    """A cart whose session at the payment page ended without a payment.

    ``order`` is the one that waited for it. ``withheld`` is a code that says why no reminder went out. ``recovered_by``
    is the order that was paid after the reminder.
    """

    id: str
    customer: CustomerRef | None = None
    items: list[CartItem]
    amount: Money
    order: OrderRef | None = None
    expired_at: Instant
    created_at: Instant
    emailed_at: Instant | None = None
    withheld: str | None = None
    recovered_at: Instant | None = None
    recovered_by: OrderRef | None = None


class CheckoutNotice(Answer):
    """What to say at checkout about reminders; None while the shop sends none, and then nothing is to be said."""

    notice: str | None = None
