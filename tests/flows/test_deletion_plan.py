"""The plan of a deletion: in exact counts, with the reasons; how it is left, and why it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from server.accounts import service as accounts
from tests.flows.conftest import Play
from tests.flows.erasing import TOM, delete, person, plan, plan_of, stand_on, steady_marks, with_receipts
from tests.flows.world import Desk, World
from tui.screens.deletion import DeletionPage

SIZES = [(60, 20), (80, 24), (120, 30), (200, 50)]


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    steady_marks(monkeypatch)


@pytest.fixture
def shop(world: World) -> World:
    """The shop of an ordinary morning, with the key that receipts are signed with."""
    return with_receipts(world)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_the_plan(shop: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await plan(desk)

    play(script, size=size)


@pytest.mark.parametrize("theme", ["shopbell-light", "ansi-dark"])
def test_the_plan_in_other_themes(shop: World, play: Play, theme: str) -> None:
    async def script(desk: Desk) -> None:
        await plan(desk)

    play(script, size=(120, 30), app=shop.app(theme=theme))


def test_the_plan_in_ascii(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await plan(desk)
        told = "\n".join(line[:78] for line in desk.screen)  # the last cells are the scroll bar's
        assert told.replace("⟨erased⟩", "").isascii()  # as the server writes it

    play(script, app=shop.app(ascii_only=True))


def test_every_count_of_the_plan_is_shown(shop: World, play: Play) -> None:
    """What the server counts is what stands there: each kind, under what happens to it, with its reason."""
    told = plan_of(shop, TOM)
    assert {table["fate"] for table in told["tables"]} >= {"delete", "anonymise"}

    async def script(desk: Desk) -> None:
        await plan(desk)
        page = desk.shell.section.page  # type: ignore[attr-defined]
        lines = [
            "".join(text for text, _style in line)
            for block in page.text.blocks
            for line in block.lay(140, desk.shell.desk.glyphs)
        ]
        for table in told["tables"]:
            [line] = [line for line in lines if line.startswith(f"{table['noun']} ")]
            assert line.removeprefix(table["noun"]).split()[0] == f"{table['count']:,}"
            assert table["why"].split(".")[0][:40] in line
        for fate, title in (
            ("delete", "Will be deleted"),
            ("anonymise", "Will be anonymised"),
            ("keep", "Kept, and why"),
        ):
            total = sum(table["count"] for table in told["tables"] if table["fate"] == fate)
            assert any(f"{title} {total:,}" in line for line in lines) == (total > 0)

    play(script, picture=False, size=(200, 50))


# It is not carried out.


@pytest.mark.parametrize(
    "keys", [("escape",), ("enter",), ("e", "t", "o", "escape"), ("e", *TOM, "tab", "enter")]
)
def test_it_is_cancelled(shop: World, play: Play, keys: tuple[str, ...]) -> None:
    """By Escape from anywhere; by Enter at once, for the focus stands on Cancel; by Cancel after typing."""

    async def script(desk: Desk) -> None:
        await plan(desk)
        await desk.press(*keys)
        assert "Delete for good" not in desk.text
        assert "Tom Avery" in desk.cursor
        assert person(shop, TOM)["erased_at"] is None

    play(script, picture=False)


def test_escape_leaves_an_open_story_open(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        await desk.press("enter", "D", "escape")
        assert "What may be done" in desk.text
        await desk.press("escape")
        assert "Tom Avery" in desk.cursor

    play(script, picture=False)


def test_a_wrong_text_is_not_taken(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await plan(desk)
        await desk.press("e", *"tim@example.com", "enter")
        assert f"That is not {TOM}. Nothing was deleted." in desk.text
        await desk.press("tab", "tab", "enter")  # pressed all the same: the server says no
        assert "What was typed is not what must be typed. Nothing was deleted." in desk.text
        assert person(shop, TOM)["erased_at"] is None
        assert "tim@example.com" in desk.text

    play(script)


def test_nothing_is_typed(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await plan(desk)
        await desk.pilot.click("#delete")
        await desk.settle()
        assert "Nothing is typed yet." in desk.text
        assert person(shop, TOM)["erased_at"] is None

    play(script, picture=False)


def test_a_stale_plan_shows_what_moved(shop: World, play: Play) -> None:
    """An order arrives between the plan and the press: refused, the drift, the new plan, and nothing typed."""

    async def script(desk: Desk) -> None:
        await plan(desk)
        await desk.press("e", *TOM, "enter")
        shop.order("Tom Avery", 1900)
        await desk.press("enter")
        assert "Something changed since this plan was made." in desk.text
        assert "1 planned, 2 now" in desk.text
        assert person(shop, TOM)["erased_at"] is None
        page = desk.shell.section.query_one(DeletionPage)
        assert page.query_one("SafeInput").value == ""  # type: ignore[attr-defined]
        assert getattr(desk.pilot.app.focused, "id", "") == "cancel"

    play(script, size=(120, 34))


# Whom it is refused.


REFUSED = [
    ("owner@example.com", "owner", "You cannot delete yourself."),
    ("owner@example.com", "admin", "This is the last active Owner"),
    ("other-admin@example.com", "admin", "Only an Owner may do this to an Admin."),
    ("second@example.com", "admin", "Only an Owner may do this to an Owner."),
]


@pytest.mark.parametrize(("email", "role", "said"), REFUSED, ids=["self", "last-owner", "admin", "owner"])
def test_each_refusal_has_its_own_text(shop: World, play: Play, email: str, role: Any, said: str) -> None:
    """Told on the plan itself, which still is shown; there is nothing to type and nothing to press but Back."""
    if email.startswith("other"):
        shop.post("/v1/users", {"email": email, "name": "Other Admin", "role": "admin"}, "owner")
    if email.startswith("second"):
        shop.store.write(lambda tx: accounts.create_owner(tx, email=email, name="Second Owner"))
    pictured = (email, role) == ("owner@example.com", "admin")

    async def script(desk: Desk) -> None:
        who = await plan(desk, email)
        assert said in " ".join(desk.text.split())
        assert "Delete for good" not in desk.text
        assert "failed" not in desk.text
        assert shop.get(f"/v1/people/{who}")["erased_at"] is None
        if not pictured:
            await desk.press("e", "enter")
            assert said not in " ".join(desk.text.split())  # Enter is Back
            assert shop.get(f"/v1/people/{who}")["erased_at"] is None

    play(script, app=shop.app(role), picture=pictured)


def test_support_may_not_even_plan(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await plan(desk)
        assert "✖ Your role may look at this, not do it." in desk.bar("status")
        assert "D deletion plan" not in desk.bar("footer")
        assert "Delete for good" not in desk.text

    play(script, app=shop.app("support"), picture=False)


# It cannot be shown, or no more.


def test_no_connection_while_it_is_planned(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        shop.line.cut = True
        await desk.press("D")
        assert "tries again" in desk.text
        shop.line.cut = False
        await desk.press("ctrl+r")
        assert "Delete for good" in desk.text

    play(script, picture=False)


def test_the_plan_closes_when_the_person_goes(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await plan(desk)
        mark = delete(shop, TOM, "admin")["mark"]
        await desk.poll()
        assert f"Deleted by somebody else: ⟨erased {mark}⟩" in desk.text

    play(script, picture=False)
