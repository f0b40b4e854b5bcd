"""What the local providers can make, and what they have run out of: at any moment the same, whoever asks.

Now and then an hour has a spell in which a variant is out of stock, and more rarely one in which a whole product is
gone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final

from server.kit.clock import HOUR, MINUTE
from server.practice.cast import PRODUCTS, Product
from server.practice.opening import Spell, scarce
from server.practice.providers.printful import PrintfulServer
from server.practice.providers.printify import PrintifyServer

Server = PrintifyServer | PrintfulServer
_OUT: Final = 0.12
_GONE: Final = 0.03
"""How likely an hour has a spell: a few in a day, so that one of a day's orders meets one at most."""
_LONGEST: Final = 2
"""Hours that a spell may reach into."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What cannot be had: variants as (slug, variant), and whole products."""

    variants: frozenset[tuple[str, str]]
    products: frozenset[str]


class Calendar:
    """What is missing when.

    Args:
        seed: of the practice shop's life.
        opened_at: the opening has a spell of its own.
    """

    def __init__(self, seed: int, opened_at: int) -> None:
        self._seed = seed
        self._first = scarce(opened_at)

    def missing(self, at: int) -> Missing:
        """What cannot be had at a moment."""
        found = [spell for spell in self._around(at) if spell.begin <= at < spell.end]
        return Missing(
            frozenset((spell.slug, spell.variant) for spell in found if spell.variant),
            frozenset(spell.slug for spell in found if not spell.variant),
        )

    def next_change(self, after: int) -> int:
        """When that changes next."""
        hour = after
        while True:
            moments = [at for spell in self._around(hour) for at in (spell.begin, spell.end) if at > after]
            if moments:
                return min(moments)
            hour += HOUR

    def all_back_at(self, at: int) -> int:
        """When all that is missing at ``at`` can be had again; ``at`` when nothing is."""
        return max((spell.end for spell in self._around(at) if spell.begin <= at < spell.end), default=at)

    def _around(self, at: int) -> list[Spell]:
        spells = [self._first]
        for hour in range(at // HOUR - _LONGEST, at // HOUR + 2):
            spells += self._of_hour(hour)
        return spells

    def _of_hour(self, hour: int) -> list[Spell]:
        begin = hour * HOUR
        if begin < self._first.end:
            return []
        dice = random.Random(f"{self._seed} shelf {hour}")  # noqa: S311 - repeatable on purpose
        spells = []
        if dice.random() < _OUT:
            product = dice.choice(PRODUCTS)
            at = begin + dice.randint(0, 59) * MINUTE
            end = at + dice.randint(8, 25) * MINUTE
            spells.append(Spell(product.slug, dice.choice(product.variants), at, end))
        if dice.random() < _GONE:
            at = begin + dice.randint(0, 59) * MINUTE
            spells.append(Spell(dice.choice(PRODUCTS).slug, "", at, at + dice.randint(20, 50) * MINUTE))
        return spells


class Shelves:
    """The catalogues of the two providers, kept as the calendar has them."""

    def __init__(self, servers: dict[str, Server]) -> None:
        self._servers = servers
        self._ids: dict[str, str] = {}
        self._whole: dict[str, Any] = {}
        self._missing = Missing(frozenset(), frozenset())
        for product in PRODUCTS:
            self._ids[product.slug] = _put(servers[product.provider], product)

    def become(self, missing: Missing) -> list[Product]:
        """Let this be missing from now on; the products that changed by it."""
        before, self._missing = self._missing, missing
        turned = before.products ^ missing.products
        turned |= {slug for slug, _ in before.variants ^ missing.variants}
        changed = [product for product in PRODUCTS if product.slug in turned]
        for product in changed:
            self._set(product)
        return changed

    def is_gone(self, product: Product) -> bool:
        """Whether a product is not there at all."""
        return product.slug in self._missing.products

    def id_of(self, product: Product) -> str:
        """The provider's id of a product."""
        return self._ids[product.slug]

    def _set(self, product: Product) -> None:
        server, name = self._servers[product.provider], self._ids[product.slug]
        with server.lock:
            whole = self._whole.setdefault(name, server.catalogue.get(name) or {})
            if self.is_gone(product):
                server.catalogue.pop(name, None)
                return
            server.catalogue[name] = whole
            for nth, variant in enumerate(product.variants):
                there = (product.slug, variant) not in self._missing.variants
                if isinstance(server, PrintifyServer):
                    whole["variants"][nth]["is_available"] = there
                else:
                    status = "active" if there else "out_of_stock"
                    whole["sync_variants"][nth]["availability_status"] = status


def _put(server: Server, product: Product) -> str:
    if isinstance(server, PrintifyServer):
        name = server.add_product(product.name, dict.fromkeys(product.variants, product.price * 130 // 100))
        variants = server.catalogue[name]["variants"]
    else:
        price = f"{product.price // 100}.{product.price % 100:02d}"
        name = server.add_product(product.name, dict.fromkeys(product.variants, price))
        variants = server.catalogue[name]["sync_variants"]
    for made, variant in zip(variants, product.variants, strict=True):
        made["sku"] = product.sku(variant)
    return name
