"""A shop that is connected to the outside: a provider's server, a mail server, and a worker that runs what is due."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select

from server.catalog.models import product, variant
from server.fulfilment import registry, sync
from server.jobs.runner import Runner
from server.kit.clock import SECOND, instant
from server.kit.crypto import Key, KeyRing, SecretBox
from server.kit.tx import Tx
from server.practice.mail_server import HOST, MailServer
from server.practice.providers.answers import refused
from server.practice.providers.printify import PrintifyServer
from tests.flows.world import NOW, Desk, World
from tests.server.fulfilment.houses import open_server
from tests.server.fulfilment.works import put_settings, settings_of
from tui.api.clock import FrozenClock
from tui.screens.orders import OrdersSection

HOME = {
    "name": "Tom Avery",
    "line1": "1 Sock Lane",
    "city": "London",
    "postal_code": "E1 6AN",
    "country": "GB",
}
TEE = "Heavy Cotton Tee"


@dataclass
class Outside:
    """The shop with all that it reaches. ``seen`` is the reader's clock, which goes with the shop's."""

    world: World
    printify: PrintifyServer
    post: MailServer
    runner: Runner
    seen: FrozenClock = field(default_factory=lambda: FrozenClock(NOW))

    def order(self, name: str = "Tom Avery", *, paid: bool = True, known: bool = True) -> str:
        """An order of two tees that the provider makes, or of something it does not know: its number."""
        ids = self.variant()
        item = {"name": f"{TEE}, M Black", "quantity": 2, "unit_price": 1400, "product_id": ids[0]}
        item["variant_id"] = ids[1] if known else "gone"
        email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
        made = self.world.post(
            "/v1/orders",
            {
                "customer": {"email": email, "name": name, "address": HOME},
                "items": [item],
                "currency": "GBP",
                "shipping": 395,
            },
        )
        number: str = made["number"]
        self.world.numbers.append(number)
        if paid:
            self.world.pay(number, name, email, 3195)
        return number

    def variant(self) -> tuple[str, str]:
        """Our ids of the tee and of its first variant."""

        def unit(tx: Tx) -> tuple[str, str]:
            row = tx.execute(
                select(product.c.id, variant.c.id.label("variant"))
                .join(variant, variant.c.product_id == product.c.id)
                .order_by(variant.c.position)
            ).first()
            assert row is not None
            return row.id, row.variant

        return self.world.store.read(unit)

    def set(self, **values: str) -> None:
        """Change settings: ``set(fulfilment__automatic="off")``."""
        put_settings(self.world.store, {name.replace("__", "."): text for name, text in values.items()})

    def work(self) -> int:
        """Run what is due."""
        return self.runner.drain()

    def later(self, seconds: float) -> None:
        """Time goes by, for the shop and for its reader."""
        self.world.clock.advance(int(seconds * SECOND))
        self.seen.set(instant(self.world.clock.now()))

    def sync(self) -> None:
        """The provider's products are read."""
        self.world.store.write(partial(sync.want, known=registry.PROVIDERS["printify"]))
        self.work()

    def held(self, number: str) -> list[dict[str, Any]]:
        """What the provider has under the order's number."""
        return self.printify.held_as(number)

    def jobs(self, kind: str) -> list[dict[str, Any]]:
        """The jobs of a kind, newest first."""
        found: list[dict[str, Any]] = self.world.get("/v1/jobs", kind=kind, limit=200)["items"]
        return found

    def fail(self, reason: str = "variant out of stock", number: str | None = None) -> str:
        """An order whose submission is refused in passing until the shop gives up: its number."""
        number = number or self.order()
        self.printify.always("submit", refused(reason, 503))
        for _ in range(4):
            self.work()
            self.later(600)
        self.printify.always("submit", None)
        return number

    async def second(self, desk: Desk, count: int = 1) -> None:
        """So many seconds go by on the reader's screen, as its timers would tell it."""
        for _ in range(count):
            self.later(1)
            if (leaving := desk.shell.desk.departure) is not None:
                leaving.tick()
            if isinstance(section := desk.shell.section, OrdersSection):
                section.another_second()
            await desk.settle()

    async def through(self, desk: Desk) -> None:
        """All that is due is done, and the reader hears of it."""
        self.work()
        await desk.poll()
        await desk.settle()


@contextmanager
def outside(world: World) -> Iterator[Outside]:
    """Connect a shop to a provider and a mail server of its own."""
    world.store.setting_source.box = SecretBox(KeyRing([Key.of(b"the key of the flows' secrets...")]))
    printify = open_server("printify", world.clock)
    assert isinstance(printify, PrintifyServer)
    try:
        with MailServer() as post:
            printify.add_product(TEE, {"M Black": 1400, "L Black": 1400})
            mail = {"mail.adapter": "smtp", "mail.smtp.host": HOST, "mail.smtp.port": str(post.port)}
            mail |= {"mail.smtp.security": "none", "mail.from_address": "hello@socks.example"}
            put_settings(world.store, {"fulfilment.provider": "printify", **settings_of(printify), **mail})
            made = Outside(world, printify, post, Runner(world.store, vary=lambda: 0.5))
            made.sync()
            yield made
    finally:
        printify.close()
