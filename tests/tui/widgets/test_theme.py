"""Themes: readable everywhere, in sixteen colours and in none."""

from __future__ import annotations

import asyncio

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tests.tui.widgets.samples import TEXT_COLUMN, Row, WidgetApp, a_story, rows
from tui.widgets.record_list import Cell, RecordList
from tui.widgets.story import Story
from tui.widgets.theme import CYCLE, STYLES, THEMES, choose_theme, variable_defaults

ALL = [*(theme.name for theme in THEMES), *BUILTIN_THEMES]


LEGIBLE = {"foreground": 7.0, "text-muted": 4.5, "success": 4.5, "warning": 4.5, "error": 4.5, "primary": 4.5}
BEHIND = ("background", "surface", "list-cursor", "list-cursor-blurred", "list-marked")


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_text_stands_out_from_what_is_behind_it(theme: Theme) -> None:
    variables = theme.to_color_system().generate() | theme.variables
    for name, least in LEGIBLE.items():
        for behind in BEHIND:
            ratio = contrast(Color.parse(variables[name]), Color.parse(variables[behind]))
            assert ratio >= least, f"{name} on {behind}: {ratio:.1f}"


def contrast(one: Color, other: Color) -> float:
    """WCAG's contrast ratio."""

    def luminance(color: Color) -> float:
        parts = [part / 255 for part in color.rgb]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("wanted", "no_color", "colours", "light", "expected"),
    [
        (None, False, None, False, "shopbell-dark"),
        ("", False, 256, False, "shopbell-dark"),
        (None, False, 256, True, "shopbell-light"),
        ("nord", False, 256, False, "nord"),
        (None, False, 16, False, "ansi-dark"),
        ("nord", False, 16, False, "nord"),
        ("nord", True, 256, False, "ansi-dark"),
        ("shopbell-light", True, None, False, "ansi-light"),
    ],
)
def test_which_theme_holds(
    wanted: str | None, no_color: bool, colours: int | None, light: bool, expected: str
) -> None:
    assert choose_theme(wanted, no_color=no_color, colours=colours, light=light) == expected
    assert set(CYCLE) <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_every_theme_draws_lists_and_stories(name: str) -> None:
    async def run() -> None:
        record_list: RecordList[Row] = RecordList([TEXT_COLUMN], lead=lambda _row: Cell("●", "error"))
        story = Story()

        def fill() -> None:
            record_list.set_rows(rows(30))
            story.show(a_story())

        app = WidgetApp(record_list, story, setup=fill)
        async with app.run_test(size=(100, 20)) as pilot:
            app.theme = name
            await pilot.pause()
            assert set(STYLES) <= set(record_list.named_styles)
            cursor = record_list.draw_line(1)
            plain = record_list.draw_line(2)
            assert cursor._segments[-1].style != plain._segments[-1].style  # not by the mark alone
            assert cursor.text.startswith("▌")

    asyncio.run(run())


def test_themes_that_do_not_know_our_variables_get_them() -> None:
    for theme in BUILTIN_THEMES.values():
        values = variable_defaults(theme)
        assert set(values) == {"list-cursor", "list-cursor-blurred", "list-marked", "list-match"}
        assert set(values.values()) == {"transparent"} or not theme.ansi


def test_another_theme_repaints_what_was_kept() -> None:
    async def run() -> None:
        record_list: RecordList[Row] = RecordList([TEXT_COLUMN], lead=lambda _row: Cell("●", "error"))
        app = WidgetApp(record_list, setup=lambda: record_list.set_rows(rows(5)))
        async with app.run_test(size=(40, 10)) as pilot:
            await pilot.pause()
            before = record_list.draw_line(2)
            app.theme = "shopbell-light"
            await pilot.pause()
            assert record_list.draw_line(2).text == before.text
            assert record_list.draw_line(2) != before

    asyncio.run(run())
