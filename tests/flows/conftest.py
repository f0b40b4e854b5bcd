"""What flows stand on: a furnished shop, the client's app on it, and a picture at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from textual.pilot import Pilot

from tests.flows.outside import Outside, outside
from tests.flows.world import Desk, World, close_world, furnish, open_world
from tests.server.conftest import migrated
from tui.app import ShopbellApp

Script = Callable[[Desk], Awaitable[None]]


class Play(Protocol):
    """Plays a flow and compares the screen at its end with the picture that is kept."""

    def __call__(
        self,
        script: Script | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        app: ShopbellApp | None = None,
        wait: bool = True,
        picture: bool = True,
    ) -> None:
        """Play it.

        Without ``wait``, the flow begins before the shop answered; without a ``picture``, what the flow itself
        asserts is enough.
        """


@pytest.fixture(scope="session")
def prepare_database() -> Callable[[str], None]:
    """Every flow's database begins with its tables."""
    return migrated


@pytest.fixture
def empty_world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """A shop in which nothing happened yet."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    world = open_world(sqlite_url, data)
    yield world
    close_world(world)


@pytest.fixture
def world(empty_world: World) -> World:
    """A shop on an ordinary morning."""
    furnish(empty_world)
    return empty_world


async def _played(
    app: ShopbellApp, size: tuple[int, int], script: Callable[[Pilot[int]], Awaitable[None]]
) -> None:
    async with app.run_test(size=size) as pilot:
        await script(pilot)


@pytest.fixture
def play(empty_world: World, snap_compare: Any) -> Play:
    """Play a flow at the keys of the client."""

    def played(
        script: Script | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        app: ShopbellApp | None = None,
        wait: bool = True,
        picture: bool = True,
    ) -> None:
        async def before(pilot: Pilot[int]) -> None:
            desk = Desk(pilot, empty_world)
            await (desk.settle() if wait else pilot.pause())
            if script is not None:
                await script(desk)

        playing = app or empty_world.app()
        if picture:
            assert snap_compare(playing, terminal_size=size, run_before=before)
        else:
            asyncio.run(_played(playing, size, before))

    return played


@pytest.fixture
def shop(empty_world: World) -> Iterator[Outside]:
    """A shop with a provider and a mail server."""
    with outside(empty_world) as made:
        yield made


@pytest.fixture
def act(shop: Outside, play: Play) -> Play:
    """Plays a flow with a reader whose clock goes with the shop's."""

    def played(
        script: Script | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        app: ShopbellApp | None = None,
        wait: bool = True,
        picture: bool = False,
    ) -> None:
        reader = app or shop.world.app(clock=shop.seen)
        play(script, size=size, app=reader, wait=wait, picture=picture)

    return played
