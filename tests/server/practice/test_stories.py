"""What becomes of an order under each fate, told by a real server on both databases."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from server.contract.orders import NewCustomer
from server.kit.clock import DAY, HOUR, FrozenClock
from server.kit.db import Store
from server.practice import stories
from server.practice.actions import Action
from server.practice.cast import COUNTRIES
from server.practice.life import in_order
from server.practice.shop import rehearse
from server.practice.stories import FATES
from server.practice.tale import LONGEST, Tale
from tests.server.practice.asking import Reader

ENDS = {
    "plain": ("paid", "delivered"),
    "retried": ("paid", "delivered"),
    "mended": ("paid", "delivered"),
    "heard_late": ("paid", "delivered"),
    "heard_twice": ("paid", "delivered"),
    "by_link": ("paid", "delivered"),
    "debited": ("paid", "delivered"),
    "bounced_debit": ("failed", "cancelled"),
    "abandoned": ("pending", "cancelled"),
    "partly_refunded": ("paid", "delivered"),
    "refunded": ("refunded", "delivered"),
    "refund_overtook": ("refunded", "cancelled"),
    "cancelled": ("refunded", "cancelled"),
    "forged": ("paid", "delivered"),
    "mail_bounced": ("paid", "delivered"),
}
_SEED = {"bounced_debit": 3}  # the other half of those customers pays by card after all


def told(begin: int) -> list[Action]:
    """One story of every fate, merged."""
    actions: list[Action] = []
    for number, (fate, _) in enumerate(FATES):
        name = fate.__name__
        who = NewCustomer(email=f"{name}@example.com", name=name)
        dice = random.Random(_SEED.get(name, 1))  # noqa: S311 - repeatable on purpose
        tale = Tale(name, begin + number * HOUR, who, COUNTRIES[0], dice, lambda problem: problem + HOUR)
        fate(tale)
        actions += tale.told()
    return in_order(actions)


def test_every_fate_is_known() -> None:
    assert {fate.__name__ for fate, _ in FATES} == set(ENDS)
    assert stories.plain in {fate for fate, _ in FATES}


def test_every_fate_ends_as_it_should_with_nothing_left_open(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    actions = told(clock.now() - LONGEST - DAY)

    async def play() -> tuple[dict[str, Any], dict[str, Any], Any]:
        rehearsal = await rehearse(store, clock, actions, tmp_path)
        reader = Reader(rehearsal.player.call, rehearsal.keys.owner)
        assert rehearsal.player.orders == {}, "every story has ended"
        orders = {order["customer"]["name"]: order for order in await reader.orders()}
        timelines = {
            name: (await reader.get(f"/v1/orders/{order['number']}/timeline"))["items"]
            for name, order in orders.items()
        }
        return orders, timelines, await reader.get("/v1/pulse")

    orders, timelines, pulse = asyncio.run(play())
    ends = {name: (order["payment_status"], order["fulfilment_status"]) for name, order in orders.items()}
    assert ends == ENDS
    assert pulse["attention"] == 0
    assert pulse["activity_dropped"] == 0
    types = {name: [entry["type"] for entry in entries] for name, entries in timelines.items()}
    assert types["heard_twice"].count("order.created") == 1
    assert types["retried"].count("order.submission_failed") == 1
    assert "order.submission_retried" in types["retried"]
    assert types["mended"].count("order.submission_failed") == 3
    assert types["refund_overtook"][:2] == ["order.created", "order.refunded"]
    assert types["forged"].count("order.created") == 1
    assert types["plain"].count("order.delivered") == 1
    for name, entries in timelines.items():
        assert all(entry["resolved_at"] for entry in entries if entry["level"] != "info"), name
