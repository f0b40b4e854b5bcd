"""Deleting a person: from the typed confirmation to the receipt, when somebody else is at it too, and after a wait."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from server.kit.clock import DAY, HOUR
from server.settings import service as settings
from tests.flows.conftest import Play
from tests.flows.erasing import (
    TOM,
    below_cursor,
    confirm,
    delete,
    person,
    plan,
    plan_of,
    stand_on,
    steady_marks,
    with_receipts,
    work,
)
from tests.flows.world import Desk, World


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    steady_marks(monkeypatch)


@pytest.fixture
def shop(world: World) -> World:
    """The shop of an ordinary morning, with the key that receipts are signed with."""
    return with_receipts(world)


def test_from_the_plan_to_the_receipt(shop: World, play: Play) -> None:
    """Typed, deleted, receipted, cleaned; the row leaves the list, and the order keeps its story with the mark."""
    told = plan_of(shop, TOM)

    async def script(desk: Desk) -> None:
        gone = await plan(desk)
        assert "Cancel" in desk.text
        await desk.press("e", *TOM.upper())
        assert "That is it." in desk.text
        assert person(shop, TOM)["erased_at"] is None
        await desk.press("enter")
        assert person(shop, TOM)["erased_at"] is None  # Enter in the line goes on; it deletes nothing
        await desk.press("enter")
        after = shop.get(f"/v1/people/{gone}")
        assert after["erased_at"] is not None
        assert after["shown"].startswith("⟨erased ")
        assert f"✓ Erased: {after['shown']}" in desk.bar("status")
        assert "erased, cleaning up" in desk.text
        [done] = shop.get("/v1/deletions")["items"]
        assert done["counts"] == {f"{t['fate']} {t['noun']}": t["count"] for t in told["tables"]}
        work(shop)
        await desk.poll()
        assert "✓ clean" in desk.text
        assert "Looked for everywhere: nothing of this person is left." in desk.text
        await desk.press("y")
        assert desk.pilot.app.clipboard == done["id"]
        assert "receipt's number was sent" in desk.bar("status")

    play(script)


def test_the_list_after_the_receipt(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        below = below_cursor(desk)
        await plan(desk)
        await confirm(desk)
        await desk.press("escape")
        assert "Tom Avery" not in desk.text
        assert "12 people" in desk.bar("status")
        assert "Customers 8" in desk.text
        assert desk.shell.section.list.cursor_id == below
        assert "Deleted by somebody else" not in desk.text

    play(script)


def test_the_order_keeps_its_story_with_the_mark(shop: World, play: Play) -> None:
    number = next(row["number"] for row in shop.get("/v1/orders", q=TOM)["items"])

    async def script(desk: Desk) -> None:
        await desk.press("1")
        assert "Tom Avery" in desk.text
        await plan(desk)
        await confirm(desk)
        await desk.press("escape", "1")
        shown = f"⟨erased {shop.get('/v1/deletions')['items'][0]['mark']}⟩"
        assert "Tom Avery" not in desk.text
        assert shown in desk.text
        desk.shell.section.list.go_to(shop.get(f"/v1/orders/{number}")["id"])
        await desk.press("enter")
        assert f"{number} · {shown}" in desk.text
        assert "Order placed" in desk.text
        assert TOM not in desk.text

    play(script, size=(80, 40))


def test_the_receipt_is_found_again_among_the_erased(shop: World, play: Play) -> None:
    delete(shop, TOM)
    work(shop)

    async def script(desk: Desk) -> None:
        await desk.press("3", "colon", *"people.erased", "enter")
        assert "⟨erased " in desk.text
        found = next(row["id"] for row in shop.get("/v1/people", erased="true")["items"] if row["erased_at"])
        desk.shell.section.list.go_to(found)
        await desk.press("enter")
        assert "Looked for everywhere: nothing of this person is left." in desk.text
        assert "Deleted by somebody else" not in desk.text

    play(script)


def test_after_the_drift_the_new_plan_is_carried_out(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        gone = await plan(desk)
        shop.order("Tom Avery", 1900)
        await confirm(desk)
        assert "Something changed" in desk.text
        await confirm(desk)
        assert shop.get(f"/v1/people/{gone}")["erased_at"] is not None
        assert shop.get("/v1/deletions")["items"][0]["counts"]["anonymise orders"] == 2

    play(script, picture=False)


# The server checks again.


def test_a_rank_that_was_lost_meanwhile(shop: World, play: Play) -> None:
    """The plan was allowed, the deletion is not any more: the server checks again, and says the right thing."""

    async def script(desk: Desk) -> None:
        who = await plan(desk, "support@example.com")
        shop.http.patch(
            f"/v1/users/{person(shop, 'support@example.com')['account']['id']}",
            json={"role": "admin"},
            headers=shop.staff.bearer("owner"),
        ).raise_for_status()
        await confirm(desk, "support@example.com")
        assert "Only an Owner may do this to an Admin." in " ".join(desk.text.split())
        assert shop.get(f"/v1/people/{who}")["erased_at"] is None

    play(script, app=shop.app("admin"), picture=False)


def test_too_many_deletions(shop: World, play: Play) -> None:
    """The eleventh within an hour is refused, with when again; then it is done."""
    for number in range(10):
        shop.order(f"Somebody{number} Else", 1900)
        delete(shop, f"somebody{number}@example.com")

    async def script(desk: Desk) -> None:
        who = await plan(desk)
        await confirm(desk)
        assert "You asked for 10 deletions within the hour." in desk.text
        assert "That is at 11:14. Nothing was deleted." in " ".join(desk.text.split())
        assert shop.get(f"/v1/people/{who}")["erased_at"] is None
        shop.clock.advance(HOUR)
        await desk.press("e", "enter", "enter")
        assert shop.get(f"/v1/people/{who}")["erased_at"] is not None

    play(script, picture=False)


def test_how_too_many_deletions_look(shop: World, play: Play) -> None:
    for number in range(10):
        shop.order(f"Somebody{number} Else", 1900)
        delete(shop, f"somebody{number}@example.com")

    async def script(desk: Desk) -> None:
        await plan(desk)
        await confirm(desk)

    play(script)


# Somebody else is at it, too.


def test_a_row_that_somebody_else_deletes_leaves_the_list(shop: World, play: Play) -> None:
    """The cursor stays where it is, the counts are right, and nothing claims a success."""

    async def script(desk: Desk) -> None:
        await stand_on(desk, "priya@example.com")
        delete(shop, TOM, "admin")
        await desk.poll()
        assert "Tom Avery" not in desk.text
        assert "Priya Nair" in desk.cursor
        assert "Customers 8" in desk.text
        assert "12 people" in desk.bar("status")
        assert "✓" not in desk.bar("status")

    play(script, picture=False)


@pytest.mark.parametrize("size", [(80, 24), (120, 30)], ids="{0[0]}x{0[1]}".format)
def test_an_open_story_of_somebody_deleted_elsewhere(shop: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        await desk.press("enter")
        mark = delete(shop, TOM, "admin")["mark"]
        await desk.poll()
        assert f"Deleted by somebody else: ⟨erased {mark}⟩" in desk.text
        assert "tom@example.com" not in desk.text
        assert "✓" not in desk.bar("status")
        await desk.poll()
        assert f"Deleted by somebody else: ⟨erased {mark}⟩" in desk.text

    play(script, size=size)


def test_it_leads_back_to_the_list(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        below = below_cursor(desk)
        await desk.press("enter")
        delete(shop, TOM, "admin")
        await desk.poll()
        await desk.press("escape")
        assert "Deleted by" not in desk.text
        assert desk.shell.section.list.cursor_id == below
        await desk.press("enter")
        assert "Deleted by" not in desk.text

    play(script, picture=False)


def test_somebody_else_is_faster_than_the_plan(shop: World, play: Play) -> None:
    """While the plan is read, and when it is pressed without having heard."""

    async def script(desk: Desk) -> None:
        await plan(desk)
        await desk.press("e", *TOM, "enter")
        mark = delete(shop, TOM, "admin")["mark"]
        await desk.press("enter")
        assert f"Deleted by somebody else: ⟨erased {mark}⟩" in desk.text
        assert "Delete for good" not in desk.text
        assert "✓" not in desk.bar("status")
        assert len(shop.get("/v1/deletions")["items"]) == 1

    play(script, picture=False)


def test_an_answer_that_was_lost_is_found_again(shop: World, play: Play) -> None:
    """It was done, and the answer did not come: what the reader did is not said to be somebody else's."""

    async def script(desk: Desk) -> None:
        gone = await plan(desk)
        carried = shop.line.spoiled

        def cut(request: Any) -> Any:
            if request.url.path.endswith("/deletion"):
                if not shop.get(f"/v1/people/{gone}")["erased_at"]:
                    delete(shop, TOM)
                raise httpx.ReadError("the line is cut")
            return None

        shop.line.spoiled = cut
        await confirm(desk)
        assert shop.get(f"/v1/people/{gone}")["erased_at"] is not None
        shop.line.spoiled = carried
        await desk.poll()
        assert "Deleted by somebody else" not in desk.text
        assert "erased, cleaning up" in desk.text

    play(script, picture=False)


