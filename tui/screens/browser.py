"""The list of a section: its tabs, its filter, its marks, and where in it one stands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, cast

from textual.containers import Vertical

from tui.api.errors import ApiError, Refused
from tui.api.window import Change, Source, Window
from tui.screens.choices import Choices
from tui.screens.desk import Desk
from tui.screens.rows import Rows, Shelf
from tui.widgets.bar import Part
from tui.widgets.format import badge, count
from tui.widgets.frame import Outcome, TabBar, TabMark
from tui.widgets.record_list import Column, RecordList

if TYPE_CHECKING:
    from tui.api.client import Client

T = TypeVar("T")

CAPACITY = 1000
"""Rows of a list that are held: an entry takes 7 KiB, and what was let go of is fetched again."""


class Frame(Protocol):
    """What a section asks of the screen around it."""

    def say(self, kind: Outcome, sentence: str, hint: str = "") -> None:
        """Say what came of an action."""

    def stand(self, section: Any, place: Sequence[Part]) -> None:
        """Say where in the list one stands."""

    def refocus(self) -> None:
        """Show the keys of what has the focus."""

    def failed(self, error: ApiError) -> None:
        """A call failed."""

    def ask_soon(self) -> None:
        """Ask for the pulse: something was changed."""

    def open_order(self, order_id: str, entry_id: str) -> None:
        """Open an order's story at an entry."""

    def open_orders(self, words: str) -> None:
        """Show the orders that have these words."""

    def open_ticket(self, ticket_id: str) -> None:
        """Open a ticket's story."""


