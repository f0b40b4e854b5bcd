"""How settings read in their list: groups as headings, below them what holds and who says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from server.contract.settings import SettingGroup, SettingRow, Settings, TestResult
from tui.api import settings as calls
from tui.api.client import Client
from tui.api.window import Direction, Edge
from tui.widgets.columns import Cell, Column
from tui.widgets.format import Glyphs


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list: the heading of a group, or one of its settings.

    Attributes:
        at: where it stands among all lines.
        group: the group's name.
        label: what it is called.
        tests: what can be tried out with the group.
        row: the setting; None for a heading.
    """

    at: int
    group: str
    label: str
    tests: tuple[str, ...] = ()
    row: SettingRow | None = None

    @property
    def id(self) -> str:
        """What names the line."""
        return f"group:{self.group}" if self.row is None else self.row.name


def rank(line: Line) -> int:
    """Where a line stands: the first one the highest."""
    return -line.at


@dataclass(frozen=True, slots=True)
class AllLines:
    """The one page there is."""

    items: Sequence[Line]
    next: str | None = None
    prev: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """The settings under one tab that match some words, as a window reads them: all on one page."""

    client: Client
    tab: str
    words: str
    heard: Callable[[Settings], None]

    async def fetch(
        self,
        cursor: str | None,  # noqa: ARG002 - there is one page
        direction: Direction,  # noqa: ARG002
        limit: int,  # noqa: ARG002
        edge: Edge,  # noqa: ARG002
    ) -> AllLines:
        """The lines. Raises ApiError."""
        found = await calls.settings(self.client)
        self.heard(found)
        return AllLines(lines(found, self.tab, self.words))


def lines(settings: Settings, tab: str = "all", words: str = "") -> list[Line]:
    """The settings under a tab that match the words, below the headings of their groups."""
    wanted = words.casefold().split()
    result: list[Line] = []
    at = 0
    for group in settings.groups:
        tests = tuple(test.name for test in group.tests)
        kept = [Line(at, group.name, group.label, tests)]
        for row in group.settings:
            at += 1
            if in_tab(row, tab) and _matches(group, row, wanted):
                kept.append(Line(at, group.name, row.label, tests, row))
        at += 1
        if len(kept) > 1:
            result += kept
    return result


def in_tab(row: SettingRow, tab: str) -> bool:
    """Whether a setting stands under a tab."""
    return tab == "all" or (row.source != "default" if tab == "set" else row.trouble is not None)


def _matches(group: SettingGroup, row: SettingRow, wanted: Sequence[str]) -> bool:
    text = f"{group.label} {row.name} {row.label} {row.help} {row.value or ''}".casefold()
    return all(word in text for word in wanted)


def shown(row: SettingRow) -> Cell:
    """What holds, in words: of a secret only its hint."""
    if row.kind == "secret":
        return Cell(row.hint or "not set", "" if row.hint else "muted")
    if row.value is None:
        return Cell("not set", "muted")
    return Cell(f"{row.value} {row.unit}" if row.unit else row.value)


def source_words(row: SettingRow) -> str:
    """Who says what holds: ``default``, ``set``, ``ENV``."""
    return {"default": "default", "stored": "set", "environment": "ENV"}[row.source]


def lead(glyphs: Glyphs) -> Callable[[Line], Cell]:
    """The icon of a line: trouble, or what somebody set."""

    def icon(line: Line) -> Cell:
        if line.row is None:
            return Cell(" ")
        if line.row.trouble:
            return Cell(glyphs.error, "error")
        return Cell(" " if line.row.source == "default" else glyphs.info, "muted")

    return icon


def columns(glyphs: Glyphs, results: Mapping[str, TestResult | None]) -> list[Column[Line]]:
    """Name, value, who says so. ``results`` holds what tests found; None while one runs."""

    def label(line: Line) -> Cell:
        return Cell(line.label, "strong") if line.row is None else Cell(f" {line.label}")

    def value(line: Line) -> Cell:
        if line.row is None:
            return tried(line, results, glyphs)
        if line.row.trouble:
            return Cell("cannot be used", "error")
        return shown(line.row)

    def source(line: Line) -> Cell:
        if line.row is None:
            return Cell("")
        return Cell(source_words(line.row), "accent" if line.row.source == "environment" else "muted")

    return [
        Column("SETTING", label, flex=1),
        Column("VALUE", value, flex=1),
        Column("SOURCE", source, width=7, min_list_width=40),
    ]


def tried(line: Line, results: Mapping[str, TestResult | None], glyphs: Glyphs) -> Cell:
    """What the last test of a group found."""
    for name in line.tests:
        if name in results:
            result = results[name]
            if result is None:
                return Cell(f"trying{glyphs.ellipsis}", "muted")
            if result.ok:
                return Cell(f"{glyphs.marked} works", "success")
            return Cell(f"{glyphs.error} does not work", "error")
    return Cell("")
