"""A story keeps the reader's place, and moves as a list does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from textual.pilot import Pilot

from tests.tui.widgets.samples import ENTRIES, TIMES, WidgetApp, entry, screen_text
from tui.widgets.blocks import Block, Facts, Gap, Happening, Item, Paragraph, Title
from tui.widgets.story import Story
from tui.widgets.timeline import timeline

Step = Callable[[WidgetApp, Pilot[None], "Watched"], Awaitable[None]]


class Watched(Story):
    """A story that remembers which lines it asked to be painted again."""

    def __init__(self) -> None:
        super().__init__(empty="Nothing is open.")
        self.painted: list[int] = []

    def refresh_y(self, y: int) -> None:
        self.painted.append(y)
        super().refresh_y(y)


def drive(step: Step, blocks: Sequence[Block] = (), *, size: tuple[int, int] = (50, 10)) -> None:
    async def run() -> None:
        story = Watched()
        app = WidgetApp(story, setup=lambda: story.show(blocks))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app.posted.clear()
            await step(app, pilot, story)

    asyncio.run(run())


def happenings(*numbers: int) -> list[Block]:
    return [
        Happening(id=f"e{number}", time="14:23", icon="●", message=f"message {number}") for number in numbers
    ]


TIMELINE: list[Block] = [Title(text="Order"), Gap(), *happenings(*range(30))]


def bars(story: Story) -> list[str]:
    return [line for line in screen_text(story) if line.startswith("▌")]


@pytest.mark.parametrize(
    ("keys", "selected"),
    [
        ("j", "e0"),
        ("j j", "e1"),
        ("j j k", "e0"),
        ("G", "e29"),
        ("G k", "e28"),
        ("G g", "e0"),
        ("end home", "e0"),
    ],
)
def test_keys_move_from_entry_to_entry(keys: str, selected: str) -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        await pilot.press(*keys.split())
        assert story.selected == selected
        assert bars(story) == [f"▌ 14:23  ● message {selected[1:]}"]

    drive(step, TIMELINE)


def test_amounts_stand_one_cell_off_the_scroll_bar() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        edge = story.scrollable_content_region.width
        assert edge == story.size.width - 1
        assert [line.endswith("£4.00") for line in screen_text(story)] == [True, False]
        assert len(screen_text(story)[0]) == edge - 1

    drive(step, [Item(left="Shipping", right="£4.00")], size=(50, 2))


def test_moving_paints_two_entries() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        await pilot.press("j")
        story.painted.clear()
        await pilot.press("j")
        assert sorted(set(story.painted)) == [2, 3]

    drive(step, TIMELINE)


def test_what_stands_above_the_first_entry_can_be_read() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        await pilot.press("G", "g")
        assert screen_text(story)[0] == "  Order"
        await pilot.press("pagedown", "pagedown", "pageup", "ctrl+u")
        assert story.selected == "e0"
        await pilot.press("k")
        assert story.scroll_offset.y > 0

    drive(step, TIMELINE)


def test_facts_without_entries_scroll_by_lines() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        await pilot.press("j", "j", "k")
        assert story.scroll_offset.y == 1
        await pilot.press("G")
        assert screen_text(story)[-1].strip() == "fact39  39"
        await pilot.press("j", "g")
        assert story.scroll_offset.y == 0

    drive(step, [Facts(facts=tuple((0, f"fact{number}", str(number)) for number in range(40)))])


def test_an_entry_taller_than_the_view_is_read_to_its_end() -> None:
    tall = Happening(id="tall", time="14:23", icon="●", message=" ".join(["word"] * 200))
    blocks = [*happenings(1), tall, *happenings(2)]

    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        await pilot.press("j", "j")
        assert story.selected == "tall"
        first = story.scroll_offset.y
        await pilot.press("j")
        assert (story.selected, story.scroll_offset.y) == ("tall", first + 1)
        for _ in range(40):
            await pilot.press("j")
        assert story.selected == "e2"

    drive(step, blocks)


def test_entries_that_arrive_above_do_not_move_the_reader() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        story.select("e20")
        await pilot.pause()
        before = screen_text(story)
        story.show([TIMELINE[0], Paragraph(text="new " * 60), *TIMELINE[1:]])
        await pilot.pause()
        assert story.selected == "e20"
        assert screen_text(story) == before

    drive(step, TIMELINE)


def test_a_selected_entry_that_leaves_is_let_go() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        story.select("e1")
        story.show(happenings(0, 2, 3))
        await pilot.pause()
        assert story.selected is None
        last = app.of_type(Story.Highlighted)[-1]
        assert isinstance(last, Story.Highlighted)
        assert last.block_id is None
        assert last.control is story
        await pilot.press("j")
        assert story.selected == "e0"

    drive(step, happenings(0, 1, 2, 3))


def test_an_entry_that_changes_repaints_its_lines_alone() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        story.painted.clear()
        story.show(list(TIMELINE))
        assert story.painted == []
        changed = list(TIMELINE)
        changed[4] = Happening(id="e2", time="14:23", icon="●", message="resolved", quiet=True)
        story.show(changed)
        assert story.painted == [4]
        assert screen_text(story)[4] == "  14:23  ● resolved"

    drive(step, TIMELINE)


def test_another_story_begins_at_its_top() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        await pilot.press("G")
        story.show(happenings(*range(50, 90)), top=True)
        await pilot.pause()
        assert story.selected is None
        assert story.scroll_offset.y == 0
        assert screen_text(story)[0].endswith("message 50")

    drive(step, TIMELINE)


def test_another_width_keeps_the_place() -> None:
    blocks = timeline([entry(number, "a long message " * 6) for number in range(20)], TIMES)

    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        story.select("e10")
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert bars(story)
        await pilot.resize_terminal(90, 10)
        await pilot.pause()
        assert bars(story)

    drive(step, blocks)


def test_blocks_may_come_before_the_story_is_mounted() -> None:
    async def run() -> None:
        story = Watched()
        story.show(TIMELINE, top=True)
        story.highlight("message")
        story.set_sentence("loading", "Loading…")
        app = WidgetApp(story)
        async with app.run_test(size=(50, 10)) as pilot:
            await pilot.pause()
            assert screen_text(story)[0] == "  Order"

    asyncio.run(run())


def test_a_click_selects() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        await pilot.click(story, offset=(5, 4))
        await pilot.click(story, offset=(5, 0))  # a title is nothing to stand on
        assert story.selected == "e2"

    drive(step, TIMELINE)


def test_matches_are_found_in_entries_and_between_them() -> None:
    blocks = [*TIMELINE, Gap(), Paragraph(text="tracking 00340434161094")]

    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        story.action_next_match()
        assert story.selected != "e0"  # nothing is looked for yet
        story.highlight("message 7")
        story.action_next_match()
        assert story.selected == "e0"
        story.highlight("27")
        story.action_next_match()
        assert story.selected == "e27"
        story.highlight("00340434161094")
        story.action_next_match()
        assert any("00340434161094" in line for line in screen_text(story))
        story.highlight("order")
        story.action_previous_match()
        assert screen_text(story)[0] == "  Order"

    drive(step, blocks)


def test_nothing_to_show_is_a_sentence() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        assert "Nothing is open." in " ".join(screen_text(story))
        story.set_sentence("problem", "The server does not answer.", "ctrl+r asks again.")
        shown = " ".join(screen_text(story))
        assert "The server does not answer." in shown
        assert "ctrl+r asks again." in shown
        await pilot.press("j", "k", "g", "G", "ctrl+d")
        story.highlight("x")
        story.action_next_match()
        assert not story.select("e1")

    drive(step)


@pytest.mark.parametrize("size", [(20, 5), (8, 3), (3, 1), (1, 1), (200, 50)])
def test_any_size_works(size: tuple[int, int]) -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], story: Watched) -> None:
        await pilot.press("j", "G", "k", "ctrl+u", "g")
        for y in range(story.size.height):
            assert story.draw_line(y).cell_length == story.size.width

    drive(step, timeline(ENTRIES, TIMES), size=size)
