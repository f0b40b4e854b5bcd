"""What stands in a story's place in the People section: something that must be seen, answered or kept at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Vertical

from tui import keys
from tui.widgets.story import Story

if TYPE_CHECKING:
    from tui.screens.people import PeopleSection


class PersonPage(Vertical):
    """A page about one person; closed by the close key, or when another person is gone to.

    Its own focus may be on a button: the keys that move in a story move in its text from there, too.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("story")]
    SCOPED_CSS = False  # it takes the place of a section's story
    DEFAULT_CSS = """
    PeopleSection.-paged .panes {
        & > RecordList, & > Story, & > Panel { display: none !important; }
        & > PersonPage { width: 1fr; }
    }
    .-wide PeopleSection.-paged .panes {
        & > RecordList { display: block !important; }
        & > PersonPage { width: 13fr; border-left: solid $border-blurred; }
    }
    PersonPage > Story { height: 1fr; }
    """

    def __init__(self, section: PeopleSection, subject: str) -> None:
        super().__init__()
        self.subject = subject
        self.section = section
        self.text = Story(empty="", glyphs=section.desk.glyphs)

    def on_mount(self) -> None:
        """Take the story's place."""
        self.section.add_class("-paged")

    def close(self) -> None:
        """Give the place back."""
        focused = self.has_focus_within
        self.section.remove_class("-paged")
        self.remove()
        if self.section.display and focused:
            self.section.take_focus()

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows."""
        return "receipt"

    def look(self) -> None:
        """Something moved on the server: ask how things stand now."""

    def take_focus(self) -> None:
        """Put the focus where it belongs."""
        self.text.focus(scroll_visible=False)

    def copied(self) -> tuple[str, str]:
        """What the copy key sends to the clipboard, and what to say then; nothing for two empty texts."""
        return "", ""

    # Reading, from wherever the focus is.

    def action_cursor_down(self) -> None:
        """A line down."""
        self.text.action_cursor_down()

    def action_cursor_up(self) -> None:
        """A line up."""
        self.text.action_cursor_up()

    def action_half_page_down(self) -> None:
        """Half a page down."""
        self.text.action_half_page_down()

    def action_half_page_up(self) -> None:
        """Half a page up."""
        self.text.action_half_page_up()

    def action_page_down(self) -> None:
        """A page down."""
        self.text.action_page_down()

    def action_page_up(self) -> None:
        """A page up."""
        self.text.action_page_up()

    def action_top(self) -> None:
        """To the beginning."""
        self.text.action_top()

    def action_bottom(self) -> None:
        """To the end."""
        self.text.action_bottom()
