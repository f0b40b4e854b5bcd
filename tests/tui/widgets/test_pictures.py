"""Pictures of lists and stories: the sizes and states that a person meets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App

from server.contract.orders import OrderRow
from tests.tui.widgets.samples import TIMES, WidgetApp, a_story, entry, order_columns, order_lead, order_rows
from tui.widgets.format import ASCII
from tui.widgets.record_list import ListRows, RecordList
from tui.widgets.story import Story
from tui.widgets.timeline import entry_story

Compare = Callable[..., bool]


def orders(count: int = 40, pending: int = 0) -> RecordList[OrderRow]:
    source = ListRows[OrderRow](order_rows(count), row_id=lambda row: row.id)
    source.pending = pending
    return RecordList(
        order_columns(),
        source=source,
        lead=order_lead,
        empty="No orders match this filter.",
        hint="Esc clears the filter.",
    )


def list_and_story() -> WidgetApp:
    story = Story()
    return WidgetApp(orders(pending=7), story, setup=lambda: story.show(a_story()))


def story_alone() -> WidgetApp:
    story = Story()
    return WidgetApp(story, setup=lambda: story.show(a_story()))


def an_entry() -> WidgetApp:
    facts = {
        "attempt": 2,
        "provider": {"name": "Printify", "order": None, "codes": [1, 2, 3]},
        "price": {"amount": 4300, "currency": "GBP"},
        "status": {"from": "submitted", "to": "failed"},
        "trace": "at line 1 " * 20,
    }
    shown = entry(
        5, "Submission to Printify failed: variant out of stock", "error", minutes=20, count=4, facts=facts
    )
    story = Story()
    return WidgetApp(story, setup=lambda: story.show(entry_story(shown, TIMES, hint="x resolve")))


def with_theme(app: WidgetApp, theme: str) -> WidgetApp:
    app.theme = theme
    return app


@pytest.mark.parametrize("size", [(60, 20), (80, 24)], ids=["60x20", "80x24"])
def test_a_list(snap_compare: Compare, size: tuple[int, int]) -> None:
    app: App[None] = WidgetApp(orders(pending=7))
    assert snap_compare(app, terminal_size=size, press=["j", "space", "j", "j"])


def test_a_list_beside_a_story(snap_compare: Compare) -> None:
    assert snap_compare(list_and_story(), terminal_size=(120, 30), press=["j"])


def test_the_same_in_light_colours(snap_compare: Compare) -> None:
    assert snap_compare(with_theme(list_and_story(), "shopbell-light"), terminal_size=(120, 30), press=["j"])


def test_the_same_in_the_terminals_own_colours(snap_compare: Compare) -> None:
    assert snap_compare(with_theme(list_and_story(), "ansi-dark"), terminal_size=(120, 30), press=["j"])


def test_a_story_with_an_entry_under_the_cursor(snap_compare: Compare) -> None:
    assert snap_compare(story_alone(), terminal_size=(80, 24), press=["j", "j", "j", "j"])


def test_a_narrow_story(snap_compare: Compare) -> None:
    assert snap_compare(story_alone(), terminal_size=(30, 24), press=["G"])


def test_an_entry_with_its_facts(snap_compare: Compare) -> None:
    assert snap_compare(an_entry(), terminal_size=(80, 24))


def test_no_rows(snap_compare: Compare) -> None:
    assert snap_compare(WidgetApp(orders(0)), terminal_size=(60, 12))


def test_matches_and_ascii(snap_compare: Compare) -> None:
    record_list = RecordList(order_columns(), lead=order_lead, glyphs=ASCII)

    def fill() -> None:
        record_list.set_rows(order_rows(8))
        record_list.highlight("duarte shipped")

    assert snap_compare(WidgetApp(record_list, setup=fill), terminal_size=(60, 12), press=["space"])


def test_a_very_small_screen(snap_compare: Compare) -> None:
    assert snap_compare(WidgetApp(orders(pending=120)), terminal_size=(20, 5), press=["j"])
