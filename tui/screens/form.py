"""A few lines to fill in, below list and story: what is known of somebody, or whom to invite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message

from tui import keys
from tui.screens.setting_editor import Choice
from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.text import Line, SafeInput, SafeStatic

LABELS: Final = 9
"""Cells of a label before its line."""


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a form.

    Attributes:
        name: what its value is called.
        label: for people.
        value: what stands in it at first.
        longest: characters that can be typed.
        placeholder: what is shown while nothing stands in it.
        choices: the words to choose between, where nothing is typed.
    """

    name: str
    label: str
    value: str = ""
    longest: int = 254
    placeholder: str = ""
    choices: tuple[str, ...] = ()


class Form(Vertical):
    """Labels and lines under a heading. Tab goes from line to line, Enter saves, Escape leaves.

    Args:
        about: what the form belongs to, as its opener names it; comes back with every message.
        heading: what is filled in.
        verb: the word for saving it.
        fields: the lines.
        live: the keys in force.
        glyphs: the decorative characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings("editing"),
        Binding("tab,down", "step(1)", "next line", show=False, priority=True),
        Binding("shift+tab,up", "step(-1)", "previous line", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    Form {
        height: auto;
        background: $surface;
        border-left: outer $accent;
        padding: 0 1;
        & > .heading { text-style: bold; color: $text-accent; }
        & > Horizontal { height: 1; }
        & .label { width: 9; color: $text-muted; }
        & SafeInput { background: $surface; border: none; height: 1; padding: 0; width: 1fr; }
        & Choice { background: $surface; width: 1fr; }
        & > .state { color: $text-muted; height: auto; }
        &.-refused > .state { color: $error; }
        &:ansi {
            background: ansi_default;
            & SafeInput, & Choice { background: ansi_default; }
            & > .heading { color: ansi_default; }
            & > .state, & .label { color: ansi_default; text-style: dim; }
            &.-refused > .state { color: ansi_red; text-style: not dim; }
        }
    }
    """

    @dataclass
    class Submitted(Message):
        """This is to be saved: the values by their names. What was typed is repeated by nothing."""

        about: str
        values: Mapping[str, str]

        def __rich_repr__(self) -> list[str]:
            return [self.about]

    @dataclass
    class GaveUp(Message):
        """It is left as it was."""

        about: str

    def __init__(
        self,
        about: str,
        heading: str,
        verb: str,
        fields: Sequence[Field],
        live: keys.Keymap,
        *,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        super().__init__()
        self.about = about
        self._heading = heading
        self._verb = verb
        self._live = live
        self._ascii = glyphs is not UNICODE
        self._fields = tuple(fields)
        self._lines: list[SafeInput | Choice] = [self._line(field, glyphs) for field in fields]
        self._saving = False

    def _line(self, field: Field, glyphs: Glyphs) -> SafeInput | Choice:
        if field.choices:
            return Choice(field.choices, field.value, glyphs)
        line = SafeInput(field.value, max_length=field.longest, placeholder=field.placeholder)
        line.select_on_focus = False  # what holds is changed, seldom replaced
        line.cursor_position = len(field.value)
        return line

    def compose(self) -> ComposeResult:
        """What is filled in; its lines; how saving stands."""
        yield Line(self._heading, classes="heading")
        for field, line in zip(self._fields, self._lines, strict=True):
            with Horizontal():
                yield Line(field.label, classes="label")
                yield line
        yield SafeStatic(classes="state")

    def on_mount(self) -> None:
        """Begin in the first line."""
        self.say("idle")
        self.take_focus()

    def take_focus(self) -> None:
        """Put the focus into the line that had it last, else into the first."""
        focused = next((line for line in self._lines if line.has_focus), self._lines[0])
        focused.focus(scroll_visible=False)

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows."""
        return (
            "choosing"
            if any(isinstance(line, Choice) and line.has_focus for line in self._lines)
            else "editing"
        )

    @property
    def values(self) -> dict[str, str]:
        """What is filled in now, by name, without blanks around it."""
        return {
            field.name: line.chosen if isinstance(line, Choice) else line.value.strip()
            for field, line in zip(self._fields, self._lines, strict=True)
        }

    @property
    def changes(self) -> dict[str, str]:
        """What is filled in and was another before."""
        before = {field.name: field.value.strip() for field in self._fields}
        return {name: value for name, value in self.values.items() if value != before[name]}

    def say(self, state: Literal["idle", "saving", "refused"], sentence: str = "") -> None:
        """Say how saving stands, and why it was refused; what is filled in stays."""
        self._saving = state == "saving"
        self.set_class(state == "refused", "-refused")
        save, leave = (self._live.shown(name, ascii_only=self._ascii) for name in ("edit.save", "edit.leave"))
        hint = f"{save} {self._verb}   tab next line   {leave} leaves it"
        self.query_one(".state", SafeStatic).update(
            {"idle": hint, "saving": "Saving…", "refused": sentence}[state]
        )

    def action_step(self, step: int) -> None:
        """To the next line, round and round."""
        at = next((at for at, line in enumerate(self._lines) if line.has_focus), 0)
        self._lines[(at + step) % len(self._lines)].focus(scroll_visible=False)

    def action_other(self) -> None:
        """The other choice."""
        line = next((line for line in self._lines if line.has_focus), None)
        if isinstance(line, Choice):
            line.action_step(1)

    def on_input_submitted(self, event: SafeInput.Submitted) -> None:
        """Enter in a line."""
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Save what is filled in, once."""
        if not self._saving:
            self.say("saving")
            self.post_message(self.Submitted(self.about, self.values))

    def action_give_up(self) -> None:
        """Leave it as it was."""
        self.post_message(self.GaveUp(self.about))
