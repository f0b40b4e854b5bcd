"""The main screens as they are met, at every size they must hold, in every dress."""

from __future__ import annotations

import pytest

from tests.flows.conftest import Play
from tests.flows.world import Desk, World
from tui.screens.shell import LEAST

SIZES = [LEAST, (60, 20), (80, 24), (120, 30), (200, 50)]


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_orders(world: World, play: Play, size: tuple[int, int]) -> None:
    play(size=size)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_an_order_open(world: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("j", "enter")
        assert "SS-260223-0009" in desk.text
        told = "Needs attention: Submission to Printify failed"
        assert told in desk.text or size == LEAST

    play(script, size=size)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_activity(world: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2")

    play(script, size=size)


@pytest.mark.parametrize("theme", ["shopbell-light", "ansi-dark", "ansi-light"])
def test_other_themes(world: World, play: Play, theme: str) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "j", "j")

    play(script, size=(120, 30), app=world.app(theme=theme))


def test_no_color(world: World, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(desk: Desk) -> None:
        await desk.press("j")

    play(script, app=world.app())


def test_ascii(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("j")
        assert "^" not in desk.bar("identity")

    play(script, app=world.app(ascii_only=True))


@pytest.mark.parametrize("size", [(20, 5), (39, 24), (80, 9)], ids="{0[0]}x{0[1]}".format)
def test_too_small(world: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        assert "is too" in desk.text
        await desk.press("j", "2", "question_mark", "escape")
        await desk.pilot.resize_terminal(80, 24)
        await desk.settle()
        await desk.press("j")
        assert "▌" in desk.text  # the focus is back
        await desk.pilot.resize_terminal(*size)
        await desk.settle()

    play(script, size=size)


def test_help(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("question_mark", *"attention")

    play(script)


def test_palette_runs_what_is_chosen(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("ctrl+p", *"next tab", "enter")
        assert "[Unpaid]" in desk.text

    play(script)


def test_category_menu(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "f")

    play(script)


def test_leaving_is_asked(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("ctrl+c")

    play(script)
