"""What customers hand in beside a ticket: told in its story, saved to be looked at elsewhere, never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest

from server.settings import service as settings
from tests.flows.conftest import Play
from tests.flows.helpdesk import Helpdesk, open_helpdesk
from tests.flows.test_tickets import opens
from tests.flows.world import Desk, World
from tests.support.hostile import HOSTILE
from tui.screens.saving import safe_name

ANA = "Ana María Restrepo de la Cruz"
PHOTO = b"\xff\xd8\xff\x1b[2J a hole"


@pytest.fixture
def asked(world: World) -> Helpdesk:
    return open_helpdesk(world)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are saved."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "shopbell" / "files"


def saved(kept: Path) -> list[Path]:
    """The files that were saved."""
    return list(kept.iterdir()) if kept.exists() else []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids="{0[0]}x{0[1]}".format)
def test_a_file_beside_a_ticket(asked: Helpdesk, play: Play, size: tuple[int, int]) -> None:
    asked.hands_in("blanket", ANA, "hole in the blanket.jpg", PHOTO * 9000)
    asked.hands_in("blanket", ANA, "receipt.pdf", PHOTO)

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        await desk.press("G")
        assert "hole in the blanket.jpg" in desk.text
        assert "Files" in desk.text

    play(script, size=size)


def test_it_is_told_when_it_comes_and_saved_as_it_came(asked: Helpdesk, play: Play, kept: Path) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        assert "W file" not in desk.text
        await desk.press("W")
        assert "There is no file beside this ticket." in desk.bar("status")
        file_id = asked.hands_in("blanket", ANA, "../a hole; rm -rf.JPG", PHOTO)
        await desk.poll()
        assert "../a hole; rm -rf.JPG" in desk.text
        assert "W file" in desk.text
        await desk.press("W")
        [file] = saved(kept)
        assert file.name == f"a-hole-rm--rf-{file_id[-6:]}.jpg"
        assert file.read_bytes() == PHOTO
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "✓ ../a hole; rm -rf.JPG (14 bytes) stands in" in desk.bar("status")

    play(script, picture=False, size=(200, 50))


def test_of_several_one_is_chosen(asked: Helpdesk, play: Play, kept: Path) -> None:
    for name in ("front.jpg", "back.jpg"):
        asked.hands_in("blanket", ANA, name, name.encode())

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        await desk.press("W", "down", "enter")
        assert [file.read_bytes() for file in saved(kept)] == [b"front.jpg"]
        await desk.press("W", "escape")
        assert len(saved(kept)) == 1

    play(script, picture=False, size=(120, 30))


def test_which_of_several(asked: Helpdesk, play: Play) -> None:
    for name in ("front.jpg", "back.jpg"):
        asked.hands_in("blanket", ANA, name, PHOTO)

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        await desk.press("W")

    play(script)


def test_a_file_that_cannot_be_fetched_leaves_nothing(
    world: World, asked: Helpdesk, play: Play, kept: Path
) -> None:
    asked.hands_in("blanket", ANA, "front.jpg", PHOTO)

    def gone(request: httpx.Request) -> httpx.Response | None:
        problem = {
            "type": "about:blank",
            "title": "Gone",
            "status": 404,
            "code": "not_found",
            "detail": "Gone.",
        }
        return httpx.Response(404, json=problem) if request.url.path.endswith("/content") else None

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        world.line.spoiled = gone
        await desk.press("W")
        assert desk.bar("status").startswith("✖ ")
        assert saved(kept) == []

    play(script, picture=False)


def test_the_file_of_somebody_who_was_erased(world: World, asked: Helpdesk, play: Play, kept: Path) -> None:
    asked.hands_in("parcel", "Mei Lin", "mei.jpg", PHOTO)
    person = asked.customers["Mei Lin"].person_id
    plan = world.post(f"/v1/people/{person}/deletion/plan", {}, "owner")
    world.post(f"/v1/people/{person}/deletion", {"plan": plan["hash"], "confirm": "mei@example.com"}, "owner")

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        assert "a file that is gone" in desk.text
        await desk.press("W")
        assert "There is no file beside this ticket." in desk.bar("status")
        assert saved(kept) == []

    play(script, picture=False, size=(120, 50))


def test_a_shop_that_wants_no_files_still_shows_what_it_has(
    world: World, asked: Helpdesk, play: Play
) -> None:
    asked.hands_in("blanket", ANA, "front.jpg", PHOTO)
    world.store.write(lambda tx: settings.set_value(tx, "tickets.attachments", "off"))

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        assert "front.jpg" in desk.text

    play(script, picture=False, size=(120, 50))


@pytest.mark.parametrize(
    "text",
    [*(each.text for each in HOSTILE), None, "", "...", "~/.bashrc", "-rf", ".profile", "a" * 300 + ".png"],
)
def test_a_saved_file_has_a_name_that_nothing_trips_over(text: str | None) -> None:
    name = safe_name(text, "7f2a01")
    assert name.isascii()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert name[0].isalnum() or name[0] == "_"
    assert name.count(".") <= 1
    assert len(name) < 90
