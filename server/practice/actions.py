"""What can happen to the practice shop: plain values, decided by ``life`` and carried out by ``driver``.

Times are milliseconds since 1970, UTC. ``at`` is when the shop hears of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from server.contract.activity import NewEvent
from server.contract.orders import FulfilmentStep, NewCustomer, NewOrder, NewOrderItem
from server.contract.tickets import Priority, TicketStatus

StripeType = Literal[
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "charge.refunded",
    "customer.created",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happens.

    Args:
        at: when the shop hears of it.
        key: its name in this shop's life, never used twice; a repeat after a crash changes nothing because of it.
        story: the order's story that it belongs to; empty for what concerns no order.
        ends: whether it is the story's last.
    """

    at: int
    key: str
    story: str = ""
    ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder(Happening):
    """The shop's own program creates the order before it sends the customer to the payment page.

    Args:
        manner: how its provider will treat it (``temper``); None: as its number has it.
    """

    order: NewOrder
    manner: str | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """A payment as Stripe knows it.

    Args:
        name: its part of Stripe's ids; the same for everything about this payment.
        total: minor units, shipping included.
        shipping: minor units.
        method: Stripe's name of the payment method (``card``, ``sepa_debit``).
        names_order: whether the session names the order that the shop's program created; one that was paid
            through a payment link does not.
        lines: what is bought, where Stripe knows it: it sells what a payment link is for.
        email_known: whether the payment page knows whom it lost when nobody pays.
    """

    name: str
    customer: NewCustomer
    total: int
    shipping: int
    currency: str
    method: str = "card"
    names_order: bool = True
    lines: tuple[NewOrderItem, ...] = ()
    email_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Happening):
    """Stripe delivers an event.

    Args:
        event: the id of Stripe's event without its prefix; a second delivery has the same.
        created: when it happened at Stripe; earlier than ``at`` for one that came late.
        paid: whether the session is paid (a debit is not, yet).
        refunded: what has been given back so far, minor units.
        forged: signed with a secret that is not the shop's; the shop must refuse it.
    """

    event: str
    type: StripeType
    checkout: Checkout
    created: int
    paid: bool = True
    refunded: int = 0
    forged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfil(Happening):
    """The shop's own program tells a step that the print provider took."""

    step: FulfilmentStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Happening):
    """The shop's own program writes an event of its own; with a story it stands on that order."""

    event: NewEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOrder(Happening):
    """A member of staff resolves what is open on the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveSaid(Happening):
    """A member of staff resolves an event that the shop's own program wrote."""

    said: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAboutOrder(Happening):
    """The shop's front opens a ticket for the customer of the story's order."""

    email: str
    title: str
    text: str
    priority: Priority = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class SayInTicket(Happening):
    """Something is said in the story's ticket: by the customer, by the staff to them, or as a note among staff.

    A customer may put a ``photo`` beside it.
    """

    text: str
    by: Literal["customer", "staff", "note"]
    photo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleTicket(Happening):
    """The colleague takes the story's ticket on, or settles it."""

    assign: bool = False
    status: TicketStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Happening):
    """A customer publishes a post at the shop's front; the ``reader`` writes a ``reply`` under it, if any."""

    email: str
    title: str
    text: str
    reply: str = ""
    reader: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillCart(Happening):
    """A customer puts a product (its slug) into a cart and leaves it there."""

    email: str
    product: str


def mark(story: str) -> str:
    """Six signs that stand for a story in the e-mail address of a customer whose order no program created."""
    return hashlib.sha256(story.encode()).hexdigest()[:6]


InTicket = AskAboutOrder | SayInTicket | HandleTicket
Action = PlaceOrder | Webhook | Fulfil | Say | ResolveOrder | ResolveSaid | InTicket | Publish | FillCart
