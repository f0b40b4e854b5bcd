"""The smallest Textual app: what every other start is compared with."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Hello(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static("hello", markup=False)


if __name__ == "__main__":
    Hello().run()
