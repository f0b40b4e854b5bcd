"""Where a text is written that somebody else will read: a reply, a note. It lies below list and story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from tui import keys
from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.long_text import LongText
from tui.widgets.text import SafeStatic

Tone = Literal["public", "internal"]
TEXT_LINES = 5
"""Lines of the text that are seen at once."""
FRAME_LINES = 13
"""Lines of a screen that are kept for everything else: on a low one the text gets fewer."""


class Composer(Vertical):
    """A few lines to write in, under a heading that says who will read them.

    What is for staff alone has another colour, another frame and the word INTERNAL, so that nobody sends the one for
    the other. A text that was left stays with whoever opened the composer (``draft``).

    Args:
        about: what the text belongs to, as its opener names it; comes back with every message.
        heading: who reads it (``Reply to tom@example.com``).
        verb: the word for sending it.
        live: the keys in force.
        tone: ``public`` reaches the customer, ``internal`` does not.
        draft: what was written and left before.
        placeholder: what is shown while nothing is written.
        glyphs: the decorative characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("composing")]

    DEFAULT_CSS = """
    Composer {
        height: auto;
        background: $surface;
        border-left: outer $success;
        padding: 0 1;
        & > .heading { height: auto; text-style: bold; color: $success; }
        & > LongText { background: $surface; border: none; padding: 0; scrollbar-size-vertical: 1; }
        & > .state { color: $text-muted; height: auto; }
        &.-refused > .state { color: $error; }
        &.-internal {
            background: $warning-muted;
            border-left: double $warning;
            & > .heading { color: $text-warning; }
            & > LongText { background: $warning-muted; }
        }
        &:ansi {
            background: ansi_default;
            & > LongText { background: ansi_default; }
            & > .heading { color: ansi_default; }
            & > .state { color: ansi_default; text-style: dim; }
            &.-internal > .heading { color: ansi_yellow; }
            &.-refused > .state { color: ansi_red; text-style: not dim; }
        }
    }
    """

    @dataclass
    class Submitted(Message):
        """This text is to be sent."""

        about: str
        tone: Tone
        text: str

    @dataclass
    class GaveUp(Message):
        """It is left; ``text`` is what was written so far."""

        about: str
        tone: Tone
        text: str

    def __init__(
        self,
        about: str,
        heading: str,
        verb: str,
        live: keys.Keymap,
        *,
        tone: Tone = "public",
        draft: str = "",
        placeholder: str = "",
        glyphs: Glyphs = UNICODE,
    ) -> None:
        super().__init__(classes="-internal" if tone == "internal" else "")
        self.about = about
        self.tone: Tone = tone
        self._heading = f"INTERNAL  {heading}" if tone == "internal" else heading
        self._verb = verb
        self._live = live
        self._ascii = glyphs is not UNICODE
        self._text = LongText(draft, placeholder=placeholder)
        self._sending = False

    def compose(self) -> ComposeResult:
        """Who reads it; the text; how sending stands."""
        yield SafeStatic(self._heading, classes="heading")
        self._text.styles.height = max(min(TEXT_LINES, self.app.size.height - FRAME_LINES), 1)
        yield self._text
        yield SafeStatic(classes="state")

    def on_mount(self) -> None:
        """Take the focus, at the end of what was written before."""
        self._text.move_cursor(self._text.document.end)
        self.say("idle")
        self.take_focus()

    def take_focus(self) -> None:
        """Put the focus into the text."""
        self._text.focus(scroll_visible=False)

    @property
    def text(self) -> str:
        """What is written."""
        return self._text.text

    def say(self, state: Literal["idle", "sending", "refused"], sentence: str = "") -> None:
        """Say how sending stands, and why it was refused; what is written stays."""
        self._sending = state == "sending"
        self.set_class(state == "refused", "-refused")
        send, leave = (
            self._live.shown(name, ascii_only=self._ascii) for name in ("compose.send", "compose.leave")
        )
        hint = (
            f"{send} {self._verb}   {self._live.shown('compose.line')} new line   {leave} leaves it for later"
        )
        said = {"idle": hint, "sending": "Sending…", "refused": sentence}[state]
        self.query_one(".state", SafeStatic).update(said)

    def on_long_text_entered(self, event: LongText.Entered) -> None:
        """Enter in the text."""
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Send what is written, once; nothing is sent where nothing is."""
        if self._sending:
            return
        if not self.text.strip():
            self.say("refused", "Nothing is written yet.")
            return
        self.say("sending")
        self.post_message(self.Submitted(self.about, self.tone, self.text))

    def action_give_up(self) -> None:
        """Leave it for later."""
        self.post_message(self.GaveUp(self.about, self.tone, self.text))

    def action_new_line(self) -> None:
        """A new line."""
        self._text.insert("\n")
