"""The list of the People section: its tabs and columns, and whether those who are gone are shown."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from server.contract.people import PersonRow
from tui import keys
from tui.api import people as calls
from tui.api.window import Source
from tui.screens import people_rows
from tui.screens.choices import Choices
from tui.screens.section import Section
from tui.widgets.columns import Column
from tui.widgets.frame import TabMark
from tui.widgets.record_list import RecordList

if TYPE_CHECKING:
    from server.contract.people import PeopleTab
    from tui.api.client import Client


WITH_ERASED: Final = "with erased"
"""The one choice there is: those who are erased, or about to be, are listed too."""


class PeopleList(Section[PersonRow]):
    """Staff and customers, newest first."""

    NAME = "people"
    TABS = (TabMark("all", "All"), TabMark("customers", "Customers"), TabMark("staff", "Staff"))
    TOPICS = frozenset({"people", "access", "orders", "tickets"})
    FILTER_HINT = "name, e-mail or phone"
    NOUNS = ("person", "people")
    LIST_FOCUS = "people"
    STORY_FOCUS = "person"
    CHOICES = Choices("people.erased")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("people")]

    def compose(self) -> ComposeResult:
        """Tabs, list, story."""
        yield self.tab_bar
        with Horizontal(classes="panes"):
            yield self.list
            yield self.story

    def make_list(self) -> RecordList[PersonRow]:
        """Sign, name, e-mail, role, orders, open tickets, since when."""
        return RecordList(self.columns(), lead=people_rows.lead(self.desk.glyphs), glyphs=self.desk.glyphs)

    def columns(self) -> list[Column[PersonRow]]:
        """What a line of the list says."""
        desk = self.desk
        return people_rows.columns(lambda: desk.times, desk.glyphs, desk.format)

    def query_key(self) -> Hashable:
        """Tab, words, and whether the erased are shown."""
        return self.tab, self.words, self.choice

    def source(self, client: Client) -> Source[PersonRow]:
        """The people under this tab that match."""
        query = calls.PeopleQuery(cast("PeopleTab", self.tab), self.words, erased=bool(self.choice))
        return calls.PeopleSource(client, query)

    async def count(self, client: Client) -> dict[str, int]:
        """How many people stand under each tab."""
        return (await calls.counts(client)).model_dump()

    def empty(self) -> tuple[str, str]:
        """Why there is nobody."""
        if self.words:
            return f"Nobody has “{self.words}”.", f"{self.desk.key('close')} clears the filter."
        if self.tab == "customers":
            return "No customers yet.", "Whoever orders something stands here."
        if self.tab == "staff":
            return "Nobody else works here yet.", f"{self.desk.key('person.invite')} invites somebody."
        return "Nobody is here yet.", "Whoever orders something, and the shop's staff, stand here."

    # Those who are gone.

    def choice_told(self) -> str:
        """That the erased are shown too: the list is another one than its tab counts."""
        return f"{self.choice}  " if self.choice and self.words else self.choice

    def action_erased(self) -> None:
        """Show those who are erased, or about to be, or no more."""
        self.choose("" if self.choice else WITH_ERASED)

    # What is under the cursor.

    @property
    def row(self) -> PersonRow | None:
        """The line that keys act on, as far as the list holds it."""
        return self.list.row_of(self.subject)
