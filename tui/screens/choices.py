"""What a list may be narrowed to beside its tab and its filter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.widgets.format import Glyphs

if TYPE_CHECKING:
    from tui.screens.search import SearchScreen


@dataclass(frozen=True, slots=True)
class Choices:
    """What a list says of its choices, of which one holds at a time.

    Attributes:
        command: the id of the command that chooses; a click on what is chosen runs it too.
        title: the heading of the menu; empty where there is none, because the command itself chooses.
        every: what the menu's first line shows, which takes the choice away.
    """

    command: str
    title: str = ""
    every: str = ""

    def menu(self, offered: Iterable[tuple[str, str, str]], choice: str, glyphs: Glyphs) -> SearchScreen:
        """The menu of what is offered, each an id, a name and a detail; ``choice`` is the id that holds."""
        from tui.screens.search import Item, menu_screen  # noqa: PLC0415 - only when it is asked for

        lines = [("", "all", self.every), *offered]
        items = [Item(each, name, detail, chosen=each == choice) for each, name, detail in lines]
        return menu_screen(self.title, items, glyphs)
