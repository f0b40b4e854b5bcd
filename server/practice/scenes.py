"""Small stories told to the letter, for pictures and for tests of the screens."""

from __future__ import annotations

from typing import Final, Literal

from server.contract.activity import Level, NewEvent
from server.contract.orders import Address, FulfilmentStep, NewCustomer, NewOrder, NewOrderItem
from server.contract.tickets import Priority, TicketStatus
from server.kit.clock import DAY, HOUR, MINUTE, SECOND
from server.practice.actions import (
    Action,
    AskAboutOrder,
    Checkout,
    Fulfil,
    HandleTicket,
    PlaceOrder,
    Publish,
    Say,
    SayInTicket,
    Webhook,
)
from server.practice.cast import COUNTRIES, PRODUCTS
from server.practice.life import in_order
from server.practice.tale import Status, minor


class Scene:
    """Collects the actions of a scene.

    Args:
        now: the moment at which the scene is looked at; every action says how long before.
    """

    def __init__(self, now: int) -> None:
        self.now = now
        self.actions: list[Action] = []
        self._orders: dict[str, NewOrder] = {}

    def _key(self) -> str:
        return f"scene.{len(self.actions) + 1}"

    def order(
        self, story: str, ago: int, customer: NewCustomer, *items: NewOrderItem, shipping: int = 0
    ) -> None:
        """An order is placed; not paid yet."""
        order = NewOrder(customer=customer, items=list(items), currency="GBP", shipping=shipping)
        self._orders[story] = order
        self.actions.append(PlaceOrder(at=self.now - ago, key=self._key(), story=story, order=order))

    def paid(self, story: str, ago: int, *, heard: int | None = None) -> None:
        """It was paid by card so long ago; the shop ``heard`` of it then, or at once."""
        self._stripe(story, "checkout.session.completed", ago, ago if heard is None else heard)

    def refunded(self, story: str, ago: int, amount: int) -> None:
        """So much (minor units) has been given back in all."""
        self._stripe(story, "charge.refunded", ago, ago, amount)

    def step(self, story: str, ago: int, status: Status, **told: object) -> None:
        """The shop's program tells a step; ``told`` are more fields of it."""
        step = FulfilmentStep.model_validate({"status": status, "provider": "Printify", **told})
        self.actions.append(Fulfil(at=self.now - ago, key=self._key(), story=story, step=step))

    def says(
        self, story: str, ago: int, kind: str, message: str, category: str, level: Level = "info"
    ) -> None:
        """The shop's program writes an event of its own, about an order or with an empty story about none."""
        key = self._key()
        event = NewEvent(
            type=f"custom.{kind}", level=level, message=message, category=category, dedupe_key=key
        )
        self.actions.append(Say(at=self.now - ago, key=key, story=story, event=event))

    def confirmed(self, story: str, ago: int) -> None:
        """The confirmation has been sent."""
        email = self._orders[story].customer.email
        self.says(story, ago, "email.confirmation_sent", f"Order confirmation sent to {email}", "emails")

    def asks(self, story: str, ago: int, title: str, text: str, priority: Priority = "normal") -> None:
        """The order's customer asks about it."""
        self.actions.append(
            AskAboutOrder(
                at=self.now - ago,
                key=self._key(),
                story=story,
                email=self._orders[story].customer.email,
                title=title,
                text=text,
                priority=priority,
            )
        )

    def in_ticket(self, story: str, ago: int, by: Literal["customer", "staff", "note"], text: str) -> None:
        """Something is said in the ticket about the order."""
        self.actions.append(SayInTicket(at=self.now - ago, key=self._key(), story=story, text=text, by=by))

    def handled(
        self, story: str, ago: int, *, assign: bool = False, status: TicketStatus | None = None
    ) -> None:
        """The colleague takes the ticket about the order on, or settles it."""
        self.actions.append(
            HandleTicket(at=self.now - ago, key=self._key(), story=story, assign=assign, status=status)
        )

    def publishes(self, story: str, ago: int, title: str, text: str) -> None:
        """The order's customer writes a post."""
        email = self._orders[story].customer.email
        self.actions.append(
            Publish(at=self.now - ago, key=self._key(), story=story, email=email, title=title, text=text)
        )

    def told(self) -> list[Action]:
        """All of it, in time order."""
        return in_order(self.actions)

    def _stripe(self, story: str, kind: str, ago: int, heard: int, refunded: int = 0) -> None:
        order = self._orders[story]
        shipping = minor(order.shipping)
        goods = sum(minor(item.unit_price) * item.quantity for item in order.items)
        key = self._key()
        self.actions.append(
            Webhook(
                at=self.now - heard,
                key=key,
                story=story,
                event=key,
                type="charge.refunded" if kind == "charge.refunded" else "checkout.session.completed",
                checkout=Checkout(story, order.customer, goods + shipping, shipping, order.currency),
                created=self.now - ago,
                refunded=refunded,
            )
        )


