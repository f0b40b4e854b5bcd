"""The question before leaving. Imported when it is asked."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from tui.widgets.format import count
from tui.widgets.text import Heading, Hint, SafeButton


class LeaveScreen(ModalScreen[bool]):
    """Asks whether to quit; answers True for yes.

    Args:
        unsent: texts that were written and are neither sent nor saved.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,ctrl+c", "answer(True)", "quit", show=False),
        Binding("n,escape,q", "answer(False)", "stay", show=False),
        Binding("left,right,h,l", "app.focus_next", "other", show=False),
    ]

    DEFAULT_CSS = """
    LeaveScreen {
        align: center middle;
        background: transparent;
        & > Vertical {
            width: 44;
            max-width: 96%;
            height: auto;
            padding: 1 2;
            background: $surface;
            border: round $border;
        }
        & Hint { margin: 0 0 1 0; }
        & Horizontal { height: 1; }
        & SafeButton { margin: 0 2 0 0; }
        &:ansi { background: ansi_default; }
        &:ansi > Vertical { background: ansi_default; }
    }
    """

    def __init__(self, unsent: int = 0) -> None:
        super().__init__()
        are = "is" if unsent == 1 else "are"
        told = f"{count(unsent, 'text')} you wrote {are} not sent. Quitting throws that away."
        self._told = told if unsent else "Nothing is lost: what you did is done."

    def compose(self) -> ComposeResult:
        """The question and its two answers."""
        with Vertical():
            yield Heading("Quit shopbell?")
            yield Hint(self._told)
            with Horizontal():
                yield SafeButton("Quit  y", id="quit")
                yield SafeButton("Stay  n", id="stay")

    def on_button_pressed(self, event: SafeButton.Pressed) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.button.id == "quit")

    def action_answer(self, leave: bool) -> None:
        """Answer by key."""
        self.dismiss(leave)
