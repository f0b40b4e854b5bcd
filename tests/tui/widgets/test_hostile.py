"""Strangers' text in every place of a list and a story: exact widths, no foreign byte, no markup."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tests.support.hostile import HOSTILE, SHORT
from tests.support.sequences import foreign_sequences
from tests.support.terminal import Terminal
from tests.tui.widgets.samples import TIMES, Row, WidgetApp, entry, rows, screen_text
from tui.widgets.columns import Cell, Column, Painter, RowLook, lay_out
from tui.widgets.lines import search_pattern
from tui.widgets.record_list import RecordList
from tui.widgets.story import Story
from tui.widgets.timeline import entry_story, timeline

TEXTS = st.one_of(st.text(max_size=80), st.sampled_from([each.text for each in SHORT]))
STYLES = {
    name: Style.parse(style)
    for name, style in {"marked": "on blue", "cursor": "on red", "match": "underline"}.items()
}


@settings(max_examples=300)
@given(TEXTS, TEXTS, st.integers(min_value=1, max_value=120), st.booleans(), st.text(max_size=3))
def test_every_strip_of_a_list_is_exactly_as_wide_as_the_list(
    text: str, icon: str, cells: int, chosen: bool, searched: str
) -> None:
    columns = [
        Column[Row]("ID", lambda row: Cell(row.text), width=5),
        Column[Row](text, lambda row: Cell(row.text, "error"), flex=2),
        Column[Row]("R", lambda row: Cell(row.text), flex=1, align="right", min_list_width=30),
    ]
    painter = Painter(
        lay_out(columns, cells),
        base=Style(),
        styles=STYLES,
        cursor_styles=STYLES,
        lead=lambda _row: Cell(icon, "error"),
        match=search_pattern(searched),
    )
    for strip in (
        painter.row(Row("r", text), RowLook(chosen, not chosen)),
        painter.header(),
        painter.sentence(text, ""),
    ):
        assert strip.cell_length == cells
        assert sum(cell_len(segment.text) for segment in strip) == cells


def test_hostile_rows_stay_in_their_line_and_columns() -> None:
    async def run() -> None:
        records = [Row(f"r{at}", each.text) for at, each in enumerate(HOSTILE)]
        columns = [
            Column[Row]("TEXT", lambda row: Cell(row.text), flex=1),
            Column[Row]("AGE", lambda _row: Cell("AGE"), width=3),
        ]
        record_list = RecordList[Row](columns)
        app = WidgetApp(record_list, setup=lambda: record_list.set_rows(records))
        async with app.run_test(size=(60, len(records) + 1)) as pilot:
            await pilot.pause()
            shown = screen_text(record_list)
            assert all(line.endswith("AGE") for line in shown)
            for y in range(record_list.size.height):
                strip = record_list.draw_line(y)
                assert strip.cell_length == cell_len(strip.text) == record_list.size.width

    asyncio.run(run())


@pytest.mark.parametrize("width", [20, 60, 121])
def test_hostile_entries_fill_exactly_the_lines_of_a_story(width: int) -> None:
    async def run() -> None:
        entries = [entry(at, each.text, "error") for at, each in enumerate(HOSTILE)]
        entries += [entry(900 + at, "x", facts={each.text: each.text}) for at, each in enumerate(SHORT)]
        story = Story()
        app = WidgetApp(story, setup=lambda: story.show(timeline(entries, TIMES)))
        async with app.run_test(size=(width, 24)) as pilot:
            for at in range(0, len(entries), 12):
                story.show(
                    [*entry_story(entries[at], TIMES), *timeline(entries[at : at + 12], TIMES)], top=True
                )
                await pilot.pause()
                for y in range(story.size.height):
                    strip = story.draw_line(y)
                    assert strip.cell_length == cell_len(strip.text) == story.size.width
                    assert all(not segment.style or segment.style.link is None for segment in strip)

    asyncio.run(run())


HOSTILE_APP = """
import sys
sys.path.insert(0, {root!r})
from tests.support.hostile import HOSTILE
from tests.tui.widgets.samples import Row, TEXT_COLUMN, TIMES, WidgetApp, entry
from tui.widgets.record_list import RecordList, Cell
from tui.widgets.story import Story
from tui.widgets.timeline import entry_story, timeline

records = [Row(f"r{{at}}", each.text) for at, each in enumerate(HOSTILE)] + [Row("last", "the last row")]
record_list = RecordList([TEXT_COLUMN], lead=lambda row: Cell(row.text))
story = Story()

def fill():
    record_list.set_rows(records)
    entries = [entry(at, each.text, facts={{each.text: each.text}}) for at, each in enumerate(HOSTILE[:40])]
    story.show([*entry_story(entries[0], TIMES), *timeline(entries, TIMES)])
    for each in HOSTILE[:30]:
        app.notify(each.text, title=each.text)

app = WidgetApp(record_list, story, setup=fill)
app.run()
"""


def test_no_foreign_byte_reaches_a_real_terminal(tmp_path: Path) -> None:
    program = tmp_path / "app.py"
    program.write_text(HOSTILE_APP.format(root=str(Path(__file__).parents[3])), encoding="utf-8")
    with Terminal([sys.executable, program], size=(100, 30)) as terminal:
        terminal.wait_for("TEXT")
        terminal.press("G")
        terminal.wait_for("the last row")
        terminal.press("ctrl+q")
        terminal.wait_exit()
        assert foreign_sequences(terminal.raw) == []


def test_a_list_of_a_million_rows_moves_in_constant_time() -> None:
    class Endless:
        has_older = has_newer = False
        pending = 0
        asked = 0

        def __len__(self) -> int:
            return 1_000_000

        def row_at(self, index: int) -> Row:
            self.asked += 1
            return rows(1, index)[0]

        def index_of(self, row_id: str) -> int:
            return int(row_id[1:])

        def version(self, _row_id: str) -> int:
            return 0

    async def run() -> None:
        source = Endless()
        record_list = RecordList[Row]([Column("TEXT", lambda row: Cell(row.text), flex=1)], source=source)
        app = WidgetApp(record_list)
        async with app.run_test(size=(60, 24)) as pilot:
            await pilot.press("G", "j", "k", "g", "ctrl+d")
            source.asked = 0
            await pilot.press("j")
            assert source.asked < 60

    asyncio.run(run())
