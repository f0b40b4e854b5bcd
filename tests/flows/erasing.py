"""Deleting somebody: what the flows of it share, at the keys and as another client."""

from __future__ import annotations

from typing import Any

import pytest

from server.jobs.runner import Runner
from server.kit import ids
from server.kit.crypto import Key, KeyRing, SecretBox
from server.people import service as people
from tests.flows.world import Desk, World

TOM = "tom@example.com"


def steady_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids and marks come in their order, not at random: pictures show them."""
    marks = (f"{number:04X}" for number in range(0xA001, 0xFFFF))
    monkeypatch.setattr(ids.Ids.__init__, "__defaults__", (bytes,))
    monkeypatch.setattr(people, "random_text", lambda _length, _alphabet: next(marks))


def with_receipts(world: World) -> World:
    """The shop, with the key that receipts are signed with."""
    world.store.setting_source.box = SecretBox(KeyRing([Key.of(b"the key of the tests' secrets...")]))
    return world


def person(world: World, email: str, **more: Any) -> dict[str, Any]:
    """Somebody as the server lists them."""
    found = world.get("/v1/people", q=email, **more)["items"]
    assert len(found) == 1
    row: dict[str, Any] = found[0]
    return row


def plan_of(world: World, email: str, role: str = "owner") -> dict[str, Any]:
    """The plan for somebody, as another client would see it."""
    return world.post(f"/v1/people/{person(world, email)['id']}/deletion/plan", {}, role)


def delete(world: World, email: str, role: str = "owner") -> dict[str, Any]:
    """Another client deletes somebody."""
    plan = plan_of(world, email, role)
    told = {"plan": plan["hash"], "confirm": plan["confirm"]}
    return world.post(f"/v1/people/{plan['person_id']}/deletion", told, role)


def work(world: World) -> None:
    """Everything that is due in the background is done."""
    Runner(world.store, vary=lambda: 0.5).drain()


async def stand_on(desk: Desk, email: str) -> str:
    """Go to somebody in the list: their id."""
    found: str = person(desk.world, email)["id"]
    if desk.shell.section.NAME != "people":
        await desk.press("3")
    assert desk.shell.section.list.go_to(found)
    await desk.settle()
    return found


def below_cursor(desk: Desk) -> str | None:
    """Who stands below the cursor."""
    rows = desk.shell.section.list
    at = rows.source.index_of(rows.cursor_id or "")
    return None if at is None else rows.id_at(at + 1)


async def plan(desk: Desk, email: str = TOM) -> str:
    """Open somebody's deletion plan: their id."""
    found = await stand_on(desk, email)
    await desk.press("D")
    return found


async def confirm(desk: Desk, text: str = TOM) -> None:
    """Type, go on, and press Delete for good."""
    await desk.press("e", *text, "enter", "enter")
