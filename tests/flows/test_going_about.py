"""Finding things and finding back: filter, tabs, jumps, the last view, the command line."""

from __future__ import annotations

import httpx
import pytest

from server.contract.orders import NewCustomer, NewOrder, NewOrderItem
from server.kit.tx import Tx
from server.orders import service as orders
from tests.flows.conftest import Play
from tests.flows.world import Desk, World


def test_a_filter_is_set_and_cleared(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("slash", *"ines", "enter")
        assert "/ines" in desk.text
        assert "2 orders" in desk.bar("status")
        await desk.press("escape")
        assert "10 orders" in desk.bar("status")

    play(script)


def test_a_filter_that_matches_nothing(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("slash", *"zz%", "enter")
        assert "No order matches" in desk.text

    play(script)


def test_tabs_keep_their_place(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("j", "j", "right_square_bracket")
        assert "[Unpaid]" in desk.text
        assert "Nadia Okafor" in desk.cursor
        await desk.press("left_square_bracket")
        assert "0008" in desk.cursor

    play(script)


def test_from_an_entry_to_its_order_and_back(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "slash", *"shipped via", "enter", "enter")
        assert "1 Orders" in desk.bar("identity")
        assert "SS-260223-0002" in desk.text
        assert "Shipped via DHL" in desk.cursor  # it stands at the entry
        await desk.press("q")
        assert "/shipped via" in desk.text
        await desk.press("minus")
        assert "SS-260223-0002" in desk.text

    play(script)


def test_a_list_says_how_long_it_is_and_nothing_false_before_it_knows(world: World, play: Play) -> None:
    def many(tx: Tx) -> None:
        customer = NewCustomer(email="long@example.com", name="Long List")
        items = [NewOrderItem(name="Wool socks", quantity=1, unit_price=900)]
        for _ in range(300):
            orders.create(tx, NewOrder(customer=customer, items=items, currency="GBP"))

    world.store.write(many)

    async def script(desk: Desk) -> None:
        assert "250+ orders" in desk.bar("status")
        await desk.press("asterisk", "space")
        assert "249+ marked" in desk.bar("status")
        await desk.press("escape", "enter")
        assert desk.bar("status").split("  ")[-1] == "2 of 250+"
        await desk.press("q")
        world.line.spoiled = lambda _request: None
        await desk.press("ctrl+r")
        assert "310 orders" in desk.bar("status")
        await desk.press("right_square_bracket")
        assert "301 orders" in desk.bar("status")
        await desk.press("left_square_bracket", "slash", *"long", "enter")
        assert "250+ orders" in desk.bar("status")  # nobody counts what a search finds

    def uncounted(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(503) if request.url.path.endswith("/counts") else None

    world.line.spoiled = uncounted
    play(script, picture=False)


def test_orders_are_sorted_in_turn(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        def numbers() -> list[str]:
            return [line[3:7] for line in desk.screen[3:13]]

        newest = [f"{number:04d}" for number in range(10, 0, -1)]
        assert numbers() == newest
        await desk.press("s")
        assert numbers() == newest[::-1]
        assert "oldest first" in desk.text
        await desk.press("s")
        assert "highest total first" in desk.text
        assert numbers()[:3] == ["0008", "0002", "0007"]
        before = desk.cursor
        world.order("Una Novak", 8800)
        await desk.poll()
        assert desk.cursor == before
        assert numbers()[:3] == ["0008", "0002", "0011"]  # it stands where it belongs
        await desk.press("s")
        assert "attention first" in desk.text
        assert numbers()[:5] == ["0009", "0008", "0001", "0011", "0010"]
        await desk.press("]", "[", "s")
        assert numbers()[0] == "0011"
        assert "first" not in desk.screen[2]

    play(script, picture=False)


def test_a_long_message_is_cut_until_its_raw_details_are_asked_for(world: World, play: Play) -> None:
    """In an order's story; the other entries stay short."""
    for name in ("first", "second"):
        message = " ".join(f"{name}{number}" for number in range(400))
        world.tell("note", message, "info", order=world.numbers[-1])

    async def script(desk: Desk) -> None:
        await desk.press("enter")
        assert "first0" in desk.text
        assert "second0" in desk.text  # both begin on one screen
        assert desk.text.count("…") == 2
        await desk.press("j", "j", "j", "j", "d")
        assert desk.shell.section.story.selected is not None
        laid = "".join(part for block in desk.shell.section.story._laid for line in block for part, _ in line)
        assert "first399" in laid
        assert "second399" not in laid

    play(script, size=(80, 50), picture=False)


def test_raw_facts(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "right_square_bracket", "d")
        assert "Raw facts" in desk.text
        await desk.press("J")
        assert "custom.stock" in desk.text

    play(script)


def test_records_follow_one_another_while_open(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("enter", "J", "J")
        assert "SS-260223-0008" in desk.text
        await desk.press("K", "q")
        assert "0009" in desk.cursor

    play(script)


def test_the_story_beside_the_list_follows_the_cursor(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("j")
        assert "SS-260223-0009 · Tom Avery" in desk.text
        await desk.press("tab", "j")
        assert "next" in desk.bar("footer")
        await desk.press("shift+tab")
        assert "open" in desk.bar("footer")

    play(script, size=(120, 30))


@pytest.mark.parametrize("typed", ["0002", "SS-260223-0002", "order 0002"])
def test_an_order_is_opened_by_its_number(world: World, play: Play, typed: str) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "colon", *typed, "enter")
        assert "SS-260223-0002 · Mei Lin" in desk.text

    play(script, picture=False)


def test_a_command_is_run_by_its_name(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("colon", *"go.act", "enter")
        assert "[All activity]" in desk.text
        await desk.press("colon", *"resolvv", "enter")
        assert "did you mean resolve?" in desk.bar("status")

    play(script, picture=False)


def test_levels_and_internal_events(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "L")
        assert "error" in desk.screen[1]
        await desk.press("L", "i")
        assert "with internal" in desk.screen[1]
        await desk.press("escape")
        assert "warning" not in desk.screen[1]

    play(script)


def test_times_are_written_in_other_ways(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("t", "t")
        assert "23 Feb 10:10:00" in desk.text

    play(script)


def test_a_number_is_copied_to_the_readers_terminal(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("y")
        assert desk.pilot.app.clipboard == "SS-260223-0010"
        assert "sent to your terminal" in desk.bar("status")
        await desk.press("Y")
        assert "no tracking link" in desk.bar("status")

    play(script)


def test_what_was_done_is_repeated_on_another_record(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("y", "j", "full_stop")
        assert desk.pilot.app.clipboard == "SS-260223-0009"

    play(script, picture=False)


def test_q_goes_back_and_at_the_root_leaves(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("enter", "q")
        assert "10 orders" in desk.bar("status")
        await desk.pilot.press("q")
        assert desk.pilot.app.return_value == 0

    play(script, picture=False)


def test_the_frame_can_be_clicked(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.click("identity", "2 ⚑")
        assert "[All activity]" in desk.text
        await desk.click("tabs", "Needs attention")
        assert "[Needs attention]" in desk.text
        await desk.click("identity", "1  2 Activity")
        await desk.click("identity", "⚑3")
        assert "Order cancelled" in desk.cursor
        await desk.click("footer", "x resolve")
        assert world.attention == 2

    play(script, picture=False)


def test_the_users_own_keys_hold_everywhere(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        assert "e resolve" in desk.bar("footer")
        await desk.press("j", "x")
        assert world.attention == 3
        await desk.press("e")
        assert "B undoes" in desk.bar("status")
        assert len(world.open_entries()) == 3
        await desk.press("B")
        assert len(world.open_entries()) == 4
        await desk.press("question_mark", *"resolve")
        assert " e " in desk.text

    play(script, app=world.app(resolve="e", undo="B"), picture=False)


def test_the_list_is_searched_for_words(world: World, play: Play) -> None:
    """``n`` and ``N`` go from match to match; the words are marked."""

    async def script(desk: Desk) -> None:
        await desk.press("slash", *"example", "enter")
        assert "9 orders" in desk.bar("status") or "10 orders" in desk.bar("status")
        await desk.press("slash", *[], "escape", "escape", "slash", *"duarte", "enter", "n")
        assert "0004" in desk.cursor
        await desk.press("N")
        assert "0010" in desk.cursor

    play(script, picture=False)
