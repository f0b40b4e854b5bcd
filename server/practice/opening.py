"""What is unsettled when the practice shop opens: the problems that greet the reader.

All of it is real work of shopbell's: the orders were submitted to the local providers, refused there, and mails about
them came back, in the hours before the opening.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from server.kit.clock import HOUR, MINUTE, SECOND
from server.practice import stories
from server.practice.actions import Action, FillCart
from server.practice.cast import PRODUCTS
from server.practice.life import Life, in_order
from server.practice.questions import QUESTIONS, ask
from server.practice.tale import Tale

BEGINS: Final = 4 * HOUR + 40 * MINUTE
"""So long before the opening the first of it happens."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A variant that its provider has run out of, between two moments."""

    slug: str
    variant: str
    begin: int
    end: int


def scarce(opened_at: int) -> Spell:
    """What an order of the opening waits for: it is there again a quarter of an hour after."""
    return Spell("heron-socks", "M", opened_at - 2 * HOUR, opened_at + 16 * MINUTE)


def opening(life: Life) -> list[Action]:
    """The orders of the opening, in time order: two that failed, two that failed once, one late, one called off, one
    cart left.

    What is told of them goes on after the opening.
    """
    now = life.opened_at // SECOND * SECOND
    actions: list[Action] = []

    def tale(name: str, ago: int, slug: str, manner: str, variant: int = 0) -> Tale:
        name = f"opening-{name}"
        told = life.customer(life.dice(name), name, now - ago, ours=True)
        product = next(product for product in PRODUCTS if product.slug == slug)
        told.buy(product, product.variants[variant])
        told.manner = manner
        return told

    def bought(told: Tale, question: int | None = None, ago: int = 0) -> None:
        """``question`` was asked so long ``ago`` and waits for an answer still."""
        stories.plain(told)
        if question is not None:
            ask(told, QUESTIONS[question], now - ago)
        actions.extend(told.told())

    missing = scarce(now)
    middle = next(p for p in PRODUCTS if p.slug == missing.slug).variants.index(missing.variant)
    bought(tale("1", 4 * HOUR + 30 * MINUTE, "slow-morning-hoodie", "overdue"))
    bought(tale("2", 4 * HOUR + 10 * MINUTE, "second-cup-mug", "ships_soon"), 2, 3 * HOUR)
    bought(tale("3", 95 * MINUTE, missing.slug, "plain", middle))
    bought(tale("4", 58 * MINUTE, "second-cup-mug", "once"))
    bought(tale("5", 31 * MINUTE, "fern-socks", "plain"), 3, 22 * MINUTE)
    bought(tale("6", 140 * MINUTE, "fern-socks", "cancelled"))
    bought(tale("7", 68 * MINUTE, "heavy-cotton-tee", "unavailable"), 4, 12 * MINUTE)
    bought(tale("8", 36 * MINUTE, "heron-tee", "once"))
    bought(tale("9", 50 * MINUTE, "corduroy-cap", "mail_returns"))
    left = tale("10", 84 * MINUTE, "box-of-seven-sundays", "plain")
    stories.abandoned(left)
    actions += left.told()
    for name, ago in (("carts-1", 25 * MINUTE), ("carts-2", 6 * MINUTE)):
        told = life.customer(life.dice(f"opening-{name}"), name, now - ago)
        email = told.order.customer.email
        actions.append(FillCart(at=now - ago, key=f"opening-{name}", email=email, product="market-tote"))
    waiting = tale("11", 9 * MINUTE, "boiled-wool-socks", "plain")
    waiting.place(waiting.begin)
    actions += waiting.told()
    return in_order(actions)
