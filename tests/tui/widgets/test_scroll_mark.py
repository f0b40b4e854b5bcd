"""The scroll bar counts what is not here, says where it guesses, and is painted only when it looks different."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from textual.pilot import Pilot

from tests.tui.widgets.samples import TEXT_COLUMN, Row, WidgetApp, WindowRows, rows
from tui.api.window import Window
from tui.widgets.record_list import RecordList, RowSource
from tui.widgets.row_source import KnowsExtent, KnowsHeirs
from tui.widgets.scroll_mark import MarkedBar, Outside


def bar(
    outside: Outside, *, rows_here: int = 100, seen: int = 10, top: int = 0, height: int = 10
) -> list[str]:
    """The bar as letters: ``#`` for the thumb, a blank for the rest, the marks as they are."""
    console = Console(width=1, height=height, force_terminal=True, color_system="truecolor")
    drawn = MarkedBar(rows_here, seen, top, style="white on black", outside=outside)
    letters = []
    for line in console.render_lines(drawn, console.options.update(height=height), pad=False):
        segment = line[0]
        thumb = segment.style is not None and (segment.style.reverse or segment.text in "▁▂▃▄▅▆▇")
        letters.append(segment.text if segment.text == "≈" else "#" if thumb else " ")
    return letters


def test_what_is_not_here_counts() -> None:
    assert bar(Outside()).index("#") == 0
    middle = bar(Outside(above=450, below=450))
    assert middle.index("#") in {4, 5}
    assert bar(Outside(above=900)).index("#") >= 8


def test_an_end_of_unknown_length_is_marked() -> None:
    assert "≈" not in bar(Outside(above=5, below=5))
    assert bar(Outside(mark_below=True))[-1] == "≈"
    assert bar(Outside(mark_below=True))[0] != "≈"
    assert bar(Outside(mark_above=True))[0] == "≈"


@dataclass(frozen=True)
class Length:
    above: int
    below: int


class Counted(WindowRows):
    """A window that knows how long its list is, and who takes whose place."""

    extent = Length(300, 500)

    def neighbour(self, row_id: str) -> str | None:
        return "r0"


def test_a_source_that_knows_its_extent_and_heirs_is_asked() -> None:
    source = Counted(rows(60))
    assert isinstance(source, KnowsExtent)
    assert isinstance(source, KnowsHeirs)

    async def run() -> None:
        record_list: RecordList[Row] = RecordList([TEXT_COLUMN], source=source)
        app = WidgetApp(record_list)
        async with app.run_test(size=(40, 11)) as pilot:
            await settle(pilot)
            assert record_list._outside == Outside(300, 500)
            source.has_older = True
            record_list.rows_changed()
            assert record_list._outside == Outside(300, 500, mark_below=True)
            record_list.move_to(30)
            source.held = [source.held[0], *source.held[45:]]
            record_list.rows_changed()
            assert record_list.cursor_id == "r0"

    asyncio.run(run())


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()


def test_a_step_that_the_bar_cannot_show_does_not_paint_it() -> None:
    async def run() -> None:
        record_list: RecordList[Row] = RecordList([TEXT_COLUMN], source=WindowRows(rows(5000)))
        app = WidgetApp(record_list)
        async with app.run_test(size=(40, 11)) as pilot:
            await settle(pilot)
            scroll_bar = record_list.vertical_scrollbar
            record_list.scroll_to(y=1000, animate=False)
            position = scroll_bar.position
            record_list.scroll_to(y=1005, animate=False)
            assert scroll_bar.position == position
            record_list.scroll_to(y=3000, animate=False)
            assert scroll_bar.position > position
            record_list.scroll_to(y=record_list.max_scroll_y, animate=False)
            assert scroll_bar.position == record_list.max_scroll_y

    asyncio.run(run())


def test_the_clients_window_is_a_source() -> None:
    window: Window[Row] = Window()
    source: RowSource[Row] = window
    parts: Sequence[type] = (KnowsExtent, KnowsHeirs)
    assert all(isinstance(window, part) for part in parts)
    assert len(source) == 0

    async def run() -> None:
        record_list: RecordList[Row] = RecordList([TEXT_COLUMN], source=window)
        app = WidgetApp(record_list)
        async with app.run_test(size=(40, 11)) as pilot:
            await pilot.press("j", "G", "g", "space", "enter")
            assert record_list.cursor_id is None

    asyncio.run(run())
