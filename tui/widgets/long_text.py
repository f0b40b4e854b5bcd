"""Several lines to type into. What is pasted is cleaned; Enter is for whoever holds it."""

from __future__ import annotations

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from tui.api.clean import clean_block


class LongText(TextArea):
    """Several lines to type into; Enter asks to save, as everywhere.

    Args:
        text: what stands in it at first.
        placeholder: what is shown while nothing does.
    """

    class Entered(Message):
        """Enter was pressed."""

    def __init__(self, text: str = "", *, placeholder: str = "") -> None:
        super().__init__(text, compact=True, show_line_numbers=False, soft_wrap=True, placeholder=placeholder)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Blanks while the style sheet has not reached it: Textual may paint a new widget before that."""
        try:
            return super().render_lines(crop)
        except KeyError:
            return [Strip.blank(crop.width)] * crop.height

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(self.Entered())
        else:
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        """Take what is pasted without what a terminal acts on."""
        event.stop()
        event.prevent_default()
        self.insert(clean_block(event.text))
