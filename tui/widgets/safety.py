"""The app that every shopbell screen runs in: nothing of a stranger's or of a secret leaves it by accident.

Three nets, each pinned by a test that runs a real program:

* what is drawn passes a last filter that deletes control characters, whatever widget drew it;
* toasts never read markup, and there is no command that saves a picture of the screen;
* when the program fails, it prints one sentence. Textual would print the values of local variables, tokens
  and customers among them; here a report holds the types of the errors and line numbers of our own code only.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from rich.console import RenderableType
from rich.segment import Segment
from textual import events
from textual.app import App, SystemCommand
from textual.color import Color
from textual.filter import LineFilter, Monochrome, NoColor
from textual.notifications import SeverityLevel
from textual.screen import Screen

from tui.api.clean import clean_block, clean_line
from tui.widgets.crash import CrashReports, Failure
from tui.widgets.theme import THEMES, choose_theme, variable_defaults

ReturnType = TypeVar("ReturnType")

_FOREIGN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class StripControls(LineFilter):
    """Deletes control characters and direction overrides from drawn text, and halves of characters.

    Their width was measured as nothing, so the layout stays as it is; a half is one cell and becomes U+FFFD.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the base's
        """Give back the segments, changed where they hold what a terminal acts on."""
        search = _FOREIGN.search
        if not any(text and not control and search(text) for text, _style, control in segments):
            return segments
        return [
            segment if segment.control else Segment(_FOREIGN.sub(_replacement, segment.text), segment.style)
            for segment in segments
        ]


def _replacement(found: re.Match[str]) -> str:
    return "\ufffd" if "\ud800" <= found[0] <= "\udfff" else ""


class SafeApp(App[ReturnType], Generic[ReturnType]):
    """The base of the client's app. ``reports`` is where a crash report goes; without it none is written."""

    def __init__(self, *, reports: CrashReports | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        self._reports = reports
        self._strip_controls = StripControls()
        self._last_words: list[str] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = choose_theme(None, no_color=self.no_color)

    # What is drawn.

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, without greys when NO_COLOR asks for no colour, and the last net."""
        filters = [
            NoColor() if isinstance(line_filter, Monochrome) else line_filter
            for line_filter in super().get_line_filters()
        ]
        return [*filters, self._strip_controls]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that do not set them."""
        return variable_defaults(self.current_theme)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - never read as markup, whatever is asked
    ) -> None:
        """Show a toast; both texts are shown as they stand."""
        super().notify(
            clean_block(message), title=clean_line(title), severity=severity, timeout=timeout, markup=False
        )

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Textual's own commands without the one that writes the screen, and what is on it, to a file."""
        return (command for command in super().get_system_commands(screen) if command.title != "Screenshot")

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Do nothing: a picture of the screen holds people's data."""

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keep cursors from blinking: each blink is bytes on the wire for ever."""
        if hasattr(event.widget, "cursor_blink"):  # Input, TextArea, and what is made of them
            event.widget.cursor_blink = False

    # What is said when the program fails.

    def _on_load(self) -> None:
        """Catch what fails in tasks that nobody waits for."""
        asyncio.get_running_loop().set_exception_handler(self._task_failed)

    def _task_failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and self._reports is not None:
            self._reports.write(Failure.of(error))  # the app goes on, so nothing is said

    def _handle_exception(self, error: Exception) -> None:
        """Textual's hook for whatever was not handled: remember it, write the report, leave."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._end_with(Failure.of(error))

    def _fatal_error(self) -> None:
        """Textual's hook that prints a traceback with local variables; not here."""
        error = sys.exc_info()[1]
        self._end_with(Failure.of(error) if error is not None else Failure.unknown())

    def panic(self, *renderables: RenderableType) -> None:
        """Textual's hook for failures of its threads; what they would print is reduced to places."""
        from rich.traceback import Traceback  # noqa: PLC0415 - needed on the way out, costs at the start

        self._return_code = 1
        traces = [item.trace for item in renderables if isinstance(item, Traceback)]
        self._end_with(Failure.of_trace(traces[0]) if traces else Failure.unknown())

    def _end_with(self, failure: Failure) -> None:
        if not self._last_words:
            said = failure.sentence if self._reports is None else self._reports.write(failure)
            self._last_words.append(said)
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Print the one sentence, or what ``exit(message=…)`` was given, and nothing else."""
        words = self._last_words[:1] or [item for item in self._exit_renderables if isinstance(item, str)][:1]
        for sentence in words:
            self.error_console.print(clean_block(sentence), markup=False, highlight=False, soft_wrap=True)
        self._exit_renderables.clear()
        self._last_words.clear()
