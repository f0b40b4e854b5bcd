"""The People section: who is there, their stories, and what is done to them besides deleting."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.conftest import Play
from tests.flows.erasing import delete, person, stand_on
from tests.flows.world import Desk, World
from tui.screens.shell import LEAST

SIZES = [LEAST, (60, 20), (80, 24), (120, 30), (200, 50)]
TOM = "tom@example.com"
JSON = {"content-type": "application/json"}


@pytest.fixture
def shop(world: World) -> World:
    """A shop whose people have something to tell."""
    tom = person(world, TOM)["id"]
    world.post(f"/v1/people/{tom}/notes", {"body": "Wants no wool.\nCalled twice about it."}, "support")
    world.post(
        f"/v1/people/{tom}/billing-profiles",
        {"label": "Work", "company": "Avery Ltd", "tax_id": "GB123456789", "is_default": True},
        "owner",
    )
    world.post(
        "/v1/tickets",
        {"title": "Where is my tee?", "description": "It has been a week.", "email": TOM},
        "support",
    )
    return world


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_people(shop: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", *"jjjj")

    play(script, size=size)


@pytest.mark.parametrize("size", [(60, 20), (80, 40), (120, 40)], ids="{0[0]}x{0[1]}".format)
def test_a_customer_open(shop: World, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        await desk.press("enter")

    play(script, size=size)


def test_a_member_of_staff_open(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter")
        assert "support, used just now" in desk.text

    play(script)


@pytest.mark.parametrize("theme", ["shopbell-light", "ansi-dark"])
def test_people_in_other_themes(shop: World, play: Play, theme: str) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)

    play(script, size=(120, 30), app=shop.app(theme=theme))


def test_people_in_ascii(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", "slash", *"tom", "enter", "enter")
        told = "\n".join(line[:78] for line in desk.screen)  # the last cells are the scroll bar's
        assert told.replace("£", "").isascii()

    play(script, app=shop.app(ascii_only=True), picture=False, size=(80, 50))


def test_the_story_tells_what_there_is(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        await desk.press("enter")
        for said in (
            "1 Sock Lane, E1 6AN London",
            "Open tickets 1",
            "Where is my tee?",
            "submission failed",
            "£28.00",
            "Avery Ltd",
            "INTERNAL",
            "Wants no wool.",
            "Called twice about it.",
        ):
            assert said in desk.text

    play(script, picture=False, size=(80, 60))


def test_tabs_and_their_counts(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", "right_square_bracket")
        assert "[Customers] 9" in desk.text
        assert "Olive Owner" not in desk.text.split("\n", 2)[2]
        await desk.press("right_square_bracket")
        assert "[Staff] 4" in desk.text
        assert "Tom Avery" not in desk.text

    play(script, picture=False)


@pytest.mark.parametrize(
    ("words", "wanted"), [("avery", "Tom Avery"), ("PRIYA@", "Priya Nair"), ("nobody-at-all", "Nobody has")]
)
def test_people_are_found(shop: World, play: Play, words: str, wanted: str) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", "slash", *words, "enter")
        assert wanted in desk.text
        assert "Mei Lin" not in desk.text

    play(script, picture=False)


def test_signs_tell_roles_apart_without_a_colour(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3")
        signs = {
            name: next(line for line in desk.screen if f"{name}@example.com" in line)[1]
            for name in ("owner", "admin", "support", "readonly", "tom")
        }
        assert len(set(signs.values())) == len(signs)

    play(script, picture=False)


# Editing.


def test_somebody_is_edited(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        who = await stand_on(desk, TOM)
        await desk.press("e")
        await desk.press("end", *[" ", "J", "r"], "tab", "tab", *"0123456")
        await desk.press("enter")
        after = shop.get(f"/v1/people/{who}")
        assert (after["name"], after["phone"], after["email"]) == ("Tom Avery Jr", "0123456", TOM)
        assert "✓ Tom Avery Jr: name, phone changed" in desk.bar("status")
        assert "Tom Avery Jr" in desk.cursor

    play(script, picture=False)


def test_an_address_that_somebody_has_is_refused(shop: World, play: Play) -> None:
    """Said beside the line; what was typed stays."""

    async def script(desk: Desk) -> None:
        who = await stand_on(desk, TOM)
        await desk.press("e", "tab", "end", *["backspace"] * len(TOM), *"MEI@example.com", "enter")
        assert "Somebody else here has this e-mail already." in desk.text
        assert "MEI@example.com" in desk.text
        assert shop.get(f"/v1/people/{who}")["email"] == TOM

    play(script)


def test_editing_is_left_as_it_was(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        who = await stand_on(desk, TOM)
        await desk.press("e", *"xyz", "escape")
        assert "Edit Tom" not in desk.text
        assert shop.get(f"/v1/people/{who}")["name"] == "Tom Avery"
        await desk.press("j")
        assert "Tom Avery" not in desk.cursor

    play(script, picture=False)


# Notes.


def test_a_note_is_written_and_a_draft_is_kept(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        who = await stand_on(desk, "mei@example.com")
        await desk.press("c", *"Knows", "escape")
        assert shop.get(f"/v1/people/{who}")["notes"] == []
        await desk.press("c", *" Kim", "enter")
        assert [note["body"] for note in shop.get(f"/v1/people/{who}")["notes"]] == ["Knows Kim"]
        assert "✓ Noted, for staff alone" in desk.bar("status")
        await desk.press("enter")
        assert "Knows Kim" in desk.text

    play(script, picture=False)


def test_writing_a_note(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        await desk.press("c", *"Knows Kim")
        assert "INTERNAL" in desk.text

    play(script)


# Accounts.


async def choose(desk: Desk, *names: str) -> None:
    """Type into a menu, and choose."""
    await desk.press(*"".join(names), "enter")


def test_a_role_is_given(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter", "r", *"read", "enter")
        assert "✓ Support: Support → Read-only" in desk.bar("status")
        assert person(shop, "support@example.com")["account"]["role"] == "readonly"
        assert "□ Read-only" in desk.text

    play(script, picture=False)


def test_roles_that_cannot_be_given_say_why(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter", "r")

    play(script, app=shop.app("admin"))


def test_the_owners_role_is_refused_with_the_reason(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter", "r", *"owner", "enter")
        assert "✖ The Owner's role cannot be granted." in desk.bar("status")
        assert person(shop, "support@example.com")["account"]["role"] == "support"

    play(script, picture=False)


def test_a_guest_has_no_role(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        await desk.press("enter", "r")
        assert "A guest has no account here." in desk.bar("status")

    play(script, picture=False)


def test_an_account_is_barred_after_one_question(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter", "b")
        assert "Bar Support?" in desk.text
        assert "1 token" in desk.text
        assert person(shop, "support@example.com")["account"]["active"] is True
        await desk.press("enter")
        assert "✓ Support is barred, which ends 1 token" in desk.bar("status")
        assert person(shop, "support@example.com")["account"]["active"] is False
        answer = shop.http.get("/v1/me", headers=shop.staff.bearer("support"))
        assert answer.status_code == 401
        await desk.press("b")
        assert "✓ Support may come in again" in desk.bar("status")
        assert person(shop, "support@example.com")["account"]["active"] is True

    play(script, picture=False)


def test_the_question_before_barring(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter", "b")

    play(script)


def test_the_question_is_left(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter", "b", "escape")
        assert person(shop, "support@example.com")["account"]["active"] is True
        assert "Bar Support?" not in desk.text

    play(script, picture=False)


@pytest.mark.parametrize(
    ("email", "role", "said"),
    [
        ("owner@example.com", "owner", "You cannot bar yourself."),
        ("owner@example.com", "admin", "The last active Owner cannot be barred"),
    ],
)
def test_who_cannot_be_barred(shop: World, play: Play, email: str, role: Any, said: str) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, email)
        await desk.press("enter", "b")
        assert said in desk.bar("status")
        assert person(shop, email)["account"]["active"] is True

    play(script, app=shop.app(role), picture=False)


# Inviting.


def test_somebody_is_invited_with_a_code_that_is_shown_once(
    shop: World, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", "plus", *"kim@example.com", "tab", *"Kim Ruiz", "tab", "right", "enter")
        page = desk.shell.section.page  # type: ignore[attr-defined]
        code, _told = page.copied()
        assert code in desk.text
        assert code not in repr(page)
        row = person(shop, "kim@example.com")
        assert (row["name"], row["account"]["role"], row["account"]["invited"]) == (
            "Kim Ruiz",
            "readonly",
            True,
        )
        await desk.press("y")
        assert desk.pilot.app.clipboard == code
        assert code not in desk.bar("status")
        await desk.press("escape")
        assert code not in desk.text
        assert code not in caplog.text
        made = shop.http.post("/v1/invitations/accept", json={"code": code})
        assert made.status_code == 201

    play(script, picture=False)


def test_inviting(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", "plus", *"kim@example.com", "tab", *"Kim Ruiz", "tab")

    play(script)


def test_an_invitation_to_what_is_no_address(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", "plus", *"kim", "enter")
        assert "This is not an e-mail address." in desk.text
        assert shop.get("/v1/people/counts")["staff"] == 4

    play(script, picture=False)


def test_somebody_who_works_here_is_not_invited_again(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", "plus", *"support@example.com", "enter")
        assert "Somebody else here has this e-mail already." in desk.text

    play(script, picture=False)


# Elsewhere.


def test_all_orders_of_somebody_and_back(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "ines@example.com")
        await desk.press("o")
        assert "Ines Duarte" in desk.text
        assert "Tom Avery" not in desk.text
        assert "2 orders" in desk.bar("status")
        await desk.press("q")
        assert "Ines Duarte" in desk.cursor
        assert "3 People" in desk.bar("identity")

    play(script, picture=False)


def test_the_e_mail_is_copied(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        await desk.press("y")
        assert desk.pilot.app.clipboard == TOM

    play(script, picture=False)


def test_the_history_of_somebody(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter", "r", *"read", "enter", "H")
        assert "History · Support" in desk.text
        assert "support → readonly" in desk.text

    play(script, size=(80, 30))


def test_the_history_is_left(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, "support@example.com")
        await desk.press("enter", "H")
        assert "What may be done" not in desk.text
        await desk.press("escape")
        assert "What may be done" in desk.text

    play(script, picture=False)


def test_all_that_is_held_is_written_into_a_file(
    shop: World, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))

    async def script(desk: Desk) -> None:
        who = await stand_on(desk, TOM)
        await desk.press("enter", "colon", *"person.export", "enter")
        [file] = (tmp_path / "home" / "shopbell" / "exports").iterdir()
        assert file.name == f"person-{who}.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        held = json.loads(file.read_text())
        assert held["person_id"] == who
        assert TOM in file.read_text()
        assert "✓ All that is held about Tom Avery (" in desk.bar("status")

    play(script, picture=False, size=(200, 50))


def test_an_export_that_breaks_off_leaves_no_file(
    shop: World, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))

    async def broken() -> AsyncIterator[bytes]:
        yield b'{"person_id": "'
        raise httpx.ReadError("the line is cut")

    def cut(request: httpx.Request) -> httpx.Response | None:
        export = request.url.path.endswith("/export")
        return httpx.Response(200, headers=JSON, content=broken()) if export else None

    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        shop.line.spoiled = cut
        await desk.press("enter", "colon", *"person.export", "enter")
        assert list((tmp_path / "home" / "shopbell" / "exports").iterdir()) == []
        assert "broke before the answer was complete" in desk.bar("status")

    play(script, picture=False, size=(200, 50))


# What else a screen must be.


def test_changes_elsewhere_show_by_themselves(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        who = await stand_on(desk, TOM)
        await desk.press("enter")
        shop.post(f"/v1/people/{who}/notes", {"body": "Called again."}, "admin")
        await desk.poll()
        assert "Called again." in desk.text
        await desk.press("escape")
        shop.post("/v1/users", {"email": "kim@example.com", "name": "Kim Ruiz", "role": "support"}, "admin")
        await desk.poll()
        assert "1 new" in desk.bar("status")
        assert "Tom Avery" in desk.cursor

    play(script, picture=False, size=(80, 60))


def test_nothing_is_asked_while_nothing_happens(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        await desk.press("enter")
        before = desk.text
        shop.line.seen.clear()
        await desk.poll()
        await desk.poll()
        assert set(shop.line.seen) == {"GET /v1/pulse"}
        assert desk.text == before

    play(script, picture=False)


def test_a_reader_may_look_and_not_touch(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await stand_on(desk, TOM)
        footer = desk.bar("footer")
        assert not any(word in footer for word in ("edit", "note", "deletion", "invite"))
        await desk.press("enter")
        assert "Nothing: your role may look, not change." in desk.text
        await desk.press("e")
        assert "✖ Your role may look at this, not do it." in desk.bar("status")

    play(script, app=shop.app("readonly"), size=(80, 50), picture=False)


def test_nobody_is_here_yet(empty_world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("3", "right_square_bracket")
        assert "No customers yet." in desk.text

    play(script)


def test_people_that_were_never_fetched_say_why(shop: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        shop.line.cut = True
        await desk.press("3")
        assert "tries again" in desk.text

    play(script)


def test_erased_people_are_shown_on_demand(shop: World, play: Play) -> None:
    from server.kit.crypto import Key, KeyRing, SecretBox

    shop.store.setting_source.box = SecretBox(KeyRing([Key.of(b"the key of the tests' secrets...")]))
    mark = delete(shop, "ola@example.com")["mark"]

    async def script(desk: Desk) -> None:
        await desk.press("3")
        assert mark not in desk.text
        await desk.press("colon", *"people.erased", "enter")
        assert f"⟨erased {mark}⟩" in desk.text
        await desk.press("escape")
        assert mark not in desk.text

    play(script, picture=False)
