"""One question before something that cannot quite be undone. Imported when it is asked."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from tui.widgets.text import Hint, SafeButton, SafeStatic


class AskScreen(ModalScreen[bool]):
    """Asks whether to do something; Enter does it, Escape does not. Answers True for yes.

    Args:
        question: what would be done, to whom.
        told: what it brings with it.
        yes: the word for doing it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,n", "answer(False)", "leave", show=False),
        Binding("left,right,h,l", "app.focus_next", "other", show=False),
    ]

    DEFAULT_CSS = """
    AskScreen {
        align: center middle;
        background: transparent;
        & > Vertical {
            width: 56;
            max-width: 96%;
            height: auto;
            padding: 1 2;
            background: $surface;
            border: round $warning;
        }
        & .question { height: auto; text-style: bold; }
        & Hint { height: auto; margin: 0 0 1 0; }
        & Horizontal { height: 1; }
        & SafeButton { margin: 0 2 0 0; }
        &:ansi { background: ansi_default; }
        &:ansi > Vertical { background: ansi_default; }
    }
    """

    def __init__(self, question: str, told: str, yes: str) -> None:
        super().__init__()
        self._question = question
        self._told = told
        self._yes = yes

    def compose(self) -> ComposeResult:
        """The question and its two answers; Enter is the first."""
        with Vertical():
            yield SafeStatic(self._question, classes="question")
            yield Hint(self._told)
            with Horizontal():
                yield SafeButton(self._yes, id="yes")
                yield SafeButton("Leave it  esc", id="no")

    def on_mount(self) -> None:
        """Enter does it."""
        self.query_one("#yes", SafeButton).focus()

    def on_button_pressed(self, event: SafeButton.Pressed) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer by key."""
        self.dismiss(yes)
