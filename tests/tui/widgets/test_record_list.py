"""A list keeps the reader's place: the cursor stands on a row, whatever happens around it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip

from tests.tui.widgets.samples import TEXT_COLUMN, Row, WidgetApp, WindowRows, rows, screen_text
from tui.widgets.columns import AIR, Painter, RowLook, lay_out
from tui.widgets.record_list import Cell, Column, RecordList, RowSource


class Watched(RecordList[Row]):
    """A list that remembers which lines it drew and which it asked to be painted again."""

    def __init__(self, source: RowSource[Row] | None) -> None:
        super().__init__([TEXT_COLUMN], source=source, lead=lambda _row: Cell("●", "info"))
        self.drawn: list[int] = []
        self.painted: list[int] = []

    def draw_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().draw_line(y)

    def refresh_y(self, y: int) -> None:
        self.painted.append(y)
        super().refresh_y(y)


Step = Callable[[WidgetApp, Pilot[None], Watched], Awaitable[None]]


def drive(step: Step, source: WindowRows | None = None, *, size: tuple[int, int] = (40, 11)) -> None:
    """Run a scenario on a list of ten visible rows and a line of titles."""

    async def run() -> None:
        record_list = Watched(source)
        app = WidgetApp(record_list)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app.posted.clear()
            await step(app, pilot, record_list)

    asyncio.run(run())


def held(count: int, start: int = 0) -> WindowRows:
    return WindowRows(rows(count, start))


def words(record_list: Watched) -> str:
    return " ".join(" ".join(screen_text(record_list)).split())


# -- moving


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("j", "r1"), ("down", "r1"), ("j j k", "r1"), ("up", "r0"), ("G", "r99"), ("end", "r99"),
        ("G g", "r0"), ("end home", "r0"), ("ctrl+d", "r5"), ("ctrl+d ctrl+u", "r0"), ("pagedown", "r9"),
        ("pagedown pageup", "r0"), ("G j", "r99"),
    ],
)  # fmt: skip
def test_keys_move_the_cursor(keys: str, expected: str) -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        await pilot.press(*keys.split())
        assert record_list.cursor_id == expected
        shown = [line for line in screen_text(record_list) if line.startswith("▌")]
        assert shown == [f"▌● row {expected[1:]}"]

    drive(step, held(100))


def test_a_move_paints_two_lines_and_leaving_the_view_moves_it_half_a_page() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        record_list.drawn.clear()
        await pilot.press("j")
        assert sorted(record_list.drawn) == [1, 2]
        record_list.move_to(9)
        await pilot.pause()
        assert record_list.top == 0
        await pilot.press("j")
        assert (record_list.cursor_id, record_list.top) == ("r10", 5)

    drive(step, held(100))


def test_the_terminals_own_cursor_follows() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        assert app.cursor_position == (0, 1)
        await pilot.press("j", "j")
        assert app.cursor_position == (0, 3)
        record_list.move_to(10)
        assert app.cursor_position == (0, 11 - record_list.top)

    drive(step, held(100))


def test_quick_moves_are_told_once() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        for at in range(1, 6):
            record_list.move_to(at)
        await pilot.pause()
        told = app.of_type(RecordList.Highlighted)
        assert [message.row_id for message in told if isinstance(message, RecordList.Highlighted)][-1] == "r5"
        assert len(told) < 5

    drive(step, held(100))


def test_enter_opens_and_a_click_moves_then_opens() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        await pilot.press("j", "enter")
        await pilot.click(record_list, offset=(5, 4))
        assert record_list.cursor_id == "r3"
        await pilot.click(record_list, offset=(5, 4))
        await pilot.pause()
        opened = [message for message in app.posted if isinstance(message, RecordList.Opened)]
        assert [message.row_id for message in opened] == ["r1", "r3"]

    drive(step, held(100))


# -- the list changes under the reader


def test_rows_that_arrive_above_do_not_move_what_is_under_the_cursor() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        record_list.move_to(20)
        await pilot.pause()
        before, source = screen_text(record_list), record_list.source
        assert isinstance(source, WindowRows)
        source.held[:0] = [Row(f"n{number}", f"new {number}") for number in range(7)]
        record_list.rows_changed()
        await pilot.pause()
        assert record_list.cursor_id == "r20"
        assert screen_text(record_list) == before
        assert app.of_type(RecordList.Highlighted)[1:] == []

    drive(step, held(100))


def test_the_view_stays_when_the_cursor_was_scrolled_out_of_it() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        record_list.scroll_to(y=50, animate=False)
        await pilot.pause()
        before, source = screen_text(record_list), record_list.source
        assert isinstance(source, WindowRows)
        source.held[:0] = [Row("n0", "new")]
        record_list.rows_changed()
        await pilot.pause()
        assert screen_text(record_list) == before
        assert record_list.cursor_id == "r0"

    drive(step, held(100))


@pytest.mark.parametrize(
    ("leaving", "heir"),
    [({5}, "r6"), ({5, 6, 7}, "r8"), (set(range(5, 12)), "r4"), ({4, 5}, "r6")],
)
def test_a_row_that_leaves_hands_the_cursor_to_its_neighbour(leaving: set[int], heir: str) -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        record_list.move_to(5)
        source = record_list.source
        assert isinstance(source, WindowRows)
        source.held = [Row("n", "new"), *(row for at, row in enumerate(source.held) if at not in leaving)]
        record_list.rows_changed()
        assert record_list.cursor_id == heir

    drive(step, held(12))


def test_an_emptied_list_has_no_cursor_and_a_filled_one_has_it_again() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        source = record_list.source
        assert isinstance(source, WindowRows)
        kept, source.held = source.held, []
        record_list.rows_changed()
        await pilot.press("j", "enter", "space", "G")
        assert record_list.cursor_id is None
        source.held = kept
        record_list.rows_changed()
        assert record_list.cursor_id == "r0"

    drive(step, held(12))


def test_a_row_that_changes_repaints_its_line_alone() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        source = record_list.source
        assert isinstance(source, WindowRows)
        source.change("r3", "another text")
        record_list.painted.clear()
        record_list.rows_changed()
        assert record_list.painted == [4]
        assert "another text" in screen_text(record_list)[4]

    drive(step, held(100))


def test_another_source_begins_at_its_first_row() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        await pilot.press("G")
        record_list.set_source(held(30, 500))
        await pilot.pause()
        assert (record_list.cursor_id, record_list.top) == ("r500", 0)
        assert screen_text(record_list)[1] == "▌● row 500"

    drive(step, held(100))


# -- rows that wait, windows that go on


def test_rows_that_wait_take_no_row_away_and_come_in_at_the_top() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        source = record_list.source
        assert isinstance(source, WindowRows)
        await pilot.press("j", "j")
        body = screen_text(record_list)[1:]
        source.pending = 7
        record_list.rows_changed()
        shown = screen_text(record_list)
        assert shown[0].endswith("▲ 7 new")
        assert shown[1:] == body
        await pilot.press("g")
        assert app.of_type(RecordList.NeedNewest)
        source.held[:0] = [Row("n0", "newest")]
        source.pending = 0
        record_list.rows_changed()
        assert record_list.cursor_id == "n0"
        assert "new" not in screen_text(record_list)[0]

    drive(step, held(100))


def test_the_jump_to_the_top_outlives_other_changes_and_ends_with_a_move() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        source = record_list.source
        assert isinstance(source, WindowRows)
        source.has_newer = True
        await pilot.press("g")
        record_list.rows_changed()  # a poll came first
        source.held[:0] = rows(50, 900)
        source.has_newer = False
        record_list.rows_changed()
        assert record_list.cursor_id == "r900"
        source.has_newer = True
        await pilot.press("g", "j")
        source.held[:0] = rows(50, 700)
        source.has_newer = False
        record_list.rows_changed()
        assert record_list.cursor_id == "r901"

    drive(step, held(100))


def test_a_near_end_is_asked_for_once_and_again_after_it_came() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        source = record_list.source
        assert isinstance(source, WindowRows)
        source.has_older = True
        record_list.rows_changed()
        await pilot.pause()
        assert app.of_type(RecordList.NeedOlder) == []
        record_list.move_to(160)
        record_list.move_to(165)
        await pilot.pause()
        assert len(app.of_type(RecordList.NeedOlder)) == 1
        source.held += rows(10, 200)
        record_list.rows_changed()
        await pilot.pause()
        assert len(app.of_type(RecordList.NeedOlder)) == 2

    drive(step, held(200))


def test_newer_rows_are_asked_for_near_the_first_one() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        source = record_list.source
        assert isinstance(source, WindowRows)
        record_list.move_to(150)
        source.has_newer = True
        record_list.rows_changed()
        await pilot.pause()
        assert app.of_type(RecordList.NeedNewer) == []
        record_list.move_to(20)
        await pilot.pause()
        assert len(app.of_type(RecordList.NeedNewer)) == 1

    drive(step, held(200))


def test_the_bottom_of_a_list_that_goes_on_is_fetched() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        source = record_list.source
        assert isinstance(source, WindowRows)
        source.has_older = True
        record_list.rows_changed()
        await pilot.press("G")
        assert app.of_type(RecordList.NeedOldest)
        assert screen_text(record_list)[-1].strip() == "… more follow"
        source.held, source.has_older, source.has_newer = rows(50, 9000), False, True
        record_list.rows_changed()
        await pilot.pause()
        assert record_list.cursor_id == "r9049"
        assert screen_text(record_list)[-1] == "▌● row 9049"

    drive(step, held(100))


# -- marks


def test_marks() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        await pilot.press("space", "j", "j", "v")
        assert {row.id for row in rows(100) if row.id in record_list.marks} == {"r0", "r1", "r2", "r3"}
        assert screen_text(record_list)[1] == " ✓ row 0"
        await pilot.press("*")
        assert record_list.marks.everything
        assert "r99" in record_list.marks
        assert "not here yet" in record_list.marks
        await pilot.press("*")
        assert not record_list.marks
        await pilot.press("space")
        assert record_list.clear_marks()
        assert not record_list.clear_marks()
        assert app.of_type(RecordList.MarksChanged)

    drive(step, held(100))


def test_a_range_without_a_beginning_marks_the_row() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        await pilot.press("v")
        assert {row.id for row in rows(100) if row.id in record_list.marks} == {"r0"}

    drive(step, held(100))


# -- matches


def test_matches_are_marked_and_walked_through() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        record_list.highlight("ROW 9")
        found = record_list.draw_line(10)
        match = record_list.named_styles["match"].bgcolor
        assert [segment.text for segment in found if segment.style and segment.style.bgcolor == match] == [
            "row",
            "9",
        ]
        record_list.highlight("17")
        record_list.action_next_match()
        assert record_list.cursor_id == "r17"
        record_list.action_next_match()
        assert record_list.cursor_id == "r17"
        record_list.highlight("")
        record_list.action_previous_match()
        assert record_list.cursor_id == "r17"

    drive(step, held(100))


# -- states, sizes, time


def test_empty_loading_and_error_are_sentences() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        record_list.set_empty("No orders match [b]this[/b] filter.", "Esc clears the filter.")
        assert "No orders match [b]this[/b] filter." in words(record_list)
        assert "Esc clears the filter." in words(record_list)
        record_list.set_state("loading")
        assert "Loading" in words(record_list)
        record_list.set_state("problem", "The server does not answer.", "ctrl+r asks again.")
        assert "The server does not answer." in words(record_list)
        record_list.set_rows(rows(2))
        assert screen_text(record_list)[3].strip().startswith("The server does not answer.")
        record_list.set_state("ready")
        assert screen_text(record_list)[3] == ""

    drive(step, held(0))


def test_a_row_that_is_not_here_yet_is_a_placeholder() -> None:
    class Holes(WindowRows):
        def row_at(self, index: int) -> Row | None:
            return None if index == 3 else super().row_at(index)

    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        assert screen_text(record_list)[4].strip() == "···"
        await pilot.press("j", "j", "j", "enter", "space")
        assert record_list.cursor_id is None
        record_list.rows_changed()  # still not here
        assert record_list.cursor_id is None
        assert app.of_type(RecordList.Opened) == []

    drive(step, Holes(rows(10)))


def test_rows_may_come_before_the_list_is_mounted() -> None:
    async def run() -> None:
        record_list = Watched(None)
        record_list.set_source(held(30))
        record_list.set_state("loading")
        record_list.set_empty("none")
        app = WidgetApp(record_list)
        async with app.run_test(size=(40, 11)) as pilot:
            await pilot.pause()
            assert record_list.cursor_id == "r0"

    asyncio.run(run())


def test_a_minute_repaints_only_the_lines_whose_times_changed() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        now = ["2m"]
        record_list.set_columns([Column("AGE", lambda row: Cell(now[0] if row.id == "r2" else "3d"), flex=1)])
        await pilot.pause()
        record_list.painted.clear()
        record_list.tick(1)
        assert record_list.painted == []
        now[0] = "3m"
        record_list.tick(1)
        assert record_list.painted == []
        record_list.tick(2)
        assert record_list.painted == [3]

    drive(step, held(5))


def test_what_is_hidden_draws_nothing_and_is_right_when_it_is_shown() -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        record_list.display = False
        await pilot.pause()
        record_list.drawn.clear()
        source = record_list.source
        assert isinstance(source, WindowRows)
        for number in range(5):
            source.change("r2", f"text {number}")
            record_list.rows_changed()
            record_list.tick(number)
            await pilot.pause()
        assert record_list.drawn == []
        record_list.display = True
        await pilot.pause()
        assert record_list.drawn
        assert "text 4" in screen_text(record_list)[3]

    drive(step, held(100))


@pytest.mark.parametrize("size", [(20, 5), (20, 2), (8, 3), (3, 1), (200, 50)])
def test_any_size_works(size: tuple[int, int]) -> None:
    async def step(app: WidgetApp, pilot: Pilot[None], record_list: Watched) -> None:
        await pilot.press("j", "G", "k", "ctrl+u", "space", "g")
        for y in range(record_list.size.height):
            assert record_list.draw_line(y).cell_length == size[0]
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert any(line.startswith("▌") for line in screen_text(record_list))

    drive(step, held(100), size=size)


@pytest.mark.parametrize(("cells", "usual"), [(57, 1), (60, 2)])
def test_columns_that_would_touch_stand_two_cells_apart(cells: int, usual: int) -> None:
    columns = [
        Column[Row]("WHO", lambda _row: Cell("somebody"), flex=1),
        Column[Row]("TOTAL", lambda _row: Cell("9.00"), width=6, align="right"),
        Column[Row]("STATE", lambda _row: Cell("submission failed"), width=17),
        Column[Row]("AGE", lambda _row: Cell("2m"), width=4, align="right"),
    ]
    assert [placed.gap for placed in lay_out(columns, cells).placed] == [0, usual, 2, usual]
    painter = Painter(lay_out(columns, cells), Style(), {}, {})
    line = painter.row(rows(1)[0], RowLook()).text
    assert "9.00  submission failed" in line
    assert line.rstrip() == line[:-AIR]


def test_columns_give_way_when_it_is_narrow() -> None:
    columns = [
        Column[Row]("ID", lambda row: Cell(row.id), width=4),
        Column[Row]("TEXT", lambda row: Cell(row.text), flex=1),
        Column[Row]("LONG", lambda _row: Cell("long"), width=12, min_list_width=40),
        Column[Row]("AGE", lambda _row: Cell("2m"), width=4, align="right"),
    ]

    async def run() -> None:
        record_list = RecordList[Row](columns)
        app = WidgetApp(record_list, setup=lambda: record_list.set_rows(rows(5)))
        async with app.run_test(size=(60, 11)) as pilot:
            await pilot.pause()
            assert screen_text(record_list)[:2] == [
                "   ID    TEXT                           LONG           AGE",
                "▌  r0    row 0                          long            2m",
            ]
            await pilot.resize_terminal(30, 11)
            await pilot.pause()
            assert screen_text(record_list)[0] == "   ID   TEXT             AGE"
            await pilot.resize_terminal(20, 11)
            await pilot.pause()
            assert screen_text(record_list)[0] == "   ID   TEXT"

    asyncio.run(run())
