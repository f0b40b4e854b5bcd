"""A shop and its customers, in few words: what is sold, ordered, paid, left behind and written to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import httpx
from sqlalchemy import insert, select

from server.catalog.models import product
from server.jobs.runner import Runner
from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.tx import Tx
from server.practice.mail_server import HOST, MailServer, Taken
from server.settings import service as settings
from tests.server.conftest import Staff
from tests.support.stripe_events import SECRET, Purchase, encode, sign

MARY: Final = "mary@example.com"
SHOP: Final = "https://shop.example.com"
FORM: Final = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
"""What a browser adds to a form of a page that sends no referrer."""
_LINK: Final = re.compile(r"https?://\S+")


@dataclass
class Counter:
    """The counter of a shop: customers on one side, Stripe and the mail server on the other."""

    http: httpx.Client
    staff: Staff
    store: Store
    clock: FrozenClock
    post: MailServer

    def open(self, base: str = "http://localhost", **changed: str) -> None:
        """Set the shop up: its addresses, and where mail goes. Names with ``__`` for the dots."""
        wanted = {
            "shop.name": "Sock & Mug",
            "shop.url": SHOP,
            "public.url": base,
            "mail.adapter": "smtp",
            "mail.from_address": "hello@shop.example.com",
            "mail.smtp.host": HOST,
            "mail.smtp.port": str(self.post.port),
            "mail.smtp.security": "none",
        }
        self.set(**{name.replace(".", "__"): value for name, value in wanted.items()} | changed)

    def set(self, **changed: str) -> None:
        """Change settings: ``recovery__enabled="on"``."""

        def unit(tx: Tx) -> None:
            for name, value in changed.items():
                settings.set_value(tx, name.replace("__", "."), value)

        self.store.write(unit)

    def unset(self, *names: str) -> None:
        """Let the defaults hold again."""

        def unit(tx: Tx) -> None:
            for name in names:
                settings.unset(tx, name)

        self.store.write(unit)

    def drain(self) -> int:
        """Run the jobs that are due, in this thread."""
        return Runner(self.store, alone=True, vary=lambda: 0.5).drain()

    def product(self, slug: str, *, available: bool = True, image: str | None = None) -> str:
        """Something to sell; returns its id."""

        def unit(tx: Tx) -> str:
            product_id = tx.new_id()
            tx.execute(
                insert(product).values(
                    id=product_id,
                    slug=slug,
                    name=slug.replace("-", " ").title(),
                    available=int(available),
                    image_url=image,
                    created_at=tx.now,
                    updated_at=tx.now,
                )
            )
            return product_id

        return self.store.write(unit)

    def order(self, email: str = MARY, *items: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """An order that the shop's own program makes: £43.00 and pending."""
        new = {
            "customer": {"email": email, "name": "Mary Example"},
            "items": list(items) or [{"name": "Wool socks", "quantity": 1, "unit_price": 3905}],
            "currency": "GBP",
            "shipping": 395,
            "handled_by": "program",  # nothing but what these tests look at happens by itself
        }
        answer = self.http.post("/v1/orders", json=new | changed, headers=self.staff.bearer("storefront"))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def paid(self, email: str = MARY, *items: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """An order that was paid for."""
        made = self.order(email, *items, **changed)
        self.tell(self.purchase(made, email).completed(created=self.clock.now() // 1000))
        return made

    def purchase(
        self, order: dict[str, Any] | None = None, email: str | None = MARY, name: str = "A1"
    ) -> Purchase:
        """What somebody is about to pay at the payment page."""
        if order is None:
            return Purchase(name, email=email)
        return Purchase(order["number"], order["total"]["amount"], reference=order["number"], email=email)

    def tell(self, *events: dict[str, Any]) -> None:
        """Events as Stripe sends them, each answered 200."""
        for event in events:
            body = encode(event)
            headers = {
                "content-type": "application/json",
                "stripe-signature": sign(body, SECRET, self.clock.now() // 1000),
            }
            answer = self.http.post("/webhooks/stripe", content=body, headers=headers)
            assert answer.status_code == 200, answer.text

    def leave(self, order: dict[str, Any] | None = None, email: str | None = MARY, name: str = "A1") -> None:
        """Somebody leaves the payment page, and its session expires."""
        self.tell(self.purchase(order, email, name).expired(created=self.clock.now() // 1000))

    def rows(self, table: Any) -> list[Any]:
        """All rows of a table."""
        return self.store.read(lambda tx: list(tx.execute(select(table)).all()))

    @property
    def letters(self) -> list[Taken]:
        """What the mail server took so far."""
        return self.post.taken

    def form(self, path: str, *, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Send a form as a browser does from our own page."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.http.post(path, data=fields, headers=kind | FORM | (headers or {}))


def links_in(letter: Taken) -> list[str]:
    """The addresses in a mail's text."""
    return _LINK.findall(letter.text)


def link_to(letter: Taken, part: str) -> str:
    """The path of the one link in a mail that holds ``part``."""
    found = [link for link in links_in(letter) if part in link]
    assert len(found) == 1, found
    return "/" + found[0].split("/", 3)[3]
