"""From a list to a resolve and back: what the reader sees, and what the server holds."""

from __future__ import annotations

from tests.flows.conftest import Play
from tests.flows.world import Desk, World

TWICE = "\N{MULTIPLICATION SIGN}2"
FAILED = "Submission to Printify failed: variant out of stock"


def test_list_open_resolve_undo(world: World, play: Play) -> None:
    """An order is opened, what is open on it resolved, and taken back."""

    async def script(desk: Desk) -> None:
        assert "⚑3" in desk.bar("identity")
        await desk.press("j", "enter")
        assert FAILED in desk.text
        assert world.open_entries().count(FAILED) == 2
        await desk.press("x")
        assert "Resolved 1: SS-260223-0009" in desk.bar("status")
        assert world.open_entries().count(FAILED) == 1  # the other order's stays
        await desk.press("z")
        assert "Reopened 1: SS-260223-0009" in desk.bar("status")
        assert world.open_entries().count(FAILED) == 2
        await desk.press("Z")
        assert world.open_entries().count(FAILED) == 1

    play(script)


def test_the_attention_key_walks_from_the_oldest(world: World, play: Play) -> None:
    """``!`` jumps to what needs attention, oldest first; after a resolve the cursor stands on the neighbour."""

    async def script(desk: Desk) -> None:
        await desk.press("exclamation_mark")
        assert "Order cancelled" in desk.cursor
        await desk.press("exclamation_mark")
        assert "Only 3 pairs" in desk.cursor
        await desk.press("exclamation_mark")
        assert "Submission" in desk.cursor
        await desk.press("exclamation_mark")  # round and round
        assert "Order cancelled" in desk.cursor
        await desk.press("x")
        assert "Only 3 pairs" in desk.cursor
        assert world.attention == 2
        assert "⚑2" in desk.bar("identity")
        await desk.press("x", "x")
        assert world.attention == 0
        assert "⚑" not in desk.bar("identity")

    play(script)


def test_a_group_is_resolved_as_far_as_it_was_seen(world: World, play: Play) -> None:
    """What arrived after the reader looked stays open."""

    async def script(desk: Desk) -> None:
        await desk.press("2", "right_square_bracket")
        assert TWICE in desk.cursor
        late = world.order("Late Comer", 1900)
        world.fail(late)
        await desk.press("x")
        assert world.open_entries().count(FAILED) == 1
        assert "Resolved 2" in desk.bar("status")
        assert "⚑3" in desk.bar("identity")

    play(script)


def test_a_group_seen_with_a_late_event_is_resolved_whole(world: World, play: Play) -> None:
    """The one recorded last happened first: it was seen all the same."""
    world.step(
        world.order("Late Comer", 1900),
        "failed",
        provider="Printify",
        reason="variant out of stock",
        attempt=1,
        occurred_at="2026-02-23T08:00:00Z",
    )

    async def script(desk: Desk) -> None:
        await desk.press("2", "right_square_bracket")
        assert TWICE.replace("2", "3") in desk.cursor
        await desk.press("x")
        assert world.open_entries().count(FAILED) == 0
        assert "Resolved 3" in desk.bar("status")

    play(script)


def test_a_search_that_shows_one_of_a_group_resolves_that_one(world: World, play: Play) -> None:
    """The other member was not on the screen, so it stays open."""

    async def script(desk: Desk) -> None:
        await desk.press("2", "right_square_bracket", "slash", *"0009", "enter")
        assert TWICE not in desk.cursor
        assert "0009" in desk.cursor
        await desk.press("x")
        assert world.open_entries().count(FAILED) == 1

    play(script, picture=False)


def test_a_search_that_shows_some_of_a_group_resolves_those(world: World, play: Play) -> None:
    """Neither the hidden member goes with them nor one that comes after the look; undo and redo do the same."""
    world.fail(world.order("Tom Avery", 1900))

    async def script(desk: Desk) -> None:
        await desk.press("2", "right_square_bracket", "slash", *"tom", "enter")
        assert TWICE in desk.cursor
        world.fail(world.order("Tom Avery", 2100))
        await desk.press("x")
        assert "Resolved 2" in desk.bar("status")
        assert world.open_entries().count(FAILED) == 2  # the one not shown, and the one that came late
        await desk.press("z")
        assert "Reopened 2" in desk.bar("status")
        assert world.open_entries().count(FAILED) == 4
        await desk.press("Z")
        assert world.open_entries().count(FAILED) == 2

    play(script, picture=False)


def test_a_group_unfolds_under_a_search_as_far_as_it_is_shown(world: World, play: Play) -> None:
    world.fail(world.order("Tom Avery", 1900))

    async def script(desk: Desk) -> None:
        await desk.press("2", "right_square_bracket", "slash", *"tom", "enter", "u")
        assert desk.text.count("└") == 1
        assert "├" not in desk.text
        await desk.press("j")
        assert "0009" in desk.cursor

    play(script, picture=False)


def test_a_group_unfolds_and_one_member_is_resolved(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "right_square_bracket", "u", "j")
        assert "└" in desk.cursor
        assert "0008" in desk.cursor
        await desk.press("x")
        assert world.open_entries().count(FAILED) == 1
        assert TWICE not in desk.text
        await desk.press("z")
        assert TWICE in desk.text

    play(script)


def test_marked_rows_are_resolved_together(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "right_square_bracket", "asterisk")
        assert "3 marked" in desk.bar("status")
        await desk.press("space")  # all but the first
        assert "2 marked" in desk.bar("status")
        await desk.press("x")
        assert world.attention == 1
        await desk.press("z")
        assert world.attention == 3
        await desk.press("asterisk", "escape")
        assert "marked" not in desk.bar("status")

    play(script)


def test_reopen_in_the_feed(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "slash", *"pairs", "enter", "x")
        assert world.attention == 2
        assert "✓" in desk.cursor
        await desk.press("X")
        assert world.attention == 3
        assert "▲" in desk.cursor

    play(script)


def test_a_role_that_may_not_resolve_is_told_why(world: World, play: Play) -> None:
    """The footer does not offer it; who presses the key anyway reads the server's reason."""

    async def script(desk: Desk) -> None:
        assert "resolve" not in desk.bar("footer")
        await desk.press("j", "x")
        assert desk.bar("status").startswith("✖")
        assert world.attention == 3

    play(script, app=world.app("readonly"))


def test_info_is_nothing_to_resolve(world: World, play: Play) -> None:
    async def script(desk: Desk) -> None:
        await desk.press("2", "slash", *"shipped", "enter", "x")
        assert "Only an open warning or error can be resolved." in desk.bar("status")

    play(script)
