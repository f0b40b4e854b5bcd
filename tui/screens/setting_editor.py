"""Changing one setting where it stands in the list: a line to type into, a choice, a text, or a secret nobody sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from server.contract.settings import SettingRow
from tui import keys
from tui.api.clean import RETURN_SIGN
from tui.widgets.bar import Bar, Part
from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.long_text import LongText
from tui.widgets.text import SafeInput, SafeStatic

Saving = Literal["idle", "saving", "refused"]

LONGEST: Final = 4096
"""Characters that can be typed."""
TEXT_LINES: Final = 5
"""Lines of a long text that are seen at once."""
LEAST_CELLS: Final = 34
"""Cells that the editor has at the least."""


class SecretInput(SafeInput):
    """A line whose letters are not shown, and that gives nothing to the clipboard."""

    def __init__(self) -> None:
        super().__init__(password=True, max_length=LONGEST, placeholder="a new one; nobody sees it")

    def action_copy(self) -> None:
        """Do nothing: a secret goes to the server and nowhere else."""

    def action_cut(self) -> None:
        """Do nothing."""


class Choice(Bar, can_focus=True):
    """A few words side by side, one of them chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,down,l,j,tab", "step(1)", show=False),
        Binding("left,up,h,k,shift+tab", "step(-1)", show=False),
    ]

    def __init__(self, choices: tuple[str, ...], chosen: str, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self.choices = choices
        self.chosen = chosen if chosen in choices else choices[0]
        self._signs = ("●", "○") if glyphs is UNICODE else ("(x)", "( )")

    def on_mount(self) -> None:
        """Show them."""
        self._say()

    def action_step(self, step: int) -> None:
        """To the next one, round and round."""
        at = (self.choices.index(self.chosen) + step) % len(self.choices)
        self.chosen = self.choices[at]
        self._say()

    def on_bar_pressed(self, event: Bar.Pressed) -> None:
        """Choose what was clicked."""
        event.stop()
        self.chosen = event.command
        self._say()

    def _say(self) -> None:
        yes, no = self._signs
        self.show(
            [
                Part(
                    f"{yes if each == self.chosen else no} {each}   ",
                    "current" if each == self.chosen else "muted",
                    each,
                )
                for each in self.choices
            ]
        )


class SettingEditor(Vertical):
    """Lies over the value of a setting in the list.

    Args:
        row: the setting.
        live: the keys in force, for its sentences.
        glyphs: the decorative characters.
        explain: say what the setting means, where no story beside the list does.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("editing")]

    DEFAULT_CSS = """
    SettingEditor {
        layer: above;
        height: auto;
        background: $surface;
        border-left: outer $accent;
        & SafeInput { background: $surface; border: none; height: 1; padding: 0; }
        & LongText { background: $surface; border: none; padding: 0; scrollbar-size-vertical: 1; }
        & Choice { background: $surface; }
        & > .help { color: $text-muted; height: auto; }
        & > .state { color: $text-muted; height: auto; }
        &.-refused > .state { color: $error; }
        &.-refused > .help { display: none; }
        &:ansi {
            background: ansi_default;
            & SafeInput, & LongText, & Choice { background: ansi_default; }
            & > .help, & > .state { color: ansi_default; text-style: dim; }
            &.-refused > .state { color: ansi_red; text-style: not dim; }
        }
    }
    """

    @dataclass
    class Submitted(Message):
        """This value is to be saved. Of a secret, nothing repeats it."""

        name: str
        value: str

        def __rich_repr__(self) -> list[str]:
            return [self.name]

    class Laid(Message):
        """It takes so many lines now."""

    class GaveUp(Message):
        """The setting stays as it was."""

    def __init__(
        self, row: SettingRow, live: keys.Keymap, *, glyphs: Glyphs = UNICODE, explain: bool = True
    ) -> None:
        super().__init__()
        self.row = row
        self.kind: keys.Focus = "choosing" if row.kind in {"switch", "choice"} else "editing"
        self._field = self._made(glyphs)
        self._explain = explain
        self._live = live
        self._ascii = glyphs is not UNICODE
        self._saving = False

    def _made(self, glyphs: Glyphs) -> Widget:
        row, value = self.row, self.row.value or ""
        if row.kind == "secret":
            return SecretInput()
        if row.kind == "switch":  # what one comes for is the other one
            return Choice(("on", "off"), "off" if value == "on" else "on", glyphs)
        if row.kind == "choice" and row.choices:
            return Choice(tuple(row.choices), value, glyphs)
        if row.kind == "long_text":
            text = LongText(value.replace(RETURN_SIGN, "\n"))
            text.styles.height = TEXT_LINES
            text.move_cursor(text.document.end)
            return text
        line = SafeInput(value, max_length=LONGEST, placeholder=row.default or "")
        line.select_on_focus = False  # what holds is changed, seldom replaced
        line.cursor_position = len(value)
        return line

    def compose(self) -> ComposeResult:
        """The field; what it means; how saving stands."""
        yield self._field
        if self._explain:
            yield SafeStatic(self.row.help, classes="help")
        yield SafeStatic(classes="state")

    def on_mount(self) -> None:
        """Take the focus, with the cursor at the end of what holds."""
        self.say("idle")
        self.take_focus()

    def on_resize(self) -> None:
        """Say that the place may be another."""
        self.post_message(self.Laid())

    def turn(self, *, up: bool) -> None:
        """Have the field at the top, or at the bottom with what is said of it above."""
        if up != (self.children[-1] is self._field):
            others = [child for child in self.children if child is not self._field]
            if up:
                self.move_child(self._field, after=others[-1])
            else:
                self.move_child(self._field, before=others[0])

    def take_focus(self) -> None:
        """Put the focus into the field."""
        self._field.focus(scroll_visible=False)

    @property
    def value(self) -> str:
        """What is entered now."""
        if isinstance(self._field, Choice):
            return self._field.chosen
        if isinstance(self._field, LongText):
            return self._field.text
        return self._field.value if isinstance(self._field, SafeInput) else ""

    def say(self, state: Saving, sentence: str = "") -> None:
        """Say how saving stands, and why it was refused."""
        self._saving = state == "saving"
        self.set_class(state == "refused", "-refused")
        save, leave = (self._live.shown(name, ascii_only=self._ascii) for name in ("edit.save", "edit.leave"))
        hint = f"{save} saves   {leave} leaves it"
        if self.row.kind == "long_text":
            hint += f"   {self._live.shown('edit.line')} new line"
        said = {"idle": hint, "saving": "Saving…", "refused": sentence}[state]
        self.query_one(".state", SafeStatic).update(said)

    # What is pressed.

    def on_input_submitted(self, event: SafeInput.Submitted) -> None:
        """Enter in the line."""
        event.stop()
        self.action_save()

    def on_long_text_entered(self, event: LongText.Entered) -> None:
        """Enter in a long text."""
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Save what was entered, once."""
        if not self._saving:
            self.say("saving")
            self.post_message(self.Submitted(self.row.name, self.value))

    def action_give_up(self) -> None:
        """Leave the setting as it was."""
        self.post_message(self.GaveUp())

    def action_new_line(self) -> None:
        """A new line in a long text."""
        if isinstance(self._field, LongText):
            self._field.insert("\n")

    def action_other(self) -> None:
        """The other choice."""
        if isinstance(self._field, Choice):
            self._field.action_step(1)
