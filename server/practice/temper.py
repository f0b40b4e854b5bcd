"""How the local providers and the mail server behave: decided by the seed and by whom or what it is about.

Nothing here depends on when something was asked for, or how often in between: the same order fares alike in each run.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Literal

from server.kit.clock import DAY, HOUR, MINUTE, SECOND
from server.practice.providers.answers import DROP_AFTER, HALF, Trouble, refused, too_many
from server.practice.tale import by_day

Verb = Literal["produce", "ship", "deliver", "come_back", "cancel"]
Heard = Literal["at_once", "late", "twice", "never", "forged"]

_MANNERS: Final = (
    ("plain", 83.0),
    ("once", 5.0),
    ("busy", 3.0),
    ("dropped", 4.0),
    ("half", 2.0),
    ("unavailable", 2.0),
    ("cancelled", 1.0),
)
"""How a provider takes an order, and how often; the opening has some more."""
_HEARD: Final = (("at_once", 84), ("late", 5), ("twice", 5), ("never", 3), ("forged", 3))
_MAILBOXES: Final = (("open", 90), ("greylisted", 4), ("drops", 3), ("full", 1), ("gone", 1), ("refused", 1))
_CARRIERS: Final = ("DHL", "DPD", "UPS", "PostNord", "Evri")
_DOWN: Final = refused("Service unavailable", 503)
TRIES: Final = 3
"""How often an order is tried by itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a provider does with an order, and when its webhooks about it arrive.

    Args:
        at: when it happens, milliseconds.
        verb: what.
        heard: when the shop is told; nothing when the webhook is lost.
        forged: whether somebody else claims it first.
        carrier: who carries the parcel.
        reason: the provider's words.
    """

    at: int
    verb: Verb
    heard: tuple[int, ...]
    forged: bool = False
    carrier: str | None = None
    reason: str | None = None


class Temper:
    """The behaviour of everybody whom the shop works with.

    Args:
        seed: of the practice shop's life.
        manners: how the orders of the opening are taken, by their numbers, and mailboxes, by their addresses; all
            others as their number or address has it.
    """

    def __init__(self, seed: int, manners: dict[str, str] | None = None) -> None:
        self._seed = seed
        self.manners = {} if manners is None else manners

    def dice(self, *about: str) -> random.Random:
        """Randomness about one thing: the same each time."""
        return random.Random(f"{self._seed} {' '.join(about)}")  # noqa: S311 - repeatable on purpose

    def manner(self, number: str) -> str:
        """How the provider takes the order of this number."""
        told = self.manners.get(number)
        return told or _pick(self.dice("taken", number), _MANNERS)

    def trouble(self, number: str, attempt: int) -> Trouble | None:
        """What happens to a submission; ``attempt`` counts those that reached the provider, from 1."""
        manner = self.manner(number)
        if manner == "unavailable":
            return _DOWN if attempt <= TRIES else None
        if attempt > 1:
            return None
        return {"once": _DOWN, "busy": too_many(20), "dropped": DROP_AFTER, "half": HALF}.get(manner)

    def course(self, number: str, taken_at: int) -> list[Step]:
        """What becomes of an order that its provider has since ``taken_at``, in time order."""
        dice, manner = self.dice("course", number), self.manner(number)
        if manner == "cancelled":
            at = _later(dice, taken_at, 15 * MINUTE, 25 * MINUTE)
            return [self._step(number, "cancel", at, reason="The artwork infringes a trade mark")]
        made, shipped = _made(dice, manner, taken_at), 0
        if manner == "ships_soon":
            shipped = taken_at + 4 * HOUR + 12 * MINUTE
        elif dice.random() < 0.25:
            shipped = _later(dice, made, 9 * MINUTE, 45 * MINUTE)
        else:
            shipped = by_day(_later(dice, made, 6 * HOUR, 40 * HOUR))
        delivered = by_day(_later(dice, shipped, 26 * HOUR, 6 * DAY))
        last: Verb = "come_back" if dice.random() < 0.01 else "deliver"
        reason = "Nobody at home, three times" if last == "come_back" else None
        return [
            self._step(number, "produce", made),
            self._step(number, "ship", shipped, carrier=dice.choice(_CARRIERS)),
            self._step(number, last, delivered, reason=reason),
        ]

    def mailbox(self, address: str) -> str:
        """What happens to mails to an address: one of the names in ``_MAILBOXES``."""
        return self.manners.get(address) or _pick(self.dice("mail", address), _MAILBOXES)

    def returns_after(self, address: str) -> int:
        """Milliseconds after which a mail comes back."""
        return self.dice("returns", address).randint(40 * SECOND, 12 * MINUTE)

    def leaves_after(self, address: str) -> int | None:
        """Milliseconds after which the reader of a reminder wants no more of them; None for who does not mind."""
        dice = self.dice("leaves", address)
        return dice.randint(2 * MINUTE, 40 * MINUTE) if dice.random() < 0.2 else None

    def _step(
        self, number: str, verb: Verb, at: int, *, carrier: str | None = None, reason: str | None = None
    ) -> Step:
        dice = self.dice("heard", number, verb)
        way, soon = _pick(dice, _HEARD), at + dice.randint(1, 6) * SECOND
        heard: tuple[int, ...] = (soon,)
        forged = False
        if verb == "cancel" or number in self.manners:
            pass  # what the opening counts on is heard
        elif way == "late":
            heard = (_later(dice, at, HOUR, 5 * HOUR),)
        elif way == "twice":
            heard = (soon, _later(dice, soon, 20 * SECOND, 40 * MINUTE))
        elif way == "never":
            heard = ()
        elif way == "forged":
            forged = True
        return Step(at, verb, heard, forged, carrier, reason)


def _made(dice: random.Random, manner: str, taken_at: int) -> int:
    if manner == "overdue":
        return taken_at + 4 * HOUR + 31 * MINUTE
    if manner == "ships_soon":
        return taken_at + 50 * MINUTE
    kind = dice.random()
    if kind < 0.35:
        return _later(dice, taken_at, 90 * SECOND, 12 * MINUTE)
    if kind < 0.96:
        return _later(dice, taken_at, 20 * MINUTE, 3 * HOUR + 40 * MINUTE)
    return _later(dice, taken_at, 4 * HOUR + 10 * MINUTE, 7 * HOUR)  # longer than the shop waits for


def _later(dice: random.Random, at: int, least: int, most: int) -> int:
    return (at + dice.randint(least, most)) // SECOND * SECOND


def _pick(dice: random.Random, choices: tuple[tuple[str, float], ...]) -> str:
    return dice.choices([name for name, _ in choices], [often for _, often in choices])[0]
