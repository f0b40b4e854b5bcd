"""kill -9 while orders are handed to their provider: each is there exactly once, and the shop knows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import server.app.registered  # noqa: F401 - a paid order asks for its submission
from server.contract.orders import NewOrder
from server.kit.clock import SystemClock
from server.kit.db import Store, open_store
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.models import order
from server.orders.payment import Payment
from server.practice.providers.answers import DROP_AFTER
from server.practice.providers.printify import PrintifyServer
from server.settings import service as settings
from tests.server.fulfilment.houses import ACCOUNT, PRINTIFY_SECRET, TOKEN
from tests.support.shopbelld import Shopbelld
from tests.support.waiting import until


@pytest.fixture
def printify() -> Iterator[PrintifyServer]:
    opened = PrintifyServer(SystemClock(), token=TOKEN, account=ACCOUNT, secret=PRINTIFY_SECRET).open()
    yield opened
    opened.close()


@pytest.fixture
def bell(home: Path, printify: PrintifyServer) -> Iterator[Shopbelld]:
    """A server that may submit to the provider on this machine."""
    bell = Shopbelld(
        home,
        SHOPBELL_PRINTIFY_TOKEN=TOKEN,
        SHOPBELL_PRINTIFY_SHOP_ID=ACCOUNT,
        SHOPBELL_PRINTIFY_URL=printify.url,
    )
    bell.command("init")
    yield bell
    bell.kill()


@pytest.fixture
def store(bell: Shopbelld) -> Iterator[Store]:
    """The server's store, from beside it."""
    opened = open_store(None, bell.data)
    yield opened
    opened.close()


def _paid_orders(store: Store, thing: str, count: int) -> set[str]:
    """So many orders of one thing, paid for; their numbers."""
    new = NewOrder.model_validate(
        {
            "customer": {
                "email": "bea@example.com",
                "name": "Bea Buyer",
                "address": {"name": "Bea Buyer", "line1": "1 Sock Lane", "city": "London", "country": "GB"},
            },
            "items": [
                {"name": "Socks", "quantity": 1, "unit_price": 100, "product_id": thing, "variant_id": "1000"}
            ],
            "currency": "GBP",
        }
    )

    def unit(tx: Tx) -> set[str]:
        settings.set_value(tx, "fulfilment.provider", "printify")
        settings.set_value(tx, "mail.confirmation", "off")
        numbers = set()
        for n in range(count):
            order_id = orders.create(tx, new)
            orders.mark_placed(
                tx, order_id, Payment("Stripe", f"cs_{n}", f"pi_{n}", 100, "GBP", tx.now), paid=True
            )
            row = orders.find(tx, order_id)
            assert row is not None
            numbers.add(row.number)
        return numbers

    return store.write(unit)


def _storm(bell: Shopbelld, store: Store, printify: PrintifyServer, *, many: int, kills: int) -> None:
    numbers = _paid_orders(store, printify.add_product("Socks", {"S": 100}), many)
    bell.start()
    for nth in range(1, kills + 1):
        goal = many * nth // (kills + 1)
        # its answer never arrives, and the server is killed while it waits, or just after
        printify.script("submit", DROP_AFTER if nth % 2 else None)
        until(lambda goal=goal: printify.count("submit") >= goal, f"order {goal}", seconds=60)  # type: ignore[misc]
        bell.kill()
        bell.start()

    def handed_over() -> bool:
        with printify.lock:
            return {printify.external_id(one) for one in printify.orders.values()} >= numbers

    # one whose answer was lost waits a minute for its next attempt
    until(handed_over, "every order to be handed over", seconds=100)
    bell.kill()
    held = Counter(printify.external_id(one) for one in printify.orders.values())
    assert set(held) == numbers
    assert set(held.values()) == {1}, "one order here is one order there"
    rows = store.read(lambda tx: list(tx.execute(select(order))))
    for row in rows:
        if row.fulfilment_status == "submitted":
            assert printify.external_id(printify.orders[row.provider_order_id]) == row.number


@pytest.mark.timeout(180)
def test_no_kill_makes_a_second_order(bell: Shopbelld, store: Store, printify: PrintifyServer) -> None:
    _storm(bell, store, printify, many=30, kills=4)


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_no_number_of_kills_does(bell: Shopbelld, store: Store, printify: PrintifyServer) -> None:
    _storm(bell, store, printify, many=1500, kills=50)
