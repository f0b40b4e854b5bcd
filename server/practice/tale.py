"""One order's story in the telling: what is ordered, by whom, and the parts that many stories share.

Nothing here reads a clock or any randomness but the tale's own dice.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

from server.contract.activity import Level, NewEvent
from server.contract.base import Money
from server.contract.orders import FulfilmentStep, NewCustomer, NewOrder, NewOrderItem
from server.kit.clock import DAY, HOUR, MINUTE, SECOND, rfc3339
from server.practice.actions import (
    Action,
    Checkout,
    Fulfil,
    PlaceOrder,
    ResolveOrder,
    Say,
    StripeType,
    Webhook,
)
from server.practice.cast import FAILURES, PRODUCTS, REVIEWS, Country, Product

ATTEMPTS: Final = 3
"""How often the shop's program tries to submit an order."""
LONGEST: Final = 30 * DAY
"""No story goes on for longer than this."""

_REASONS: Final = ([text for text, _ in FAILURES], [often for _, often in FAILURES])
_SHIPPING: Final = {"GB": 400, "US": 1200, "JP": 1400, "AE": 1400}
_OUTSIDE_PRICES: Final = {"GBP": 100, "EUR": 120, "USD": 130}
Status = Literal["submitted", "processing", "shipped", "delivered", "failed", "cancelled"]


class Tale:
    """An order's story in the telling.

    Args:
        name: the story's name; every key in it begins with it.
        begin: when the order is placed.
        customer: who buys.
        country: where they live.
        dice: this story's own randomness.
        settle: gives for a problem's moment the moment by which somebody of the staff has dealt with it.
        reason: what the provider says if it refuses; by chance when left out.
        ours: whether shopbell itself sees to the order once it is paid. Then nothing is told of what shopbell and
            the provider do: they do it. Else the shop's own program does, as it did before the opening.
    """

    def __init__(
        self,
        name: str,
        begin: int,
        customer: NewCustomer,
        country: Country,
        dice: random.Random,
        settle: Callable[[int], int],
        reason: str | None = None,
        *,
        ours: bool = False,
    ) -> None:
        self.name = name
        self.ours = ours
        self.manner: str | None = None
        self.begin = begin
        self.country = country
        self.dice = dice
        self.settle = settle
        self.reason: str = reason or dice.choices(*_REASONS)[0]
        self.actions: list[Action] = []
        self._count = 0
        self.order, self.provider = _cart(dice, customer, country)
        self.provider_order_id = _provider_order_id(dice, self.provider)
        self.carrier = dice.choice(country.carriers)
        self.tracking = f"{self.carrier[:2].upper()}{dice.randint(10**9, 10**10 - 1)}{country.code}"
        self.checkout = checkout_of(name, self.order)

    def buy(self, product: Product, variant: str) -> None:
        """Let the customer have chosen one of this and nothing else."""
        self.provider = product.provider
        self.order = order_of(self.order.customer, self.country, [item(product, variant, 1, self.country)])
        self.checkout = checkout_of(self.name, self.order)

    def key(self) -> str:
        """A new key of this story."""
        self._count += 1
        return f"{self.name}.{self._count}"

    def later(self, at: int, least: int, most: int) -> int:
        """A moment between ``least`` and ``most`` milliseconds after ``at``, on a whole second."""
        return (at + self.dice.randint(least, most)) // SECOND * SECOND

    def place(self, at: int) -> int:
        """The shop's program creates the order; gives a moment at which the customer has paid."""
        order = self.order.model_copy(update={"handled_by": "shopbell" if self.ours else "program"})
        placed = PlaceOrder(at=at, key=self.key(), story=self.name, order=order, manner=self.manner)
        self.actions.append(placed)
        return self.later(at, 45 * SECOND, 6 * MINUTE)

    def stripe(
        self,
        kind: StripeType,
        created: int,
        *,
        heard: int | None = None,
        paid: bool = True,
        refunded: int = 0,
        forged: bool = False,
    ) -> Webhook:
        """Stripe tells of something that happened at ``created``; the shop hears of it a moment later."""
        key = self.key()
        webhook = Webhook(
            at=self.later(created, SECOND, 4 * SECOND) if heard is None else heard,
            key=key,
            story=self.name,
            event=key,
            type=kind,
            checkout=self.checkout,
            created=created,
            paid=paid,
            refunded=refunded,
            forged=forged,
        )
        self.actions.append(webhook)
        return webhook

    def again(self, webhook: Webhook, at: int) -> None:
        """Stripe delivers the same event once more."""
        self.actions.append(replace(webhook, at=at, key=self.key()))

    def step(
        self, status: Status, at: int, *, reason: str | None = None, attempt: int | None = None, late: int = 0
    ) -> None:
        """The shop's program tells a step; ``late`` is how long ago it was."""
        shipped = status == "shipped"
        told = FulfilmentStep(
            status=status,
            provider=self.provider,
            provider_order_id=None if status in ("failed", "cancelled") else self.provider_order_id,
            carrier=self.carrier if shipped else None,
            tracking_number=self.tracking if shipped else None,
            tracking_url=f"https://track.example/{self.tracking}" if shipped else None,
            reason=reason,
            attempt=attempt,
            max_attempts=attempt and ATTEMPTS,
            occurred_at=rfc3339(at - late) if late else None,
        )
        self.actions.append(Fulfil(at=at, key=self.key(), story=self.name, step=told))

    def say(self, kind: str, at: int, message: str, category: str, level: Level = "info") -> None:
        """The shop's program writes an event of its own about this order."""
        key = self.key()
        event = NewEvent(type=kind, level=level, message=message, category=category, dedupe_key=key)
        self.actions.append(Say(at=at, key=key, story=self.name, event=event))

    def resolve(self, at: int) -> None:
        """Somebody of the staff resolves what is open on the order."""
        self.actions.append(ResolveOrder(at=at, key=self.key(), story=self.name))

    def told(self) -> list[Action]:
        """The whole story in time order, its last action marked as such."""
        actions = sorted(self.actions, key=lambda action: action.at)
        actions[-1] = replace(actions[-1], ends=True)
        return actions

    # -- parts that several fates share ----------------------------------------------------------------

    def confirm(self, at: int) -> None:
        """The shop's mailer has sent the confirmation."""
        sent = self.later(at, 4 * SECOND, 40 * SECOND)
        if self.ours:
            return
        email = self.order.customer.email
        self.say("custom.email.confirmation_sent", sent, f"Order confirmation sent to {email}", "emails")

    def submit(self, at: int) -> int:
        """The provider takes the order; gives the moment."""
        taken = self.later(at, 40 * SECOND, 3 * MINUTE)
        if not self.ours:
            self.step("submitted", taken)
        return taken

    def make_and_send(self, at: int) -> int:
        """The provider, which has the order since ``at``, makes the goods and sends them; gives the end."""
        made = self.later(at, 20 * MINUTE, 4 * HOUR)
        shipped = by_day(self.later(made, 6 * HOUR, 40 * HOUR))
        mailed = self.later(shipped, 5 * SECOND, 50 * SECOND)
        delivered = by_day(self.later(shipped, 26 * HOUR, 6 * DAY))
        late = self.later(0, HOUR, 7 * HOUR) if self.dice.random() < 0.04 else 0
        if not self.ours:
            email = self.order.customer.email
            self.step("processing", made)
            self.step("shipped", shipped)
            self.say("custom.email.shipping_sent", mailed, f"Shipping notification sent to {email}", "emails")
            self.step("delivered", delivered, late=late)
        if self.dice.random() < 0.09:
            written = self.later(delivered, 3 * HOUR, 4 * DAY)
            self.say("custom.review.received", written, self.dice.choice(REVIEWS), "custom")
        return delivered

    def pay(self, at: int) -> int:
        """The customer pays by card and hears of it; gives the moment at which the shop knows."""
        heard = self.stripe("checkout.session.completed", at).at
        self.confirm(heard)
        return heard


