"""What happens at the practice shop, decided by a seed and the moment at which the shop was opened.

The same seed and moment give the same life, to the second and the letter. A day's life can be told without the days
before it, so history may be filled in from its end. Days are UTC.

While somebody watches, a rush of orders comes on top of the everyday ones, so that there is something to see.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from server.contract.activity import Level, NewEvent
from server.kit.clock import DAY, HOUR, MINUTE, SECOND, instant
from server.practice import stories
from server.practice.actions import Action, FillCart, PlaceOrder, Publish, ResolveSaid, Say
from server.practice.cast import PRODUCTS, Country, customer
from server.practice.front import POSTS
from server.practice.questions import SHARE, converse
from server.practice.stories import FATES, Fate
from server.practice.tale import LONGEST, Tale

CUSTOMERS: Final = 420
_A_WEEK: Final = (10, 10, 11, 10, 11, 10, 13)  # orders on an average Monday, Tuesday, …: Sunday Socks
_HOURS: Final = (3, 2, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 7, 6, 5, 5, 6, 7, 9, 11, 12, 10, 7, 4)
_HOURS_AWAY: Final = {"US": 6, "JP": -9, "AE": -4, "DE": -1, "FR": -1, "SE": -1, "PL": -1}
_FATES: Final = ([fate for fate, _ in FATES], [often for _, often in FATES])
_MADE: Final = Counter(product.provider for product in PRODUCTS)
_OUTAGES: Final = ("rate limit reached, try again later (429)", "variant out of stock")


def day_of(at: int) -> int:
    """The number of the day (since 1970) on which a moment lies."""
    return at // DAY


class Life:
    """The whole life of a practice shop.

    Args:
        seed: another seed, another life.
        opened_at: milliseconds; what lies before is history, in which nearly every problem has been dealt with.
    """

    def __init__(self, seed: int, opened_at: int) -> None:
        self.seed = seed
        self.opened_at = opened_at

    def day(self, number: int) -> list[Action]:
        """All stories that begin on a day, whole, merged in time order; they may reach into later days."""
        day = f"{instant(number * DAY):%y%m%d}"
        dice = self.dice(day)
        actions: list[Action] = []
        outage = self._outage(number, dice)
        for count in range(self._orders_on(number, dice)):
            name = f"{day}-{count + 1:02d}"
            actions += self._order(name, number, self.dice(name), outage)
        actions += self._house(number, day, dice)
        actions += self._front(number, day)
        return in_order(actions)

    def history(self, number: int) -> list[Action]:
        """The part of a day's stories that has happened by the opening."""
        return [action for action in self.day(number) if action.at <= self.opened_at]

    def after(self, moment: int, first_day: int = 0) -> Iterator[Action]:
        """Everything after a moment of the stories that begin on ``first_day`` or later, in time order, endless."""
        waiting = _Waiting()
        number = max(first_day, day_of(moment - LONGEST))
        while True:
            waiting.put(action for action in self.day(number) if action.at > moment)
            number += 1
            yield from waiting.before(number * DAY)

    def rush(self, begin: int, end: int | None = None) -> Iterator[Action]:
        """The orders that come on top between two moments, in time order; without an end they never stop.

        What becomes of them may reach far beyond ``end``.
        """
        waiting = _Waiting()
        dice = self.dice(f"rush {begin}")
        at, count = begin + 2 * SECOND, 0
        while end is None or at < end:
            count += 1
            name = f"rush-{begin // SECOND}-{count:04d}"
            tale = self.customer(self.dice(name), name, at, ours=True)
            tale.dice.choices(*_FATES)[0](tale)
            self._ask(tale, soon=True)
            waiting.put(tale.told())
            at += dice.randint(25 * SECOND, 95 * SECOND)
            yield from waiting.before(at)
        yield from waiting.before(at + LONGEST)

    def settle(self, problem: int) -> int:
        """When a problem has been dealt with: after the opening somebody stands at the counter.

        Before it not at night, and in time for the opening.
        """
        dice = self.dice(f"settled {problem}")
        if problem > self.opened_at:
            return problem + dice.randint(6 * MINUTE, 45 * MINUTE) // SECOND * SECOND
        settled = problem + dice.randint(25 * MINUTE, 9 * HOUR)
        if settled % DAY < 8 * HOUR:
            settled += 8 * HOUR
        if self.opened_at < settled:
            settled = problem + (self.opened_at - problem) * dice.randint(40, 80) // 100
        return settled // SECOND * SECOND

    def customer(
        self, dice: random.Random, name: str, begin: int, reason: str | None = None, *, ours: bool = False
    ) -> Tale:
        """A tale of a customer picked by ``dice``; a few of them come again and again."""
        number = int(CUSTOMERS * dice.random() ** 2)
        who, country = customer(self.dice(f"customer {number}"), number)
        return Tale(name, begin, who, country, dice, self.settle, reason, ours=ours)

    def dice(self, purpose: str) -> random.Random:
        """Randomness for one purpose: the same each time."""
        return random.Random(f"{self.seed} {purpose}")  # noqa: S311 - repeatable on purpose, guards nothing

    @staticmethod
    def _orders_on(number: int, dice: random.Random) -> int:
        weekday = (number + 3) % 7  # day 0 was a Thursday
        return _A_WEEK[weekday] + dice.randint(-2, 2)

    @staticmethod
    def _outage(number: int, dice: random.Random) -> tuple[int, int, str] | None:
        """On one day in five a provider is in trouble for some hours: begin, end, and what it says."""
        begin = number * DAY + dice.randint(8 * HOUR, 18 * HOUR)
        outage = (begin, begin + dice.randint(2 * HOUR, 5 * HOUR), dice.choice(_OUTAGES))
        return outage if dice.random() < 0.2 else None

    def _order(
        self, name: str, number: int, dice: random.Random, outage: tuple[int, int, str] | None
    ) -> list[Action]:
        tale = self.customer(dice, name, 0)
        tale.begin = _moment(number, dice, tale.country)
        tale.ours = tale.begin > self.opened_at
        fate: Fate = dice.choices(*_FATES)[0]
        if outage and outage[0] <= tale.begin <= outage[1] and dice.random() < 0.7:
            fate = dice.choice((stories.retried, stories.mended))
            tale.reason = outage[2]
        fate(tale)
        self._ask(tale)
        return tale.told()

    def _ask(self, tale: Tale, *, soon: bool = False) -> None:
        """Some customers ask about their order; those that never came to one do not."""
        dice = self.dice(f"{tale.name} asks")
        ordered = any(isinstance(action, PlaceOrder) for action in tale.actions)
        if ordered and dice.random() < (2 * SHARE if soon else SHARE):
            converse(tale, dice, soon=soon)

    def _house(self, number: int, day: str, dice: random.Random) -> list[Action]:
        """What the shop's own programs do all by themselves; from the opening on shopbell syncs the products."""
        actions: list[Action] = []
        for provider, hour in (("Printify", 4), ("Printful", 5)):
            at = number * DAY + hour * HOUR + dice.randint(0, 20) * MINUTE
            name = f"{day}-sync-{provider.lower()}"
            failed, updated = dice.random() < 0.04, dice.choice((0, 0, 0, 0, 1, 1, 2, 3))
            if at > self.opened_at:
                continue
            if failed:
                told = f"Product sync failed ({provider}): 503 Service Unavailable"
                said = say(told, at, name, "sync.failed")
                actions += [said, ResolveSaid(at=self.settle(at), key=f"{name}.2", said=said)]
            else:
                text = f"Product sync complete ({provider}) — {_MADE[provider]} products, {updated} updated"
                actions.append(say(text, at, name, "sync.completed"))
        if dice.random() < 0.25:
            at = number * DAY + dice.randint(7 * HOUR, 21 * HOUR) // MINUTE * MINUTE
            product = dice.choice(PRODUCTS)
            text = f"{product.name}, {dice.choice(product.variants)}: {dice.randint(1, 6)} left at {product.provider}"
            said = say(text, at, f"{day}-stock", "stock.low")
            actions += [said, ResolveSaid(at=self.settle(at), key=f"{day}-stock.2", said=said)]
        return actions

    def _front(self, number: int, day: str) -> list[Action]:
        """What customers write at the shop's front; from the opening on, when there are products, carts are left."""
        dice = self.dice(f"{day} front")
        actions: list[Action] = []

        def email() -> str:
            who = int(CUSTOMERS * dice.random() ** 2)
            return customer(self.dice(f"customer {who}"), who)[0].email

        at = number * DAY + dice.randint(9 * HOUR, 22 * HOUR) // MINUTE * MINUTE
        if dice.random() < 0.18:
            title, text, reply = dice.choice(POSTS)
            post = Publish(
                at=at, key=f"{day}-post", email=email(), title=title, text=text, reply=reply, reader=email()
            )
            actions.append(post)
        for count in range(dice.randint(1, 3)):
            at = number * DAY + dice.randint(8 * HOUR, 23 * HOUR) // MINUTE * MINUTE
            left = FillCart(
                at=at, key=f"{day}-cart-{count}", email=email(), product=dice.choice(PRODUCTS).slug
            )
            if at > self.opened_at:
                actions.append(left)
        return actions


