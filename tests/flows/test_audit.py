"""The Audit section: acts come in by themselves, are narrowed, read whole, and lead to the order they speak of."""

from __future__ import annotations

import pytest

from tests.flows.conftest import Play
from tests.flows.world import Desk, World
from tui.screens.shell import LEAST

SIZES = [LEAST, (60, 20), (80, 24), (120, 30), (200, 50)]


@pytest.fixture
def acted(world: World) -> World:
    """Somebody let a colleague in, changed her role, and set the shop's name."""
    world.at("09:20")
    made = world.post(
        "/v1/users", {"email": "ola@example.com", "name": "Ola Berg", "role": "readonly"}, "owner"
    )
    world.at("09:41")
    bearer = world.staff.bearer("admin")
    path = f"/v1/users/{made['id']}"
    assert world.http.patch(path, json={"role": "support"}, headers=bearer).status_code == 200
    world.at("10:02")
    assert (
        world.http.put("/v1/settings/shop.name", json={"value": "Sunday Socks"}, headers=bearer).status_code
        == 200
    )
    world.at("10:14")
    return world


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_audit(acted: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("8", "j")

    play(script, size=size)


def test_an_act_open(acted: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("8", *"jjjjjjjjjjj", "enter", "d")
        assert "readonly → support" in desk.text
        assert "As it was recorded" in desk.text
        await desk.press("d")

    play(script)


def test_audit_in_ascii(acted: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("8", "enter")
        assert desk.text.isascii()

    play(script, app=acted.app(ascii_only=True))


def test_what_was_done_is_narrowed_and_comes_in_by_itself(acted: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("8", "f")
        await desk.press(*"settings", "enter")
        assert "2 acts" in desk.bar("status")
        assert "Changed the role" not in desk.text
        acted.http.put(
            "/v1/settings/shop.currency", json={"value": "EUR"}, headers=acted.staff.bearer("admin")
        )
        acted.post("/v1/users", {"email": "mei@example.com", "role": "readonly"}, "owner")
        await desk.poll()
        await desk.press("g")
        assert "3 acts" in desk.bar("status")
        assert "mei@example.com" not in desk.text
        await desk.press("escape", "g")
        assert "mei@example.com" in desk.text

    play(script, picture=False)


def test_ones_own_acts_have_a_tab(acted: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("8", "right_square_bracket")
        assert "[Mine]" in desk.text
        assert "ola@example.com" in desk.text
        assert "Changed the role" not in desk.text

    play(script, picture=False)


def test_support_does_not_have_the_section(acted: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("8")
        assert "Your role does not have Audit." in desk.bar("status")

    play(script, app=acted.app(role="support"), picture=False)
