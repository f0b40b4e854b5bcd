"""The Tickets section: customers are answered, notes stay among staff, and what is changed can be taken back."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.flows.conftest import Play
from tests.flows.helpdesk import BLANKET, PARCEL, Helpdesk, open_helpdesk
from tests.flows.world import Desk, World
from tui.screens.shell import LEAST

SIZES = [LEAST, (60, 20), (80, 24), (120, 30), (200, 50)]
SPELT = {" ": "space", "-": "minus", ".": "full_stop", "?": "question_mark", ",": "comma", "#": "number_sign"}


@pytest.fixture
def asked(world: World) -> Helpdesk:
    return open_helpdesk(world)


async def writes(desk: Desk, text: str) -> None:
    """Type a text."""
    await desk.press(*[SPELT.get(letter, letter) for letter in text])


async def opens(desk: Desk, asked: Helpdesk, key: str) -> None:
    """Go to the section and open a ticket."""
    await desk.press("4")
    assert desk.shell.section.list.go_to(asked.ids[key])
    await desk.press("enter")


def listed(desk: Desk) -> list[str]:
    """The numbers that the list shows, from the top."""
    source = desk.shell.section.list.source
    rows: list[Any] = [source.row_at(at) for at in range(len(source))]
    return [f"#{row.number}" for row in rows]


def flowing(desk: Desk) -> str:
    """The screen's words, wherever its lines end."""
    return " ".join(desk.text.replace("▌", " ").split())


