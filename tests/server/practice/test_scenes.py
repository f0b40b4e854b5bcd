"""The scenes of the documentation's pictures, played into a real server on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.practice.player import Player
from server.practice.scenes import people, picture
from server.practice.shop import rehearse
from tests.server.practice.asking import Reader


def test_the_picture_stands_as_it_is_drawn(store: Store, clock: FrozenClock, tmp_path: Path) -> None:
    asyncio.run(_look(store, clock, tmp_path))
    assert clock.now() == FrozenClock("2026-02-23T10:00:00Z").now()


async def _look(store: Store, clock: FrozenClock, data: Path) -> None:
    rehearsal = await rehearse(store, clock, picture(clock.now()), data)
    reader = Reader(rehearsal.player.call, rehearsal.keys.owner)
    assert [_line(order) for order in await reader.orders()] == [
        ("SS-260223-0005", "Ines Duarte", 4300, "paid", "processing", 0),
        ("SS-260223-0004", "Tom Avery", 2800, "paid", "failed", 2),
        ("SS-260223-0003", "Mei Lin", 11250, "paid", "shipped", 0),
        ("SS-260223-0002", "Sam Okoro", 1900, "paid", "delivered", 0),
        ("SS-260223-0001", "Ola Berg", 6400, "paid", "cancelled", 1),
    ]
    pulse = await reader.get("/v1/pulse")
    assert pulse["attention"] == 3
    assert pulse["shop"]["name"] == "Sunday Socks"
    assert pulse["shop"]["environment"] == "practice"
    timeline = await reader.get("/v1/orders/SS-260223-0004/timeline")
    assert [(entry["occurred_at"][11:19], entry["message"]) for entry in timeline["items"]] == [
        ("09:52:30", "Order placed — £28.00 via Stripe"),
        ("09:53:00", "Order confirmation sent to tom@example.com"),
        ("09:53:30", "Submission to Printify failed: variant out of stock"),
        ("09:59:00", "Submission to Printify failed: variant out of stock"),
    ]
    me = await reader.get("/v1/me")
    assert (me["user"]["name"], me["role"]) == ("Jamie", "owner")


def _line(order: Any) -> tuple[Any, ...]:
    return (
        order["number"],
        order["customer"]["name"],
        order["total"]["amount"],
        order["payment_status"],
        order["fulfilment_status"],
        order["attention"],
    )


def test_the_people_of_the_pictures_ask_and_are_answered(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    async def look() -> None:
        rehearsal = await rehearse(store, clock, people(clock.now()), tmp_path)
        reader = Reader(rehearsal.player.call, rehearsal.keys.owner)
        tickets = (await reader.get("/v1/tickets"))["items"]
        assert [
            (ticket["customer"]["name"], ticket["status"], ticket["waits_for"], ticket["comment_count"])
            for ticket in tickets
        ] == [
            ("Tom Avery", "open", "staff", 0),
            ("Mei Lin", "in_progress", "staff", 2),
            ("Ola Berg", "open", "staff", 0),
            ("Sam Okoro", "resolved", None, 1),
        ]
        told = await reader.get(f"/v1/tickets/{tickets[1]['id']}")
        assert [(said["author_kind"], said["is_internal"]) for said in told["comments"]] == [
            ("staff", True),
            ("staff", False),
            ("customer", False),
        ]
        assert [mail["kind"] for mail in (await reader.get("/v1/mails"))["items"]] == []
        counts = await reader.get("/v1/people/counts")
        assert (counts["customers"], counts["staff"]) == (5, 4)

    asyncio.run(look())


def test_further_actions_may_be_played_later(store: Store, clock: FrozenClock, tmp_path: Path) -> None:
    async def two_parts() -> list[Any]:
        actions = picture(clock.now())
        middle = len(actions) // 2
        rehearsal = await rehearse(store, clock, actions[:middle], tmp_path)
        player: Player = rehearsal.player
        await player.play_all(actions[middle:])
        return await Reader(player.call, rehearsal.keys.owner).orders()

    assert len(asyncio.run(two_parts())) == 5
