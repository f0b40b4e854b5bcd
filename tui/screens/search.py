"""Dialogues that find one thing by its words: the help, the palette, a menu. Imported when one is opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui import keys
from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.list_cursor import Highlighted
from tui.widgets.record_list import Cell, Column, RecordList
from tui.widgets.text import Heading, Hint, Line, SafeInput


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the dialogue.

    Attributes:
        id: what choosing it answers.
        name: what it is called.
        detail: what it does, in a sentence.
        keys: the keys that do the same.
        group: the heading under which it stands.
        chosen: it holds already (in a menu).
    """

    id: str
    name: str
    detail: str = ""
    keys: str = ""
    group: str = ""
    chosen: bool = False

    def matches(self, words: Sequence[str]) -> bool:
        """Whether all the words stand somewhere in it."""
        text = f"{self.id} {self.name} {self.detail} {self.keys} {self.group}".casefold()
        return all(word in text for word in words)


class SearchScreen(ModalScreen[str | None]):
    """A panel with a line to type into and a list below it; answers the chosen item's id, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "close", show=False),
        Binding("down,ctrl+n", "move('cursor_down')", "down", show=False, priority=True),
        Binding("up,ctrl+p", "move('cursor_up')", "up", show=False, priority=True),
        Binding("pagedown", "move('page_down')", "page down", show=False),
        Binding("pageup", "move('page_up')", "page up", show=False),
    ]

    DEFAULT_CSS = """
    SearchScreen {
        align: center middle;
        background: transparent;
        & > Vertical {
            width: 96%;
            max-width: 110;
            height: 86%;
            max-height: 34;
            padding: 0 1;
            background: $surface;
            border: round $border;
        }
        &.-menu > Vertical { max-width: 56; height: auto; max-height: 80%; }
        & SafeInput { background: $surface; border: none; padding: 0; height: 1; margin: 0 0 1 0; }
        & RecordList { background: $surface; height: 1fr; }
        &.-menu RecordList { height: 12; }
        & Hint { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        &:ansi { background: ansi_default; }
        &:ansi Vertical, &:ansi SafeInput, &:ansi RecordList { background: ansi_default; }
    }
    """

    def __init__(
        self,
        title: str,
        items: Sequence[Item],
        columns: Callable[[Collection[str]], Sequence[Column[Item]]],
        *,
        hint: str,
        menu: bool = False,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        super().__init__(classes="-menu" if menu else "")
        self.heading = title
        self.items = tuple(items)
        self.hint = hint
        self.leads: set[str] = set()
        """The items that are the first of their group in what is shown."""
        self._list: RecordList[Item] = RecordList(
            columns(self.leads),
            glyphs=glyphs,
            empty="Nothing has these words.",
            hint="Type fewer of them, or press Escape to close.",
            lead=lambda item: Cell(glyphs.marked if item.chosen else " ", "accent"),
        )
        self._list.can_focus = False
        self._show(self.items)

    def _show(self, items: Sequence[Item]) -> None:
        first = {item.group: item.id for item in reversed(items)}
        self.leads.clear()
        self.leads.update(first.values())
        self._list.set_rows(items)
        self._list.set_columns()

    def compose(self) -> ComposeResult:
        """Heading, line, list, and what the keys do."""
        with Vertical():
            yield Heading(self.heading)
            yield SafeInput(placeholder="type to search")
            yield self._list
            yield Line(id="whole")
            yield Hint(self.hint)

    def on_mount(self) -> None:
        """Begin where something is chosen already."""
        self.query_one(SafeInput).focus()
        chosen = next((item.id for item in self.items if item.chosen), None)
        if chosen is not None:
            self.call_after_refresh(self._list.go_to, chosen)

    def on_input_changed(self, event: SafeInput.Changed) -> None:
        """Show what has all these words; what begins with them first."""
        event.stop()
        words = event.value.casefold().split()
        found = [item for item in self.items if item.matches(words)]
        if words:
            found.sort(key=lambda item: not item.name.casefold().startswith(words[0]))
        self._show(found)
        self._list.move_to(0)

    def on_record_list_highlighted(self, event: Highlighted) -> None:
        """Say the whole of what the list may have to cut."""
        event.stop()
        item = self._list.cursor_row
        self.query_one("#whole", Line).update(item.detail if item is not None and item.keys else "")

    def on_input_submitted(self, event: SafeInput.Submitted) -> None:
        """Choose what is under the cursor."""
        event.stop()
        self.dismiss(self._list.cursor_id)

    def on_record_list_opened(self, event: RecordList.Opened) -> None:
        """Choose what was clicked."""
        event.stop()
        self.dismiss(event.row_id)

    async def action_move(self, name: str) -> None:
        """Move in the list while the line keeps the focus."""
        await self._list.run_action(name)

    def action_leave(self) -> None:
        """Close without choosing."""
        self.dismiss(None)


def help_screen(live: keys.Keymap, commands: Sequence[keys.Command], glyphs: Glyphs) -> SearchScreen:
    """All keys by group, as they are now; Enter runs what is under the cursor."""

    def columns(leads: Collection[str]) -> list[Column[Item]]:
        return [
            Column("", lambda item: Cell(item.group if item.id in leads else "", "strong"), width=10),
            Column("KEYS", lambda item: Cell(item.keys, "accent"), width=10),
            Column("WHAT IT DOES", lambda item: Cell(item.detail), flex=1),
            Column("ID", lambda item: Cell(item.id, "muted"), width=16, min_list_width=96),
        ]

    items = [_item(command, live, glyphs) for command in commands]
    hint = _hint(glyphs, "do it") + "   ids are for [keys] in the config file"
    return SearchScreen("Keys", items, columns, hint=hint, glyphs=glyphs)


def palette_screen(live: keys.Keymap, commands: Sequence[keys.Command], glyphs: Glyphs) -> SearchScreen:
    """Every action by its words."""

    def columns(_leads: Collection[str]) -> list[Column[Item]]:
        return [
            Column("ACTION", lambda item: Cell(item.name, "strong"), width=16),
            Column("WHAT IT DOES", lambda item: Cell(item.detail), flex=1),
            Column("KEYS", lambda item: Cell(item.keys, "accent"), width=11, align="right"),
        ]

    items = [_item(command, live, glyphs) for command in commands if command.listed]
    hint = _hint(glyphs, "do it")
    return SearchScreen("Find an action", items, columns, hint=hint, glyphs=glyphs)


def menu_screen(title: str, items: Sequence[Item], glyphs: Glyphs) -> SearchScreen:
    """A short choice; what holds now is marked."""

    def columns(_leads: Collection[str]) -> list[Column[Item]]:
        return [
            Column("", lambda item: Cell(item.name, "strong"), width=14),
            Column("", lambda item: Cell(item.detail, "muted"), flex=1),
        ]

    hint = _hint(glyphs, "choose")
    return SearchScreen(title, items, columns, hint=hint, menu=True, glyphs=glyphs)


def _hint(glyphs: Glyphs, verb: str) -> str:
    move, enter = ("↑↓", "⏎") if glyphs is UNICODE else ("up, down", "enter")
    return f"{move} move  {enter} {verb}  esc close"


def _item(command: keys.Command, live: keys.Keymap, glyphs: Glyphs) -> Item:
    shown = live.shown(command.id, every=True, ascii_only=glyphs is not UNICODE)
    outside = f" {glyphs.outside}" if command.outside else ""
    return Item(command.id, command.label, command.help, shown + outside, command.group)