def someone(
    email: str,
    name: str,
    city: str = "Bristol",
    postal_code: str = "BS1 4ZZ",
    street: str = "7 Harbour Row",
) -> NewCustomer:
    """A customer in Britain."""
    address = Address(name=name, line1=street, city=city, postal_code=postal_code, country="GB")
    return NewCustomer(email=email, name=name, address=address)


def item(name: str, price: int, quantity: int = 1) -> NewOrderItem:
    """A line of an order; the price in pence."""
    return NewOrderItem(name=name, quantity=quantity, unit_price=price)


def picture(now: int, earlier: int = 0) -> list[Action]:
    """The five orders of the documentation's picture, newest last, and what needs attention about them.

    Ines Duarte's is in production, Tom Avery's submission failed and was tried again, Mei Lin's is on its way, Sam
    Okoro's is delivered, Ola Berg's is cancelled. Three groups need attention.

    Args:
        now: when it is looked at, milliseconds; should be at least six hours into its day.
        earlier: so many other orders come before them on the same day. With 42 the five are numbered 0043 to
            0047 as in the picture: two of the others wait to be made, one is not paid, the rest is on its way or
            delivered.
    """
    return _morning(now, earlier).told()


def people(now: int, earlier: int = 0) -> list[Action]:
    """The same morning with its customers' questions: what the pictures of people and tickets show.

    Mei Lin asks where her parcel is, and is answered; Tom Avery asks when his tee leaves, and wrote a post; Sam Okoro's
    question is settled, and nobody has taken Ola Berg's yet.

    Args:
        now: as `picture`.
        earlier: as `picture`.
    """
    scene = _morning(now, earlier)
    scene.asks(
        "0044", 3 * HOUR + 5 * MINUTE, "Can the wool go into the machine?", "Or will it shrink?", "low"
    )
    scene.handled("0044", 2 * HOUR + 50 * MINUTE, assign=True)
    scene.in_ticket("0044", 2 * HOUR + 50 * MINUTE, "staff", "By hand and cold, please, and dry it flat.")
    scene.handled("0044", 2 * HOUR + 20 * MINUTE, status="resolved")
    scene.asks("0043", HOUR + 30 * MINUTE, "Has my money left you?", "I called the box off this morning.")
    scene.asks(
        "0045",
        50 * MINUTE,
        "Where is my parcel?",
        "It is a present for Friday. Will the hoodie be here?",
        "high",
    )
    scene.handled("0045", 44 * MINUTE, assign=True)
    scene.in_ticket("0045", 43 * MINUTE, "note", "Promised for Friday: watch this one.")
    scene.in_ticket(
        "0045", 42 * MINUTE, "staff", "It left us an hour ago, and DHL says tomorrow before noon."
    )
    scene.in_ticket("0045", 12 * MINUTE, "customer", "You saved my Friday. And the socks?")
    scene.publishes("0046", 5 * MINUTE, "A tee for every Sunday", "Heavy, black, and it keeps its shape.")
    scene.asks("0046", 4 * MINUTE, "When does my tee leave?", "I have had no mail about it yet.")
    return scene.told()