class _Waiting:
    """Actions that wait for their time; those of one moment keep the order in which they came."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Action]] = []
        self._count = 0

    def put(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self._count += 1
            heapq.heappush(self._heap, (action.at, self._count, action))

    def before(self, moment: int) -> Iterator[Action]:
        while self._heap and self._heap[0][0] < moment:
            yield heapq.heappop(self._heap)[2]


def in_order(actions: list[Action]) -> list[Action]:
    """Sorted by time; what happens at the same moment keeps its place."""
    return sorted(actions, key=lambda action: action.at)


_LEVELS: Final[dict[str, Level]] = {"sync.failed": "error", "stock.low": "warning"}


def say(text: str, at: int, key: str, kind: str) -> Say:
    """Something that the shop's own program writes and that concerns no order."""
    category = "syncs" if kind.startswith("sync") else "custom"
    event = NewEvent(
        type=f"custom.{kind}",
        level=_LEVELS.get(kind, "info"),
        message=text,
        category=category,
        dedupe_key=key,
    )
    return Say(at=at, key=key, event=event)


def _moment(number: int, dice: random.Random, country: Country) -> int:
    """A moment of a day at which somebody in this country likes to shop."""
    hour = dice.choices(range(24), _HOURS)[0] + _HOURS_AWAY.get(country.code, 0)
    within = (hour % 24) * HOUR + dice.randint(0, HOUR // SECOND - 1) * SECOND
    return number * DAY + within