# Pictures.


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_tickets(asked: Helpdesk, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4")

    play(script, size=size)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_a_ticket_open(asked: Helpdesk, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")

    play(script, size=size)


@pytest.mark.parametrize("theme", ["shopbell-light", "ansi-dark"])
def test_a_ticket_in_other_themes(world: World, asked: Helpdesk, play: Play, theme: str) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("c")

    play(script, size=(120, 40), app=world.app(theme=theme))


def test_tickets_in_ascii(world: World, asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("G")
        assert "# INTERNAL  support@example.com" in desk.text
        assert "# Send another if it is not found today." in desk.text
        assert "| Mei Lin - customer" in desk.text
        assert desk.text.replace("£", "").isascii()

    play(script, app=world.app(ascii_only=True), size=(80, 40))


@pytest.mark.parametrize("size", [(60, 20), (80, 24)], ids="{0[0]}x{0[1]}".format)
def test_a_reply_being_written(asked: Helpdesk, play: Play, size: tuple[int, int]) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("r")
        await writes(desk, "We send another")

    play(script, size=size)


def test_a_note_being_written(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("c")
        await writes(desk, "She is a regular")
        assert "INTERNAL  Note on #3, for staff alone" in desk.text

    play(script)


# What is said.


def test_a_reply_reaches_the_customer_and_a_note_does_not(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("r")
        assert "Reply to mei@example.com, #3" in desk.text
        assert "send" in desk.bar("footer")
        await writes(desk, "We send another")
        await desk.press("ctrl+n")
        await writes(desk, "today.")
        await desk.press("enter")
        assert "✓ Replied: #3" in desk.bar("status")
        assert "sends it" not in desk.text
        await desk.press("c")
        await writes(desk, "Costs us 60 pounds")
        await desk.press("enter")
        assert "✓ Saved for staff alone: #3" in desk.bar("status")
        assert "║ Costs us 60 pounds" in desk.text
        seen = [said["body"] for said in asked.reads("parcel", "Mei Lin")["comments"]]
        assert seen[-1] == "We send another\ntoday."
        assert "Costs us 60 pounds" not in json.dumps(asked.reads("parcel", "Mei Lin"))
        asked.answers("parcel", "Mei Lin", "Thank you!")
        await desk.poll()
        await desk.press("G")
        assert "┃ Thank you!" in desk.text

    play(script, size=(80, 40))


def test_nothing_written_is_lost(world: World, asked: Helpdesk, play: Play) -> None:
    """A draft survives leaving, another ticket, another section, a refusal and a line that is cut."""

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("r")
        await writes(desk, "We are so")
        await desk.press("escape")
        assert "What you wrote is kept: r goes on with it." in desk.bar("status")
        assert "You left a reply that is not sent: r goes on with it." in desk.text
        await desk.press("J", "r")
        assert "We are so" not in desk.text
        await writes(desk, "Other")
        await desk.press("escape", "1", "4", "K", "r")
        assert "We are so" in desk.text
        await writes(desk, "rry")
        world.line.cut = True
        await desk.press("enter")
        assert "What you wrote is kept." in flowing(desk)
        assert "We are sorry" in desk.text
        await desk.press("escape", "r")
        assert "We are sorry" in desk.text  # also without a line
        world.line.cut = False
        asked.changes("parcel", status="resolved")
        asked.changes("parcel", status="closed")
        await desk.press("enter")
        assert "The ticket is closed. Open it again first." in flowing(desk)
        assert "We are sorry" in desk.text
        asked.changes("parcel", status="open")
        await desk.press("enter")
        assert "✓ Replied: #3" in desk.bar("status")
        assert asked.reads("parcel", "Mei Lin")["comments"][-1]["body"] == "We are sorry"
        await desk.press("r")
        assert "We are sorry" not in desk.text.partition("Reply to")[2]

    play(script, picture=False)


def test_quitting_asks_where_something_written_would_be_lost(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("r")
        await writes(desk, "Not sent")
        await desk.press("escape", "q", "q")
        assert "1 text you wrote is not sent." in flowing(desk)
        await desk.press("n", "enter", "r")
        assert "Not sent" in desk.text

    play(script, picture=False)


def test_a_reply_whose_answer_was_lost_arrives_once(world: World, asked: Helpdesk, play: Play) -> None:
    said = "We send another"
    before = len(asked.reads("parcel", "Mei Lin")["comments"])
    lost: list[str] = []

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        inner = world.line._inner.handle_async_request

        async def drops(request: httpx.Request) -> httpx.Response:
            answer = await inner(request)
            if request.method == "POST" and request.url.path.endswith("/comments") and len(lost) < 2:
                lost.append(request.headers["idempotency-key"])
                raise httpx.ReadError("the answer is lost")
            return answer

        world.line._inner.handle_async_request = drops  # type: ignore[method-assign]
        await desk.press("r")
        await writes(desk, said)
        await desk.press("enter")
        assert "What you wrote is kept." in flowing(desk)
        await desk.press("enter")
        assert "✓ Replied: #3" in desk.bar("status")

    play(script, picture=False)
    assert lost
    told = asked.reads("parcel", "Mei Lin")["comments"]
    assert [each["body"] for each in told[before:]] == [said]


def test_a_new_ticket(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4", "+")
        await desk.press("enter")
        assert "Nothing is written yet." in desk.text
        await writes(desk, "Tom")
        await desk.press("enter")
        assert "The first line is the customer's e-mail." in desk.text
        await writes(desk, "@example.com")
        await desk.press("ctrl+n")
        await writes(desk, "On the phone")
        await desk.press("ctrl+n")
        await writes(desk, "He wants blue ones.")
        await desk.press("enter")
        assert "✓ Opened: #6" in desk.bar("status")
        assert "On the phone" in desk.cursor

    play(script)


# What is changed.


def test_assigning_and_taking_back(world: World, asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        await desk.press("a")
        assert "Olive Owner" in desk.text
        assert "Readonly" not in desk.text
        await desk.press("enter")
        assert "✓ Taken: #5 · z undoes" in desk.bar("status")
        assert asked.ticket("blanket")["assigned_to"]["id"] == world.staff.users["owner"]
        assert asked.ticket("blanket")["status"] == "in_progress"
        assert "with you" in desk.text
        await desk.press("a")
        await writes(desk, "support")
        await desk.press("enter")
        assert "✓ Given to Support: #5" in desk.bar("status")
        await desk.press("z")
        assert "✓ Undone: given to Support, #5 · Z redoes" in desk.bar("status")
        assert asked.ticket("blanket")["assigned_to"]["id"] == world.staff.users["owner"]
        await desk.press("z")
        assert asked.ticket("blanket")["assigned_to"] is None
        assert asked.ticket("blanket")["status"] == "open"
        await desk.press("Z")
        assert asked.ticket("blanket")["assigned_to"]["id"] == world.staff.users["owner"]
        await desk.press("A")
        assert asked.ticket("blanket")["assigned_to"] is None
        await desk.press("A")
        assert "✖ Nobody has it." in desk.bar("status")

    play(script)


def test_priority_status_and_the_same_again(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4")
        desk.shell.section.list.go_to(asked.ids["invoice"])
        await desk.press("p")
        await writes(desk, "urgent")
        await desk.press("enter")
        assert "✓ Priority urgent: #4 · z undoes" in desk.bar("status")
        assert asked.ticket("invoice")["priority"] == "urgent"
        desk.shell.section.list.go_to(asked.ids["gift"])
        await desk.press("full_stop")
        assert asked.ticket("gift")["priority"] == "urgent"
        await desk.press("z")
        assert asked.ticket("gift")["priority"] == "low"
        await desk.press("x")
        assert "✓ Resolved: #2" in desk.bar("status")
        await desk.press("z")
        assert asked.ticket("gift")["status"] == "open"
        assert "#2" in desk.cursor
        desk.shell.section.list.go_to(asked.ids["invoice"])
        await desk.press("x", "z")
        assert asked.ticket("invoice")["status"] == "in_progress"  # by way of open
        await desk.press("S")
        assert "in progress" in desk.text
        await writes(desk, "closed")
        await desk.press("enter")
        assert asked.ticket("invoice")["status"] == "closed"
        await desk.press("]", "]", "]")
        assert desk.shell.section.list.go_to(asked.ids["invoice"])
        await desk.press("X")
        assert "✓ Opened again: #4" in desk.bar("status")
        assert asked.ticket("invoice")["status"] == "open"

    play(script)


def test_what_somebody_changed_since_is_not_undone(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "gift")
        await desk.press("p")
        await writes(desk, "high")
        await desk.press("enter")
        asked.changes("gift", priority="urgent")
        await desk.press("z")
        assert "✖ Nothing is undone: #2 was changed by somebody else since." in desk.bar("status")
        assert asked.ticket("gift")["priority"] == "urgent"

    play(script, picture=False)


def test_many_at_once_after_a_question(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4", "space", "space", "x")
        assert "Resolve: 2 tickets?" in desk.text
        assert f"#3 {PARCEL}" in desk.text
        assert f"#5 {BLANKET}" in desk.text
        await desk.press("escape")
        assert asked.ticket("parcel")["status"] == "in_progress"
        await desk.press("x", "enter")
        assert "✓ Resolved: 2 tickets · z undoes" in desk.bar("status")
        assert {asked.ticket(key)["status"] for key in ("parcel", "blanket")} == {"resolved"}
        assert listed(desk) == ["#4", "#2"]
        await desk.press("z")
        assert asked.ticket("parcel")["status"] == "in_progress"
        assert asked.ticket("blanket")["status"] == "open"

    play(script, picture=False)


def test_the_question_before_many(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4", "asterisk", "p")
        await writes(desk, "low")
        await desk.press("enter")
        assert "Priority low: 4 tickets?" in desk.text

    play(script)


def test_when_one_of_many_refuses_none_is_changed(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4", "[")
        assert "[All] 5" in desk.text
        await desk.press("asterisk", "S")
        await writes(desk, "in progress")
        await desk.press("enter", "enter")
        assert "✖ Ticket #1: " in desk.bar("status")
        assert "Nothing was changed." in desk.bar("status")
        assert asked.ticket("gift")["status"] == "open"

    play(script)


# What others do meanwhile.


def test_what_others_do_moves_by_itself(world: World, asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4")
        assert "4 Tickets 4" in desk.bar("identity")
        desk.shell.section.list.go_to(asked.ids["invoice"])
        world.at("10:15")
        asked.asks("late", "Tom Avery", "Am I late?", "I wrote now.")
        asked.changes("gift", status="resolved")
        await desk.poll()
        assert "4 Tickets 4" in desk.bar("identity")
        assert listed(desk) == ["#3", "#5", "#4"]
        assert "#4" in desk.cursor
        assert "1 new" in desk.text
        asked.changes("invoice", status="resolved")  # under the cursor
        await desk.poll()
        assert listed(desk) == ["#3", "#5"]
        assert "#5" in desk.cursor
        await desk.press("g")
        assert listed(desk) == ["#6", "#3", "#5"]

    play(script)


def test_what_the_reader_moves_is_no_news_to_them(world: World, asked: Helpdesk, play: Play) -> None:
    """Also what they take back, and with many at once; what a customer writes in the same tickets is."""

    async def script(desk: Desk) -> None:
        await desk.press("4")
        world.at("10:15")
        assert desk.shell.section.list.go_to(asked.ids["gift"])
        await desk.press("a", "enter", "z")
        await desk.poll()
        assert listed(desk)[-1] == "#2", "it stays where the cursor is"
        assert "new" not in desk.bar("status")
        await desk.press("r")
        await writes(desk, "It can")
        await desk.press("enter", "escape")
        await desk.poll()
        assert "4 tickets" in desk.bar("status")
        assert "new" not in desk.bar("status")
        world.at("10:16")
        asked.answers("gift", "Priya Nair", "Lovely!")
        await desk.poll()
        assert "1 new" in desk.bar("status")
        await desk.press("g")
        assert listed(desk)[0] == "#2"

    play(script, picture=False)


def test_an_open_ticket_that_leaves_the_list_stays_and_says_so(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        asked.changes("blanket", status="resolved")
        await desk.poll()
        assert "Not in this list any more: it is resolved now." in desk.text
        assert BLANKET in desk.text
        await desk.press("J")
        assert "#4  An invoice with our VAT number" in desk.text
        assert "Not in this list" not in desk.text

    play(script, picture=False)


def test_an_open_ticket_that_is_deleted_stays_and_says_so(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "blanket")
        asked.deletes("blanket")
        await desk.poll()
        assert "This ticket was deleted." in desk.text
        assert BLANKET in desk.text
        await desk.press("x")
        assert desk.bar("status").startswith("✖ ")

    play(script)


def test_an_erased_customer(world: World, asked: Helpdesk, play: Play) -> None:
    """The ticket of somebody who was erased can be read, changed and written in."""
    person = asked.customers["Mei Lin"].person_id
    plan = world.post(f"/v1/people/{person}/deletion/plan", {}, "owner")
    world.post(f"/v1/people/{person}/deletion", {"plan": plan["hash"], "confirm": "mei@example.com"}, "owner")

    async def script(desk: Desk) -> None:
        await desk.press("4")
        assert "⟨erased " in desk.text
        assert "Mei" not in desk.text
        assert desk.shell.section.list.go_to(asked.ids["parcel"])
        await desk.press("enter")
        assert "what they wrote is gone, the ticket goes on" in desk.text
        await desk.press("c")
        await writes(desk, "Still to be paid back")
        await desk.press("enter")
        assert "✓ Saved for staff alone: #3" in desk.bar("status")
        await desk.press("x")
        assert "✓ Resolved: #3" in desk.bar("status")
        assert "mei" not in desk.text.casefold()

    play(script, picture=False)


# Beside it.


def test_from_a_ticket_to_its_order_which_names_it(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        assert "SS-260223-0002 · ● shipped · £112.50" in desk.text
        await desk.press("o")
        assert "SS-260223-0002 · Mei Lin" in desk.text
        assert f"#3 {PARCEL} · ● in progress" in desk.text
        asked.changes("parcel", status="resolved")
        await desk.poll()
        assert f"#3 {PARCEL} · ✓ resolved" in desk.text
        await desk.press("q")
        assert f"#3  {PARCEL}" in desk.text
        await desk.press("y")
        assert "#3 was sent to your terminal's clipboard" in desk.bar("status")
        desk.shell.section.list.go_to(asked.ids["gift"])
        await desk.press("q", "j", "j", "j", "o")
        assert "This ticket stands beside no order." in desk.bar("status")

    play(script, picture=False)


def test_from_an_order_to_the_ticket_beside_it_and_back(world: World, asked: Helpdesk, play: Play) -> None:
    """The one under the cursor, else the newest; where there is none it is said."""
    second = asked.asks("second", "Mei Lin", "And the tea?", "It was in the same box.", "SS-260223-0002")

    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("o")
        assert "And the tea?" in desk.text
        await desk.press("o")
        assert "And the tea?" in desk.text
        assert desk.shell.section.NAME == "tickets"
        assert desk.shell.section.subject == second
        await desk.press("q")
        assert desk.shell.section.NAME == "orders"
        assert desk.shell.section.story.select(f"ticket:{asked.ids['parcel']}")
        await desk.press("o")
        assert desk.shell.section.subject == asked.ids["parcel"]
        await desk.press("q", "q", "1", "g", "o")
        assert "No ticket stands beside this order." in desk.bar("status")

    play(script, picture=False)


def test_an_order_shows_its_tickets(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        await desk.press("o")

    play(script, size=(80, 40))


def test_a_shop_without_tickets_asks_for_none(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("enter", "J", "J")
        assert not [seen for seen in world.line.seen if "tickets" in seen]
        assert "Tickets" not in desk.text.partition("\n")[2]

    play(script, picture=False)


# Finding.


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("parcel", ["#3"]),
        ("#5", ["#5"]),
        ("søren", ["#4"]),
        ("SS-260223-0002", ["#3"]),
        ("nobody", []),
        ("regular", []),
    ],
)
def test_tickets_are_found(asked: Helpdesk, play: Play, words: str, found: list[str]) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4", "slash")
        await writes(desk, words)
        await desk.press("enter")
        assert listed(desk) == found
        await desk.press("escape")
        assert len(listed(desk)) == 4

    play(script, picture=False)


def test_tabs_and_priorities(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4")
        for tab, found in {"Mine": ["#4"], "Unassigned": ["#5", "#2"], "Resolved": ["#1"]}.items():
            await desk.press("]")
            assert f"[{tab}]" in desk.text
            assert listed(desk) == found
        await desk.press("]")
        assert listed(desk) == ["#3", "#5", "#4", "#2", "#1"]
        await desk.press("f")
        await writes(desk, "high")
        await desk.press("enter")
        assert listed(desk) == ["#3"]
        assert "high  esc clears" in desk.text
        await desk.press("escape")
        assert len(listed(desk)) == 5

    play(script, picture=False)


# When there is nothing, or nobody answers.


def test_no_tickets_yet(empty_world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("4")
        assert "No ticket waits." in desk.text
        await desk.press("r")
        assert "There is no ticket here." in desk.bar("status")

    play(script)


def test_tickets_on_their_way(asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        desk.shell.action_section("tickets")
        await desk.pilot.pause()
        assert "Loading" in desk.text or PARCEL in desk.text
        await desk.settle()
        assert PARCEL in desk.text

    play(script, picture=False)


def test_tickets_that_were_never_fetched_say_why(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        world.line.cut = True
        await desk.press("4")
        assert "tries again" in desk.text

    play(script)


def test_offline_and_back(world: World, asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        world.line.cut = True
        await desk.poll()
        await desk.press("x")
        assert desk.bar("status").startswith("✖ ")
        assert PARCEL in desk.text
        world.line.cut = False
        await desk.poll()
        await desk.press("x")
        assert "✓ Resolved: #3" in desk.bar("status")

    play(script, picture=False)


def test_a_reader_may_look_and_not_touch(world: World, asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        footer = desk.bar("footer")
        assert not any(word in footer for word in ("reply", "resolve", "assign"))
        for key in ("r", "c", "x", "A"):
            await desk.press(key)
            assert "✖ Your role may look at this, not do it." in desk.bar("status"), key

    play(script, app=world.app("readonly"))


def test_nothing_is_written_while_nothing_happens(world: World, asked: Helpdesk, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await opens(desk, asked, "parcel")
        before = desk.text
        world.line.seen.clear()
        await desk.poll()
        await desk.poll()
        assert set(world.line.seen) == {"GET /v1/pulse"}
        assert desk.text == before

    play(script, picture=False)