def _morning(now: int, earlier: int) -> Scene:
    scene = Scene(now)
    _earlier(scene, earlier)
    ola = someone("ola@example.com", "Ola Berg", street="3 Quay Lane")
    sam = someone("sam@example.com", "Sam Okoro", street="18 Mill Road")
    scene.order("0043", 5 * HOUR + 4 * MINUTE, ola, item("Box of Seven Sundays, M", 6400))
    scene.paid("0043", 5 * HOUR + 2 * MINUTE)
    scene.confirmed("0043", 5 * HOUR + MINUTE)
    scene.step("0043", 5 * HOUR, "cancelled", reason="called off by the customer")
    scene.order("0044", 3 * HOUR + 40 * MINUTE, sam, item("Boiled Wool Socks, M", 1900))
    scene.paid("0044", 3 * HOUR + 38 * MINUTE)
    scene.step("0044", 3 * HOUR + 30 * MINUTE, "submitted", provider_order_id="PFY-78114")
    scene.step("0044", 3 * HOUR + 10 * MINUTE, "shipped")
    scene.step("0044", 3 * HOUR, "delivered")
    scene.order(
        "0045",
        2 * HOUR,
        someone("mei@example.com", "Mei Lin", street="52 Park Terrace"),
        item("Slow Morning Hoodie, M Navy", 4900, 2),
        item("Heron Socks, M", 1050),
        shipping=400,
    )
    scene.paid("0045", HOUR + 58 * MINUTE)
    scene.confirmed("0045", HOUR + 57 * MINUTE)
    scene.step("0045", HOUR + 56 * MINUTE, "submitted", provider_order_id="PFY-78251")
    scene.step("0045", HOUR + 20 * MINUTE, "processing")
    parcel = {
        "carrier": "DHL",
        "tracking_number": "JD0146000",
        "tracking_url": "https://track.example/JD0146000",
    }
    scene.step("0045", HOUR, "shipped", **parcel)
    _tom(scene)
    scene.order(
        "0047",
        2 * MINUTE,
        someone("ines@example.com", "Ines Duarte", street="9 Orchard Street"),
        item("Heron Tee, M White", 2600),
        item("Second Cup Mug, white", 1300),
        shipping=400,
    )
    scene.paid("0047", 100 * SECOND)
    scene.confirmed("0047", 95 * SECOND)
    scene.step("0047", 80 * SECOND, "submitted", provider_order_id="PFY-78301")
    scene.step("0047", 30 * SECOND, "processing")
    scene.says("", 4 * HOUR, "stock.low", "Heron Socks, M: 2 left at Printful", "custom", "warning")
    return scene


def _tom(scene: Scene) -> None:
    """Refused, tried again and refused again: one problem, told twice."""
    tom = someone("tom@example.com", "Tom Avery")
    scene.order("0046", 8 * MINUTE, tom, item("Heavy Cotton Tee, M Black", 2400), shipping=400)
    scene.paid("0046", 7 * MINUTE + 30 * SECOND)
    scene.confirmed("0046", 7 * MINUTE)
    refused = {"reason": "variant out of stock", "max_attempts": 3}
    scene.step("0046", 6 * MINUTE + 30 * SECOND, "failed", attempt=1, **refused)
    scene.step("0046", MINUTE, "failed", attempt=2, **refused)


def _earlier(scene: Scene, count: int) -> None:
    """Orders of the night and the morning, spread evenly until Ola Berg's."""
    begin, end = scene.now % DAY - MINUTE, 5 * HOUR + 10 * MINUTE
    for number in range(1, count + 1):
        story = f"{number:04d}"
        ago = begin - number * (begin - end) // (count + 1)
        product = PRODUCTS[number * 5 % len(PRODUCTS)]
        bought = item(f"{product.name}, {product.variants[number % len(product.variants)]}", product.price)
        scene.order(story, ago, _passer_by(number), bought)
        if number == count:
            continue
        scene.paid(story, ago - 10 * SECOND)
        scene.step(story, ago - 20 * SECOND, "submitted", provider_order_id=f"PFY-7{number:04d}")
        if number < count - 2:
            scene.step(story, ago - 25 * SECOND, "shipped" if number > count - 12 else "delivered")


def _passer_by(number: int) -> NewCustomer:
    """A customer from somewhere, a different one for each of the first forty numbers."""
    country = COUNTRIES[number * 4 % len(COUNTRIES)]
    given, family = country.given[number % len(country.given)], country.family[number % len(country.family)]
    name = f"{family} {given}" if country.code == "JP" else f"{given} {family}"
    return someone(f"customer{number}@example.com", name, street=f"{number} Garden Close")


SCENES: Final = {"picture": picture, "people": people}
"""Scenes by name."""
