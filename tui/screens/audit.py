"""The Audit section: who did what in this program, and when. Nothing here can be changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType

from server.contract.audit import AuditChoices, AuditRow
from tui import keys
from tui.api import audit as calls
from tui.api.errors import ApiError
from tui.api.window import Source, Window
from tui.screens import audit_rows
from tui.screens.browser import CAPACITY
from tui.screens.choices import Choices
from tui.screens.desk import Desk
from tui.screens.raw_facts import WithRawFacts
from tui.screens.rows import Shelf
from tui.widgets.format import words
from tui.widgets.frame import TabMark
from tui.widgets.record_list import RecordList

if TYPE_CHECKING:
    from tui.api.client import Client


class AuditSection(WithRawFacts[AuditRow]):
    """Acts, newest first, and one of them whole."""

    NAME = "audit"
    TABS = (TabMark("all", "All"), TabMark("mine", "Mine"))
    TOPICS = frozenset({"audit"})
    FILTER_HINT = "an action, or the id of a record"
    NOUNS = ("act", "acts")
    LIST_FOCUS = "audit"
    STORY_FOCUS = "act"
    CHOICES = Choices("audit.menu", "Show only", "every act")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("audit")]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._known: dict[str, AuditRow] = {}

    # The list.

    def make_list(self) -> RecordList[AuditRow]:
        """Who, what, in which area, when."""
        return RecordList(self.columns(), lead=audit_rows.lead(self.desk.glyphs), glyphs=self.desk.glyphs)

    def columns(self) -> list[Any]:
        """What a line of the list says."""
        desk = self.desk
        return audit_rows.columns(lambda: desk.times, desk.format)

    def query_key(self) -> Hashable:
        """Tab, words, what the menu narrowed to."""
        return self.tab, self.words, self.choice

    def source(self, client: Client) -> Source[Any]:
        """The acts that match."""
        field, _, value = self.choice.partition("=")
        chosen = {field: value} if field else {}
        return calls.AuditSource(client, calls.AuditQuery(q=self.words, actor=self._actor, **chosen))

    @property
    def _actor(self) -> str:
        """Whose acts the tab shows; empty for everybody's."""
        me = self.desk.me.user if self.desk.me is not None else None
        return me.id if self.tab == "mine" and me is not None else ""

    def new_shelf(self) -> Shelf[AuditRow]:
        """A window in the order of recording."""
        window: Window[Any] = Window(rank=audit_rows.rank, capacity=CAPACITY)
        return Shelf(window, window)

    def empty(self) -> tuple[str, str]:
        """Why there are no acts."""
        if self.is_narrowed:
            return "No act matches.", f"{self.desk.key('close')} clears the filter."
        return (
            "Nothing was recorded yet.",
            "Whoever changes something here is recorded, without personal data.",
        )

    def choice_told(self) -> str:
        """The area, action or way, without the word which of these it is."""
        return super().choice_told().partition("=")[2]

    async def count(self, client: Client) -> dict[str, int]:
        """How many acts there are under the tab that is shown."""
        found = await calls.acts(client, calls.AuditQuery(actor=self._actor), limit=1)
        return {self.tab: found.total}

    # The story.

    @property
    def row(self) -> AuditRow | None:
        """The act that keys act on, as far as it is known."""
        return self.list.row_of(self.subject) or self._known.get(self.subject or "")

    async def tell(self, row_id: str, *, fresh: bool) -> None:  # noqa: ARG002 - an act never changes
        """Show an act; one that is not in the list is asked for."""
        row, desk = self.row, self.desk
        if row is None and desk.client is not None:
            try:
                self._known = {row_id: await calls.act(desk.client, row_id)}
            except ApiError as error:
                self.story_failed(row_id, error)
                return
            row = self._known[row_id]
        if row is not None:
            hint = f"{desk.key('audit.record')} opens the order" if row.resource_type == "order" else ""
            self.show_story(row_id, audit_rows.act_story(row, desk.times, hint=hint, raw=self.raw))

    # Acting.

    def action_open_record(self) -> None:
        """Open the order that an act speaks of."""
        row = self.row
        if row is not None and row.resource_type == "order" and row.resource_id:
            self.frame.open_order(row.resource_id, "")
        else:
            self.frame.say("note", "This act speaks of no order.")

    def action_copy(self) -> None:
        """Copy the id of what it was done to, or the act's own."""
        row = self.row
        self.copy(None if row is None else row.resource_id or row.id, "There is no act here to copy.")

    def action_menu(self) -> None:
        """Choose an area, an action or a way."""
        if self.desk.client is None:
            self.frame.say("note", "There is no connection yet.")
        else:
            self.begin(partial(self._choose, self.desk.client), "menu", exclusive=True)

    async def _choose(self, client: Client) -> None:
        try:
            found = await calls.choices(client)
        except ApiError as error:
            self.frame.say("refused", error.sentence)
            self.frame.failed(error)
            return
        self.offer(_offered(found))


def _offered(found: AuditChoices) -> Iterator[tuple[str, str, str]]:
    """The areas, actions and ways there are; an id is a field of the query and its value."""
    fields = (
        ("module", "area", found.modules),
        ("action", "action", found.actions),
        ("mode", "way", found.modes),
    )
    for field, word, values in fields:
        yield from ((f"{field}={value}", words(value), word) for value in values)
