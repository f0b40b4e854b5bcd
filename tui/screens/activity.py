"""The Activity section: all that happened, and what of it needs a human."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui import keys
from tui.api.client import FeedQuery
from tui.api.errors import ApiError
from tui.api.sources import FeedSource
from tui.api.window import Source, Window
from tui.screens import feed
from tui.screens.acting import of_these
from tui.screens.browser import CAPACITY
from tui.screens.choices import Choices
from tui.screens.deeds import Wish
from tui.screens.desk import Desk
from tui.screens.raw_facts import WithRawFacts
from tui.screens.rows import Shelf
from tui.screens.unfolding import Row, Unfolding, entry_id, row_id, speaks_for_group
from tui.widgets.bar import Part
from tui.widgets.format import count, words
from tui.widgets.frame import TabMark
from tui.widgets.record_list import Column, RecordList

if TYPE_CHECKING:
    from server.contract.activity import Entry, FeedTab, Level
    from tui.api.client import Client

MEMBERS = 200
"""Members of a group that are unfolded at most."""


class ActivitySection(WithRawFacts[Row]):
    """The feed, newest first: repeated problems as one row."""

    NAME = "activity"
    TABS = (TabMark("all", "All activity"), TabMark("attention", "Needs attention"))
    TOPICS = frozenset({"activity", "orders"})
    FILTER_HINT = "words, event type, order number, name or e-mail"
    NOUNS = ("entry", "entries")
    LIST_FOCUS = "activity"
    STORY_FOCUS = "entry"
    CHOICES = Choices("menu", "Category", "every category")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("activity")]

    def __init__(self, desk: Desk) -> None:
        self.level: Level | None = None
        """The level that the list is narrowed to."""
        self.internal = False
        """Whether the program's own events are listed too."""
        self._walked_to: str | None = None
        self._walking = False
        super().__init__(desk)

    # The list.

    def make_list(self) -> RecordList[Row]:
        """Kind, message, how often, order, age."""
        return RecordList(
            self.columns(), row_id=row_id, lead=feed.lead(self.desk.glyphs), glyphs=self.desk.glyphs
        )

    def columns(self) -> list[Column[Row]]:
        """What a line of the list says."""
        return feed.columns(lambda: self.desk.times, self.desk.glyphs, self.desk.format)

    def query_key(self) -> Hashable:
        """Tab, words, category, level, internal or not."""
        return self.tab, self.words, self.choice, self.level, self.internal

    def source(self, client: Client) -> Source[Entry]:
        """The entries that are asked for."""
        return FeedSource(client, self._query(cast("FeedTab", self.tab)))

    def _query(self, tab: FeedTab) -> FeedQuery:
        """What asks for the entries of a tab, as they are narrowed now."""
        return FeedQuery(tab, self.choice or None, self.level, q=self.words, internal=self.internal)

    def new_shelf(self) -> Shelf[Row]:
        """A window by the entries' names, with the unfolded groups laid over it."""
        window: Window[Entry] = Window(identity=entry_id, capacity=CAPACITY)
        unfolding = Unfolding(window)
        return Shelf(window, unfolding, changed=unfolding.lay)

    def empty(self) -> tuple[str, str]:
        """Why there are no entries."""
        close = self.desk.key("close")
        if self.words or self.is_chosen:
            return "No entry matches.", f"{close} clears the filter."
        if self.tab == "attention":
            return "Nothing needs attention.", "What goes wrong stands here until somebody resolves it."
        return "Nothing happened yet.", "Orders, mails, syncs and failures appear here by themselves."

    def choice_told(self) -> str:
        """Category and level, and that internal events are listed too."""
        told = [words(part) for part in (self.choice, self.level) if part]
        told += ["with internal"] if self.internal else []
        return f"{f' {self.desk.glyphs.dot} '.join(told)}  " if told else ""

    def narrowed(self) -> list[Part]:
        """What is chosen, of which the internal events stay, and the filter."""
        return [*self.choice_part(), *self.filter_part()]

    @property
    def is_chosen(self) -> bool:
        """Whether a category or a level leaves out what the tab would show."""
        return super().is_chosen or self.level is not None

    def clear_choice(self) -> None:
        """Take category and level away."""
        self.level = None
        super().clear_choice()

    async def count(self, client: Client) -> dict[str, int]:  # noqa: ARG002 - the pulse has it
        """How many groups need attention."""
        return {} if self.desk.pulse is None else {"attention": self.desk.pulse.attention}

    def place_notes(self) -> list[Part]:
        """Say it when the log had to let entries go."""
        lost = 0 if self.desk.pulse is None else self.desk.pulse.activity_dropped
        return [Part(f"{count(lost, 'event')} not recorded  ", "error")] if lost else []

    def moved(self, topics: Iterable[str]) -> None:
        """Topics moved: the tab's count with them."""
        super().moved(topics)
        if self.desk.pulse is not None:
            self.counted({"attention": self.desk.pulse.attention})

    # The story of an entry.

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        row = self.list.cursor_row
        return None if row is None else row.entry

    async def tell(self, row_id: str, *, fresh: bool) -> None:  # noqa: ARG002 - the row holds it all
        """Show all that is known of the entry under the cursor."""
        from tui.widgets.timeline import entry_story  # noqa: PLC0415 - after the first rows

        row = self.list.row_of(row_id)
        if row is None:
            return
        entry, desk = row.entry, self.desk
        may = {action.name for action in entry.actions if action.allowed}
        hints = []
        if "resolve" in may:
            many = entry.group.count if speaks_for_group(entry) and not row.member else 1
            hints.append(f"{desk.key('resolve')} resolve" + (f" all {many}" if many > 1 else ""))
        if not may.isdisjoint({"retry", "retry_sync"}):
            hints.insert(0, f"{desk.key('retry')} {desk.glyphs.outside} retry")
        if entry.order is not None:
            hints.append(f"{desk.key('open')} order {entry.order.number}")
        blocks = entry_story(entry, desk.times, desk.glyphs, hint="   ".join(hints), raw=self.raw)
        self.show_story(row_id, blocks)

    def enter(self, row_id: str) -> None:
        """Enter opens the order at the entry; an entry without an order opens itself."""
        entry = self.entry
        if entry is None or entry.order is None:
            self.open(row_id)
        else:
            self.frame.open_order(entry.order.id, entry.id)

    # Acting.

    def _rows_to_act_on(self) -> list[Row]:
        rows = map(self.list.row_of, self.marked_or_subject())
        return [row for row in rows if row is not None]

    def row_of(self, ids: Collection[str]) -> str | None:
        """The row that one of these entries has in the list."""
        rows = (self.list.source.row_at(at) for at in range(len(self.list.source)))
        return next((row_id(row) for row in rows if row is not None and row.entry.id in ids), None)

    def action_resolve(self) -> None:
        """Resolve an entry, a folded group as far as it was seen, or all that is marked."""

        async def wishes(client: Client) -> tuple[list[Wish], str]:
            rows = [row for row in self._rows_to_act_on() if speaks_for_group(row.entry)]
            about = rows[0].entry.label if len(rows) == 1 else ""
            asked = [(wish := _resolving(row), self._shown_of(row, wish)) for row in rows]
            return await of_these(client, asked), about

        if self.entry is not None and not self.list.marks and not speaks_for_group(self.entry):
            self.frame.say("note", "Only an open warning or error can be resolved.")
        else:
            self.act("resolve", wishes)

    def _shown_of(self, row: Row, wish: Wish) -> FeedQuery | None:
        """What lists the members that a group's row stands for; None where it stands for the whole group."""
        whole = wish.scope != "group" or not (self.words or self.is_chosen)
        return None if whole else self._members(row.entry.group.key)

    def _members(self, key: str) -> FeedQuery:
        """The members of a group, as far as words, category and level let them through."""
        return replace(self._query("attention"), group=key, folded=False)

    def action_reopen(self) -> None:
        """Open a resolved entry again, or all marked ones."""

        async def wishes(_client: Client) -> tuple[list[Wish], str]:
            rows = [row for row in self._rows_to_act_on() if row.entry.resolved_at is not None]
            about = rows[0].entry.label if len(rows) == 1 else ""
            return [Wish("reopen", "entry", row.entry.id) for row in rows], about

        if self.entry is not None and not self.list.marks and self.entry.resolved_at is None:
            self.frame.say("note", "Only a resolved entry can be opened again.")
        else:
            self.act("reopen", wishes)

    def action_retry(self) -> None:
        """Explain what can be retried of the entry, which can then be sent."""
        from tui.screens.outside import retry_entry  # noqa: PLC0415 - only when it is asked for

        retry_entry(self, self.entry)

    def action_mail(self) -> None:
        """Explain the mails of the entry's order, which can then be sent."""
        from tui.screens.outside import mail_order  # noqa: PLC0415 - only when it is asked for

        mail_order(self, self._order_id)

    def action_ask_provider(self) -> None:
        """Have the provider asked how far the entry's order is."""
        from tui.screens.outside import ask_provider  # noqa: PLC0415 - only when it is asked for

        ask_provider(self, self._order_id)

    @property
    def _order_id(self) -> str | None:
        """The order that the entry under the cursor is about."""
        entry = self.entry
        return None if entry is None or entry.order is None else entry.order.id

    def action_copy(self) -> None:
        """Copy the order's number, or the entry's id where it has no order."""
        entry = self.entry
        text = None if entry is None else entry.order.number if entry.order else entry.id
        self.copy(text, "There is no entry here to copy.")

    def action_copy_link(self) -> None:
        """Copy the link in the entry's facts, where there is one."""
        facts = {} if self.entry is None else self.entry.facts
        link = next((v for v in facts.values() if isinstance(v, str) and v.startswith("https://")), None)
        self.copy(link, "This entry has no link.")

    # What the feed shows.

    def action_unfold(self) -> None:
        """Show the members of a group below it, or fold them again."""
        row, unfolding = self.list.cursor_row, self.list.source
        if row is None or not isinstance(unfolding, Unfolding):
            return
        group, key = entry_id(row.entry), row.entry.group.key
        if unfolding.fold(group):
            self.list.go_to(group)
            self.rows.show()
        elif row.entry.group.count < 2:
            self.frame.say("note", "This entry stands alone; only a group (×2 and more) unfolds.")  # noqa: RUF001
        else:
            self.repeatable = "unfold"
            self.begin(partial(self._unfold, unfolding, group, key), "unfold", exclusive=False)

    async def _unfold(self, unfolding: Unfolding, group: str, key: str) -> None:
        if self.desk.client is None:
            return
        try:
            page = await self.desk.client.feed(self._members(key), limit=MEMBERS)
        except ApiError as error:
            self.frame.say("refused", error.sentence)
            self.frame.failed(error)
            return
        at = unfolding.index_of(group)
        speaker = None if at is None else unfolding.row_at(at).entry.id
        unfolding.unfold(group, [entry for entry in page.items if entry.id != speaker])
        if unfolding is self.list.source:
            self.rows.show()
            if page.next is not None:
                self.frame.say("note", f"The newest {MEMBERS} are shown.")

    def rows_came(self) -> None:
        """An answer came: unfolded groups may have other members now."""
        super().rows_came()
        if self._walking:
            self._walking = False
            self.next_attention()
        if isinstance(unfolding := self.list.source, Unfolding):
            for group in unfolding.unfolded:
                key = group.partition(":")[2]
                self.begin(partial(self._unfold, unfolding, group, key), "unfold", exclusive=False)

    def action_menu(self) -> None:
        """Choose a category."""
        self.offer((name, name, "") for name in feed.CATEGORIES)

    def action_level(self) -> None:
        """The next level in the round."""
        self.level = feed.LEVELS[(feed.LEVELS.index(self.level) + 1) % len(feed.LEVELS)]
        self.show_rows()

    def action_internal(self) -> None:
        """Show the program's own events too, or not."""
        self.internal = not self.internal
        self.show_rows()
        told = "are shown too, until you leave" if self.internal else "are hidden"
        self.frame.say("note", f"The program's own events {told}.")

    def next_attention(self) -> None:
        """Stand on the next thing that needs attention: the oldest first, then upwards, round and round."""
        if not self.rows.window.loaded:
            self._walking = True  # as soon as the rows are here
            return
        source, cursor = self.list.source, self.list.cursor_id
        at = None if cursor is None else source.index_of(cursor)
        if at and cursor == self._walked_to:
            self.list.move_to(at - 1)
        elif len(source):
            self.list.go_to_bottom()
        else:
            self.frame.say("note", "Nothing needs attention.")
        self._walked_to = self.list.cursor_id


def _resolving(row: Row) -> Wish:
    """What to ask for a row: a group as far as it was recorded when it was seen, which a late event may lead.

    A group of one is asked for as the entry: a search may hide its other members, which then were not seen.
    """
    if row.member or row.entry.group.count == 1:
        return Wish("resolve", "entry", row.entry.id)
    return Wish("resolve", "group", row.entry.group.seen or row.entry.id)
