"""What others do appears at once, by the server's hints, and by the timer where there are none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from server.app import App, create_app
from server.kit.config import ServerConfig
from tests.flows.world import NOW, World
from tests.server.conftest import STRIPE_SECRET
from tests.support.serving import Served, serving
from tui.api.client import Client
from tui.api.clock import FrozenClock
from tui.api.config import Config, Ui
from tui.api.endpoint import Endpoint
from tui.api.secret import Secret
from tui.app import ShopbellApp
from tui.screens.shell import Shell
from tui.widgets.bar import Bar

RARELY = 3600.0
"""Seconds between two polls: within a test the timer never asks."""


@pytest.fixture
def server(world: World, tmp_path: Path) -> App:
    """The shop's application, to be served over a real connection."""
    variables = {"SHOPBELL_STRIPE_WEBHOOK_SECRETS": STRIPE_SECRET}
    return create_app(world.store, ServerConfig(data_dir=tmp_path / "data", variables=variables))


@pytest.fixture
def served(server: App) -> Iterator[Served]:
    with serving(server, server.state.config) as running:
        yield running


def play(world: World, served: Served, script: Callable[[Pilot[int], Shell], Awaitable[None]]) -> None:
    """Somebody's client at that server, with hints, whose timer does not come."""
    endpoint = Endpoint(url=served.url, token=Secret(world.staff.tokens["support"]))
    config = Config(Path("config.toml"), Ui(theme="shopbell-dark", poll_seconds=RARELY))
    app = ShopbellApp(lambda: Client(endpoint), config, "shopbell", FrozenClock(NOW), follow=True)

    async def played() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            shell = app.screen_stack[0]
            assert isinstance(shell, Shell)
            await script(pilot, shell)

    asyncio.run(played())


async def seen(pilot: Pilot[int], look: Callable[[], bool], what: str) -> None:
    """Wait for something on the screen."""
    try:
        async with asyncio.timeout(20):
            while not look():
                await pilot.pause(0.01)
    except TimeoutError:
        raise AssertionError(f"waited for {what}") from None


def identity(shell: Shell) -> str:
    return shell.query_one("#identity", Bar).words


def text(pilot: Pilot[int]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def test_what_another_client_does_appears_without_waiting_for_the_timer(
    world: World, server: App, served: Served
) -> None:
    async def script(pilot: Pilot[int], shell: Shell) -> None:
        await seen(pilot, lambda: "● live" in identity(shell), "the stream")
        number = await asyncio.to_thread(world.order, "Zora Quick", 4_200)
        await seen(pilot, lambda: "new" in text(pilot) or "Zora" in text(pilot), "the order")
        await pilot.press("home")
        attention = world.attention
        await asyncio.to_thread(world.fail, number, "a reason of its own")
        await seen(
            pilot, lambda: shell.desk.pulse is not None and shell.desk.pulse.attention > attention, "it"
        )
        assert (shell.polling.poller.ask_in() or 0) > RARELY / 2

    play(world, served, script)


def test_without_the_stream_the_client_is_as_it_always_was(world: World, server: App, served: Served) -> None:
    server.streams.end()  # every stream is refused from now on

    async def script(pilot: Pilot[int], shell: Shell) -> None:
        await seen(pilot, lambda: "◌ polling 60m" in identity(shell), "the first poll")
        before = shell.desk.pulse
        await asyncio.to_thread(world.order, "Zora Quick", 4_200)
        shell.action_refresh_now()
        await seen(pilot, lambda: shell.desk.pulse is not before, "the poll that was asked for")
        assert "◌ polling 60m" in identity(shell)

    play(world, served, script)


def test_a_stream_that_is_cut_leaves_the_timer(world: World, server: App, served: Served) -> None:
    async def script(pilot: Pilot[int], shell: Shell) -> None:
        await seen(pilot, lambda: "● live" in identity(shell), "the stream")
        server.streams.end()
        await seen(pilot, lambda: not shell.polling.poller.streaming, "its end")
        shell.polling.ask_now()
        await seen(pilot, lambda: "◌ polling 60m" in identity(shell), "the poll")

    play(world, served, script)


def test_a_silent_stream_writes_nothing(world: World, server: App, served: Served) -> None:
    async def script(pilot: Pilot[int], shell: Shell) -> None:
        await seen(pilot, lambda: "● live" in identity(shell), "the stream")
        await seen(pilot, lambda: shell.desk.me is not None, "who the reader is")
        await pilot.pause(0.3)
        written: list[object] = []
        display = pilot.app._display

        def counted(screen: object, renderable: object) -> None:
            written.append(renderable)
            display(screen, renderable)  # type: ignore[arg-type]

        pilot.app._display = counted  # type: ignore[method-assign]
        for stream in list(server.streams._open):
            served_loop = stream.watch._loop
            for _ in range(3):
                served_loop.call_soon_threadsafe(stream.watch._beat)
        await pilot.pause(0.3)
        assert written == []

    play(world, served, script)
