"""A shop that lives while it is looked at: other clients, new rows, a line that breaks, nothing at all."""

from __future__ import annotations

from threading import Event

import httpx
import pytest

from server.settings import service as settings
from tests.flows.conftest import Play
from tests.flows.world import NOW, Desk, World
from tui.api.client import Client
from tui.api.clock import FrozenClock
from tui.api.errors import StartError


@pytest.mark.parametrize("section", ["1", "2"])
def test_another_client_moves_the_badge(world: World, play: Play, section: str) -> None:
    async def script(desk: Desk) -> None:
        await desk.press(section)
        assert "⚑3" in desk.bar("identity")
        page = world.get("/v1/activity", tab="attention")
        world.post(f"/v1/activity/{page['items'][0]['id']}/resolve", {"group": True}, "support")
        await desk.poll()
        assert "⚑2" in desk.bar("identity")

    play(script)


def test_new_orders_wait_above_while_the_cursor_stands(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("j", "j")
        stood = desk.cursor
        place = desk.screen.index(stood)
        for name in ("Una Novak", "Vera Lind"):
            world.order(name, 1900)
        await desk.poll()
        assert (desk.cursor, desk.screen.index(desk.cursor)) == (stood, place)
        assert "▲ 2 new" in desk.text
        assert "Vera Lind" not in desk.text
        await desk.press("g")
        assert "Vera Lind" in desk.cursor
        assert "new" not in desk.bar("status")

    play(script)


def test_new_rows_come_in_by_themselves_when_followed(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("F")
        world.order("Una Novak", 1900)
        await desk.poll()
        assert "Una Novak" in desk.cursor
        assert "following" in desk.bar("status")

    play(script)


def test_many_new_rows(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "j", "j")
        for number in range(120):
            world.tell("note", f"note {number}", "info")
        await desk.poll()
        assert "99+ new" in desk.text
        await desk.press("g")
        assert "note 119" in desk.cursor

    play(script)


def test_ages_are_told_by_the_shops_clock(world: World, play: Play) -> None:
    """The machine's own clock is three hours behind; and nothing else changes while the shop's goes on."""

    async def script(desk: Desk) -> None:
        assert desk.cursor.endswith(" 4m")
        world.at("10:40")
        await desk.poll()
        assert desk.cursor.endswith(" 30m")
        await desk.press("enter")
        assert "(in " not in desk.text

    play(script, app=world.app(clock=FrozenClock("2026-02-23T07:14:00Z")), picture=False)


def test_offline_and_back(world: World, play: Play) -> None:
    """Stale rows stay, the strip says so, and it comes back by itself."""

    async def script(desk: Desk) -> None:
        world.line.cut = True
        await desk.poll()
        assert "✖ offline since 10:14" in desk.bar("identity"), "also where there is little room"
        assert "Ines Duarte" in desk.text
        await desk.press("j", "x")
        assert desk.bar("status").startswith("✖ ")
        assert world.attention == 3
        world.line.cut = False
        world.order("Una Novak", 1900)
        await desk.poll()
        assert "● live" in desk.bar("identity")
        assert "▲ 1 new" in desk.text

    play(script)


def test_offline(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        world.line.cut = True
        await desk.poll()
        await desk.press("2")  # what was never fetched says why it is not here
        assert "tries again" in desk.text

    play(script, size=(120, 30))


def test_nothing_is_asked_but_the_pulse_while_nothing_happens(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        world.line.seen.clear()
        before = desk.text
        await desk.poll()
        await desk.poll()
        assert set(world.line.seen) == {"GET /v1/pulse"}
        assert desk.text == before

    play(script, picture=False)


def test_no_orders_yet(empty_world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        assert "No orders yet." in desk.text

    play(script)


def test_nothing_needs_attention(empty_world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("exclamation_mark")
        assert "Nothing needs attention." in desk.bar("status")

    play(script)


def test_the_shop_opens(empty_world: World, play: Play) -> None:
    """What is seen between the first paint and the first answer; nobody who quits waits for it."""
    never, tries = Event(), []

    def connect() -> Client:
        tries.append("try")
        never.wait()
        raise StartError("never shown")

    async def script(desk: Desk) -> None:
        assert "Opening your shop" in desk.text
        await desk.pilot.press("ctrl+r")  # it is under way already

    play(script, app=empty_world.app(connect=connect), wait=False)
    assert tries == ["try"]


def test_a_start_is_tried_again_when_asked(world: World, play: Play) -> None:
    tries: list[str] = []

    def connect() -> Client:
        tries.append("try")
        if len(tries) == 1:
            raise StartError("Your shop did not start.")
        return world.client()()

    async def script(desk: Desk) -> None:
        assert "Your shop did not start." in desk.text
        await desk.press("ctrl+r")
        assert "Ines Duarte" in desk.text
        assert "● live" in desk.bar("identity")
        await desk.press("ctrl+r")
        assert len(tries) == 2

    play(script, app=world.app(connect=connect), picture=False)


def test_the_shop_does_not_start(empty_world: World, play: Play) -> None:
    def connect() -> Client:
        raise StartError("Your shop did not start: the disk is full. Its log: ~/shop/server.log")

    async def script(desk: Desk) -> None:
        assert "✖ not connected" in desk.bar("identity")
        await desk.press("2")
        assert "the disk is full" in desk.text
        await desk.press("1")

    play(script, app=empty_world.app(connect=connect))


def test_a_token_that_is_refused(world: World, play: Play) -> None:
    world.line.spoiled = lambda _request: httpx.Response(
        401,
        headers={"content-type": "application/problem+json"},
        stream=httpx.ByteStream(
            b'{"title": "Unauthorized", "status": 401, "code": "unauthenticated", "reason": "expired"}'
        ),
    )

    async def script(desk: Desk) -> None:
        assert "Your token has expired." in desk.text
        assert "✖ refused" in desk.bar("identity")

    play(script)


def test_a_practice_shop_says_so(world: World, play: Play) -> None:
    world.store.write(lambda tx: settings.set_value(tx, "shop.environment", "practice"))

    async def script(desk: Desk) -> None:
        await desk.poll()
        assert "PRACTICE" in desk.bar("identity")

    play(script)


def test_a_token_revoked_while_one_looks(world: World, play: Play) -> None:
    """What was there stays, the reason is said, and nothing more is asked until somebody says so."""

    async def script(desk: Desk) -> None:
        page = world.get("/v1/tokens")
        own = next(token for token in page["items"] if token["name"] == "support")
        answer = world.http.delete(f"/v1/tokens/{own['id']}", headers=world.staff.bearer("owner"))
        assert answer.status_code < 300, answer.text
        await desk.poll()
        assert "✖ refused" in desk.bar("identity")
        assert "revoked" in desk.bar("status")
        assert "Ines Duarte" in desk.text
        assert desk.shell.polling.poller.ask_in() is None

    play(script, app=world.app("support"))


def test_relative_times_move_with_the_minute(world: World, play: Play) -> None:
    clock = FrozenClock(NOW)

    async def script(desk: Desk) -> None:
        assert desk.cursor.endswith("4m")
        clock.advance(120)
        desk.shell.tick()
        await desk.settle()
        assert desk.cursor.endswith("6m")

    play(script, app=world.app(clock=clock), picture=False)


def test_events_that_were_not_recorded_are_told(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2")
        world.store.drops.add([("full", "order.created")] * 3, world.clock.now())
        world.order("Una Novak", 1900)
        await desk.poll()
        assert "3 events not recorded" in desk.bar("status")

    play(script, picture=False)
