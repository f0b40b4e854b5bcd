"""What a pane says when it has no rows to show: one headline and one sentence that says what to do next."""

from __future__ import annotations

from typing import Literal

from textual.content import Content

from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.text import SafeStatic

Kind = Literal["empty", "loading", "error"]


class Notice(SafeStatic):
    """A headline and a sentence in the middle of a pane."""

    DEFAULT_CSS = """
    Notice {
        width: 1fr;
        height: 1fr;
        padding: 0 2;
        content-align: center middle;
        text-align: center;
        color: $text-muted;
        &:ansi { color: ansi_default; }
    }
    """

    def say(self, kind: Kind, headline: str, sentence: str = "", *, glyphs: Glyphs = UNICODE) -> None:
        """Say this: strangers' words are fine, they are shown as they stand."""
        icon = {"empty": "", "loading": f"{glyphs.waiting} ", "error": f"{glyphs.error} "}[kind]
        style = "bold $error" if kind == "error" else "bold"
        parts: list[Content | tuple[str, str]] = [(f"{icon}{headline}", style)]
        if sentence:
            parts += [Content("\n\n"), Content(sentence)]
        self.update(Content.assemble(*parts))