# The grace period.


@pytest.fixture
def patient(shop: World) -> World:
    """Erasures wait for three days."""
    shop.store.write(lambda tx: settings.set_value(tx, "deletion.grace_days", "3"))
    return shop


def test_an_erasure_that_waits(patient: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        gone = await plan(desk)
        assert "would wait 3 days" in desk.text
        await confirm(desk)
        assert "✓ Erasure scheduled" in desk.bar("status")
        assert "Nothing is erased before Thu 26 Feb 2026 10:14:00" in " ".join(desk.text.split())
        assert patient.get(f"/v1/people/{gone}")["hidden"] is True

    play(script)


def test_it_is_called_off(patient: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        gone = await plan(desk)
        await confirm(desk)
        await desk.press("escape")
        assert TOM not in desk.text
        await desk.press("colon", *"people.erased", "enter")
        assert "goes soon" in desk.text
        assert desk.shell.section.list.go_to(gone)
        await desk.press("enter")
        assert "Will be erased Thu 26 Feb 2026 10:14:00" in " ".join(desk.text.split())
        await desk.press("D")
        assert "restore them first" in desk.bar("status")
        await desk.press("colon", *"person.restore", "enter")
        assert "✓ Tom Avery stays: the erasure is called off." in desk.bar("status")
        assert patient.get(f"/v1/people/{gone}")["hidden"] is False
        assert "Will be erased" not in desk.text

    play(script, picture=False)


def test_how_somebody_looks_who_will_be_erased(patient: World, play: Play) -> None:
    gone = person(patient, TOM)["id"]
    delete(patient, TOM)

    async def script(desk: Desk) -> None:
        await desk.press("3", "colon", *"people.erased", "enter")
        desk.shell.section.list.go_to(gone)
        await desk.press("enter")

    play(script)


def test_the_grace_period_ends(patient: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        gone = await plan(desk)
        await confirm(desk)
        patient.clock.advance(3 * DAY)
        work(patient)
        await desk.poll()
        assert "✓ clean" in desk.text
        assert patient.get(f"/v1/people/{gone}")["erased_at"] is not None

    play(script, picture=False)
