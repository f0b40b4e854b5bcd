"""Draws the documentation's pictures from the real screens.

``python -m docs.pictures`` starts a real server in this process on a clock that stands still, plays the picture's scene
into it through its API and its webhooks, looks at it with the real client, and writes ``docs/pictures/*.svg``. The
same program draws the same bytes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Final

import httpx
from textual.pilot import Pilot
from textual.strip import Strip

from docs.drawing import picture
from server.app.assembly import App
from server.kit import clock as server_clock
from server.kit.db import open_store
from server.kit.migrate import migrate
from server.practice import scenes
from server.practice.shop import rehearse
from tui.api.client import Client, Endpoint, Secret
from tui.api.clock import FrozenClock
from tui.api.config import Config, Ui
from tui.app import ShopbellApp

FOLDER: Final = Path(__file__).resolve().parent / "pictures"
NOW: Final = "2026-02-23T10:08:00Z"
EARLIER: Final = 42
"""Orders of the same day before those that the picture is about."""
DARK: Final = "shopbell-dark"
LIGHT: Final = "shopbell-light"
_LONGEST: Final = 1000  # looks at a screen that does not come to rest
_AT_REST: Final = 3  # looks that must agree


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture.

    Args:
        name: of the file, without its end.
        title: what it shows, for those who cannot see it.
        size: columns and lines.
        keys: what is pressed first.
        theme: the colours.
        scene: which of ``scenes.SCENES`` it is a picture of.
    """

    name: str
    title: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = DARK
    scene: str = "picture"


SHOTS: Final = (
    Shot("orders", "Orders on the left, the story of one order on the right", (120, 30), ("j",)),
    Shot("orders-light", "The same on a light terminal", (120, 30), ("j",), LIGHT),
    Shot("attention", "What needs attention", (120, 30), ("2", "]")),
    Shot("activity", "All that happened in the shop, newest first", (120, 30), ("2",)),
    Shot("order-80x24", "The story of one order in a terminal of 80 by 24", (80, 24), ("j", "enter")),
    Shot("people", "Who the shop knows, and one of them whole", (120, 30), ("3", *"jjjjj"), scene="people"),
    Shot(
        "deletion",
        "What deleting somebody would do, in counts",
        (120, 30),
        ("3", *"jjjjj", "D"),
        scene="people",
    ),
    Shot(
        "tickets",
        "A ticket beside its order: replies, and notes for staff",
        (120, 30),
        ("4", "j"),
        scene="people",
    ),
    Shot("help", "Every key, and a line to search them", (120, 30), ("?",)),
)


async def draw(shots: Sequence[Shot] = SHOTS) -> dict[str, str]:
    """The pictures by their files' names."""
    drawn: dict[str, str] = {}
    for scene in dict.fromkeys(shot.scene for shot in shots):
        drawn |= await _scene(scene, [shot for shot in shots if shot.scene == scene])
    return drawn


async def _scene(name: str, shots: Sequence[Shot]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        clock = server_clock.FrozenClock(NOW)
        store = open_store(None, Path(folder), clock)
        try:
            migrate(store)
            scene = scenes.SCENES[name](clock.now(), EARLIER)
            shop = await rehearse(store, clock, scene, Path(folder))
            return {f"{shot.name}.svg": await _drawn(shot, shop.app, shop.keys.owner) for shot in shots}
        finally:
            store.close()


async def _drawn(shot: Shot, server: App, token: str) -> str:
    def connect() -> Client:
        endpoint = Endpoint(url="http://localhost", token=Secret(token))
        return Client(endpoint, httpx.ASGITransport(server))

    config = Config(Path("config.toml"), Ui(theme=shot.theme))
    app = ShopbellApp(connect, config, "shopbell", FrozenClock(NOW))
    app.desk.zone = UTC
    app.desk.rest = 0
    async with app.run_test(size=shot.size) as pilot:
        lines = await _at_rest(pilot)
        for key in shot.keys:
            await pilot.press(key)
            lines = await _at_rest(pilot)
        ground = app.current_theme.background or "#000000"
        return picture(lines, shot.size[0], shot.title, ground)


async def _at_rest(pilot: Pilot[int]) -> list[Strip]:
    """The screen's lines once nothing moves any more.

    Raises:
        RuntimeError: it does not come to rest.
    """
    seen: list[Strip] = []
    same = 0
    for _ in range(_LONGEST):
        await pilot.pause()
        before, seen = seen, _lines(pilot)
        busy = any(worker.is_running for worker in pilot.app.workers)
        same = same + 1 if seen == before and not busy else 0
        if same == _AT_REST:
            return seen
    raise RuntimeError("the screen does not come to rest")


def _lines(pilot: Pilot[int]) -> list[Strip]:
    app = pilot.app
    update = app.screen._compositor.render_update(
        full=True,
        screen_stack=app._background_screens,
    )
    return [Strip.join(strips).simplify().discard_meta() for strips in update.strips]  # type: ignore[union-attr]


def main(arguments: Sequence[str]) -> int:
    """Write the pictures, or with ``--check`` say which differ. The exit code."""
    os.environ.pop("NO_COLOR", None)
    drawn = asyncio.run(draw())
    changed = [name for name, svg in drawn.items() if _text(FOLDER / name) != svg]
    if "--check" not in arguments:
        FOLDER.mkdir(exist_ok=True)
        for name in changed:
            (FOLDER / name).write_text(drawn[name], encoding="utf-8")
    for name in changed:
        sys.stdout.write(f"{name}: {'differs' if '--check' in arguments else 'drawn'}\n")
    return 1 if changed and "--check" in arguments else 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