class Browser(Vertical, Generic[T]):
    """The part of a section that lists rows. ``desk`` is what all sections share.

    A list that may be narrowed by a choice declares ``CHOICES``; what is chosen is ``choice``.
    """

    NAME: ClassVar[str]
    TABS: ClassVar[tuple[TabMark, ...]]
    TOPICS: ClassVar[frozenset[str]]
    FILTER_HINT: ClassVar[str]
    NOUNS: ClassVar[tuple[str, str]]
    CHOICES: ClassVar[Choices]

    def __init__(self, desk: Desk) -> None:
        super().__init__(id=self.NAME)
        self.desk = desk
        self.tab = self.TABS[0].id
        self.words = ""
        self.choice = ""
        """The id of what the list is narrowed to; empty where it shows everything."""
        self.counts: dict[str, int] = {}
        self.list = self.make_list()
        self.tab_bar = TabBar()
        self.rows: Rows[T] = Rows(self, self.list)
        self._answered = asyncio.Event()

    # What a section must say of itself.

    def make_list(self) -> RecordList[T]:
        """The list of this section."""
        raise NotImplementedError

    def columns(self) -> Sequence[Column[T]]:
        """What a line of the list says, as times are written now."""
        raise NotImplementedError

    def query_key(self) -> Hashable:
        """What names the rows shown now: tab, filter and whatever else narrows them."""
        raise NotImplementedError

    def source(self, client: Client) -> Source[Any]:
        """The pages of the rows shown now."""
        raise NotImplementedError

    def empty(self) -> tuple[str, str]:
        """What to say when there are no rows, and what to do about it."""
        raise NotImplementedError

    def new_shelf(self) -> Shelf[T]:
        """A shelf for the rows shown now."""
        window: Window[T] = Window(capacity=CAPACITY)
        return Shelf(window, window)

    async def count(self, client: Client) -> dict[str, int]:  # noqa: ARG002 - for those that count
        """How many rows stand under each tab, where that is known."""
        return {}

    def rows_switched(self) -> None:
        """Other rows are about to be shown."""

    @property
    def unsent(self) -> int:
        """How many texts were written here and are neither sent nor saved."""
        return 0

    # What narrows it.

    def choice_told(self) -> str:
        """What is chosen, with the blanks after it; empty where nothing is."""
        return f"{self.choice} " if self.choice else ""

    @property
    def is_chosen(self) -> bool:
        """Whether something is chosen that can be taken away with the filter."""
        return bool(self.choice)

    @property
    def is_narrowed(self) -> bool:
        """Whether something narrows the list beside its tab."""
        return bool(self.words or self.choice_told())

    @property
    def tells(self) -> bool:
        """Whether the end of the tabs' line says what must be seen."""
        return self.is_narrowed

    def narrowed(self) -> list[Part]:
        """What narrows the list and how to be rid of it, for the end of the tabs' line."""
        chosen = self.choice_part()
        if not chosen or self.words:
            return [*chosen, *self.filter_part()]
        return [*chosen, Part(f" {self.desk.key('close')} clears", "muted")]

    def choice_part(self) -> list[Part]:
        """What is chosen, as the tabs' line says it."""
        told = self.choice_told()
        return [Part(told, "strong", self.CHOICES.command)] if told else []

    def filter_part(self) -> list[Part]:
        """The filter's words, or its key, as the tabs' line says them."""
        if self.words:
            return [
                Part(f"/{self.words}", "strong", "filter"),
                Part(f"  {self.desk.key('close')} clears", "muted"),
            ]
        return [Part(f"{self.desk.key('filter')} ", "key", "filter"), Part("filter", "muted", "filter")]

    def offer(self, offered: Iterable[tuple[str, str, str]]) -> None:
        """Open the menu of choices; each has an id, a name and a detail."""

        def answered(choice: str | None) -> None:
            if choice is not None and choice != self.choice:
                self.choose(choice)

        self.app.push_screen(self.CHOICES.menu(offered, self.choice, self.desk.glyphs), answered)

    def choose(self, choice: str) -> None:
        """Narrow the list to this; the empty one shows everything."""
        self.choice = choice
        self.show_rows()

    def clear_choice(self) -> None:
        """Take away what can be taken away with the filter."""
        self.choose("")

    def clear_narrowing(self) -> bool:
        """Take away what narrows the list; whether there was anything."""
        if self.is_chosen:
            self.look_for("")
            self.clear_choice()
            return True
        had = bool(self.words)
        self.filter("")
        return had

    # The frame around.

    @property
    def frame(self) -> Frame:
        """The screen around this section."""
        return cast(Frame, self.screen)

    def on_mount(self) -> None:
        """Show the tabs; nothing is asked before there is a client."""
        self.show_tabs()
        self.list.set_empty(*self.empty())
        self.start()

    def start(self) -> None:
        """Fetch the first rows; without a client, say what is waited for or what stands in the way."""
        if self.desk.obstacle:
            self.trouble(self.desk.obstacle)
        elif self.desk.client is None:
            self.list.set_state("loading", "Opening your shop…")
        elif not self.rows.window.loaded:
            if self.list.state != "loading":  # else it says so: drawing another word would hold the rows up
                self.list.set_state("loading", "Loading…")
            self.rows.look_again()

    def trouble(self, sentence: str) -> None:
        """Say why there is nothing, and that it can be tried again."""
        self.list.set_state("problem", sentence, f"{self.desk.key('refresh')} tries again.")

    async def answered(self, most: float) -> None:
        """Wait until there was an answer, or a failure, for any rows; for ``most`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most):
                await self._answered.wait()

    def rows_came(self) -> None:
        """An answer came and is about to be shown: count again."""
        self._answered.set()
        self._say_length()
        self.begin(self._recount, "counts", exclusive=True)

    def rows_failed(self, error: ApiError) -> None:
        """No answer came; where there are rows, the strip's word for the connection says it."""
        self._answered.set()
        if not len(self.list.source) or isinstance(error, Refused):
            self.trouble(error.sentence)
        else:
            self.list.set_state("ready")
        self.frame.failed(error)

    async def _recount(self) -> None:
        if self.desk.client is None:
            return
        await self.wait_for_refresh()  # the rows are shown first
        try:
            counts = await self.count(self.desk.client)
        except ApiError as error:
            self.frame.failed(error)
            return
        self.counted(counts)

    def counted(self, counts: dict[str, int]) -> None:
        """The server counted what stands under each tab."""
        if counts != self.counts:
            self.counts = counts
            self.show_tabs()
        self._say_length()

    def _say_length(self) -> None:
        """Say how long the list is, as far as the server's count says it."""
        window = self.rows.window
        before = window.extent
        window.set_total(None if self.is_narrowed else self.counts.get(self.tab))
        if window.extent != before:
            self.rows.show()
        if self.display:
            self.say_place()

    def begin(self, work: Callable[[], Awaitable[None]], group: str, *, exclusive: bool) -> None:
        """Do something in the background; ``exclusive`` gives up the same that is under way."""
        self.run_worker(work, group=f"{self.NAME}-{group}", exclusive=exclusive)

    # Tabs and filter.

    def step_tab(self, step: int) -> None:
        """The next or previous tab, round and round."""
        ids = [mark.id for mark in self.TABS]
        self.select_tab(ids[(ids.index(self.tab) + step) % len(ids)])

    def select_tab(self, tab: str) -> None:
        """Show another tab."""
        if tab != self.tab:
            self.tab = tab
            self.show_rows()

    def filter(self, words: str) -> None:
        """Show only what matches; no words show all."""
        if words != self.words:
            self.look_for(words)
            self.show_rows()

    def look_for(self, words: str) -> None:
        """Take other words to filter by, and mark them where they stand."""
        self.words = words
        self.list.highlight(words)

    def show_rows(self) -> None:
        """The tab, the filter or whatever narrows the list changed."""
        self.rows_switched()
        self.show_tabs()
        self.list.set_empty(*self.empty())
        self.rows.switch()
        self.say_place()

    def show_tabs(self) -> None:
        """Show the tabs with their counts, and what narrows the list."""
        counts = {tab: number for tab, number in self.counts.items() if number and tab != self.TABS[0].id}
        marks = [TabMark(mark.id, mark.name, counts.get(mark.id)) for mark in self.TABS]
        self.tab_bar.tabs(marks, self.tab, self.narrowed(), keep=self.tells)

    # The list.

    def toggle_follow(self) -> None:
        """Let new rows come in by themselves, or let them wait above."""
        window = self.rows.window
        window.follow = not window.follow
        self.say_place()
        if window.follow:
            self.list.go_to_top()
            self.frame.say("note", "New rows come in at the top by themselves now.")
        else:
            self.frame.say("note", "New rows wait above until you go to the top.")

    def say_place(self) -> None:
        """Say what is marked, what waits and whether new rows are followed."""
        window, marks, key = self.rows.window, self.list.marks, self.desk.key
        parts = self.place_notes()
        if marks:
            named = len(marks.ids)  # of everything, those that are not marked
            number = window.extent.number(fewer=named) if marks.everything else f"{named:,}"
            parts.append(Part(f"{number} marked  ", "warning", "mark.all"))
        if window.pending:
            text = f"{self.desk.glyphs.up} {badge(window.pending)} new, {key('move.top')} shows them"
            parts.append(Part(f"{text}  ", "strong", "move.top"))
        if window.follow:
            parts.append(Part("following  ", "success", "follow"))
        if window.loaded and len(window):
            parts.append(Part(self.length(), "muted"))
        self.frame.stand(self, parts)

    def length(self) -> str:
        """How many rows the list has: ``412 orders``; ``50+ orders`` while more follow that nobody counted."""
        extent = self.rows.window.extent
        one, many = self.NOUNS
        return count(extent.total, one, many) if extent.exact else f"{extent.number()} {many}"

    def place_notes(self) -> list[Part]:
        """What else is to be said beside the list's length."""
        return []

    def on_record_list_marks_changed(self) -> None:
        """Say how many are marked."""
        self.say_place()

    def on_record_list_need_older(self) -> None:
        """The cursor comes near the end of what is here; those that came are shown before more are fetched."""
        window = self.rows.window

        async def load(source: Source[Any]) -> Change:
            await self.wait_for_refresh()
            return await window.load_older(source)

        self.rows.load(load)

    def on_record_list_need_newer(self) -> None:
        """The cursor comes near the beginning of what is here."""
        self.rows.load(self.rows.window.load_newer)

    def on_record_list_need_oldest(self) -> None:
        """The reader went to the bottom."""
        self.rows.load(self.rows.window.load_last)

    def on_record_list_need_newest(self) -> None:
        """The reader went to the top: what waits comes in."""
        window = self.rows.window
        if window.has_newer:
            self.rows.load(window.load_first)
        else:
            window.admit()
            self.rows.show()
            self.say_place()