def by_day(at: int) -> int:
    """Nobody carries parcels between eight in the evening and seven in the morning."""
    hour = at % DAY
    if hour < 7 * HOUR:
        return at + 6 * HOUR
    return at + 11 * HOUR if hour > 20 * HOUR else at


def _cart(dice: random.Random, customer: NewCustomer, country: Country) -> tuple[NewOrder, str]:
    """What is ordered, and who will print it."""
    first = dice.choice(PRODUCTS)
    chosen = [first]
    if dice.random() < 0.35:
        chosen.append(dice.choice([other for other in PRODUCTS if other.provider == first.provider]))
    items = []
    for product in chosen:
        variant = dice.choice(product.variants)
        items.append(item(product, variant, dice.choices((1, 2, 3, 5), (70, 20, 7, 3))[0], country))
    return order_of(customer, country, items), first.provider


def item(product: Product, variant: str, quantity: int, country: Country) -> NewOrderItem:
    """A line of an order, in the currency of the customer's country."""
    return NewOrderItem(
        name=f"{product.name}, {variant}",
        quantity=quantity,
        unit_price=product.price * _OUTSIDE_PRICES[country.currency] // 100,
        product_id=product.slug,
        variant_id=product.sku(variant),
    )


def order_of(customer: NewCustomer, country: Country, items: list[NewOrderItem]) -> NewOrder:
    """An order of these lines, with what it costs to send it there."""
    shipping = _SHIPPING.get(country.code, 700) * _OUTSIDE_PRICES[country.currency] // 100
    return NewOrder(customer=customer, items=items, currency=country.currency, shipping=shipping)


def checkout_of(name: str, order: NewOrder) -> Checkout:
    """The payment of an order."""
    shipping = minor(order.shipping)
    goods = sum(minor(item.unit_price) * item.quantity for item in order.items)
    return Checkout(name, order.customer, goods + shipping, shipping, order.currency)


def minor(amount: int | Money | None) -> int:
    """An amount of minor units, however it was given."""
    return amount.amount if isinstance(amount, Money) else amount or 0


def _provider_order_id(dice: random.Random, provider: str) -> str:
    return (
        f"PFY-{dice.randint(10_000, 99_999)}"
        if provider == "Printify"
        else f"PFL-{dice.randint(10**7, 10**8)}"
    )
