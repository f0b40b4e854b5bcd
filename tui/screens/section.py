"""What every section is: tabs over a list, and a story beside it or, on a narrow screen, over it.

What its rows are, how they read and what can be done to them stands in the section itself (``orders``,
``activity``); how rows are fetched in ``rows``; what resolving is in ``acting``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.timer import Timer

from tui import keys
from tui.api.errors import ApiError
from tui.screens.acting import fulfil
from tui.screens.browser import Browser
from tui.screens.deeds import Verb, Wish, told
from tui.screens.desk import Desk
from tui.widgets.bar import Part
from tui.widgets.lines import Lines
from tui.widgets.list_cursor import Highlighted
from tui.widgets.record_list import RecordList
from tui.widgets.story import Story

if TYPE_CHECKING:
    from tui.api.client import Client
    from tui.screens.panel import Panel
    from tui.widgets.blocks import Block

T = TypeVar("T")
Wishes = Callable[["Client"], Awaitable[tuple[list[Wish], str]]]
"""Tells what to ask for and what that is about, once all rows that are marked are here. Raises ApiError."""


@dataclass(frozen=True, slots=True)
class View:
    """What is seen: a section, its tab and filter, and the record whose story is open.

    ``None`` leaves tab or filter as they are; ``at`` is the entry of the story to stand at.
    """

    section: str
    tab: str | None = None
    words: str | None = None
    opened: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a jump began, and whether it led to a story."""

    view: View
    to_story: bool = False


class Section(Browser[T]):
    """A section of the client. ``desk`` is what all sections share."""

    LIST_FOCUS: ClassVar[keys.Focus]
    STORY_FOCUS: ClassVar[keys.Focus]

    SCOPED_CSS = False  # the width of the screen decides how list and story stand
    DEFAULT_CSS = """
    Section {
        height: 1fr;
        & > .panes { height: 1fr; }
        & .panes > RecordList { width: 1fr; }
        & .panes > Story { width: 1fr; display: none; }
        &.-open .panes > RecordList { display: none; }
        &.-open .panes > Story { display: block; }
    }
    .-wide Section {
        & .panes > RecordList, &.-open .panes > RecordList { display: block; width: 12fr; }
        & .panes > Story { display: block; width: 13fr; border-left: solid $border-blurred; }
    }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.repeatable: str | None = None
        """The last command that was done to a record, for ``.``."""
        self.story = Story(empty="", glyphs=desk.glyphs)
        self.panel: Panel | None = None
        """What explains an action, in the story's place."""
        self.stand_at: str | None = None
        """The block of the story to stand at when it is told."""
        self._told: str | None = None
        self._pinned: str | None = None
        self._rest: Timer | None = None

    def compose(self) -> ComposeResult:
        """Tabs, list, story."""
        yield self.tab_bar
        with Horizontal(classes="panes"):
            yield self.list
            yield self.story

    def on_mount(self) -> None:
        """A section that was gone to takes the focus as soon as it stands."""
        if self.display:
            self.take_focus()

    # What a section must say of itself.

    async def tell(self, row_id: str, *, fresh: bool) -> None:
        """Show the story of a record; ``fresh`` asks the server although it may be known."""
        raise NotImplementedError

    def look_for(self, words: str) -> None:
        """Take other words to filter by, and mark them where they stand."""
        super().look_for(words)
        self.story.highlight(words)

    def rows_switched(self) -> None:
        """Other rows are about to be shown."""
        self.set_open(opened=False)

    # What is seen.

    @property
    def wide(self) -> bool:
        """Whether list and story stand side by side."""
        return self.screen.has_class("-wide")

    @property
    def is_open(self) -> bool:
        """Whether a story was opened."""
        return self.has_class("-open")

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows."""
        if self.panel is not None and self.panel.has_focus:
            return self.panel.focus_kind
        return self.STORY_FOCUS if self.story.has_focus else self.LIST_FOCUS

    @property
    def subject(self) -> str | None:
        """The record that keys act on: the one that was jumped to, else the one under the cursor."""
        return self._pinned or self.list.cursor_id

    @property
    def view(self) -> View:
        """What is seen now."""
        opened = self.subject if self.is_open else None
        return View(self.NAME, self.tab, self.words, opened, self.story.selected if opened else None)

    def show_view(self, view: View) -> None:
        """Show what a view says."""
        tab = self.tab if view.tab is None else view.tab
        words = self.words if view.words is None else view.words
        if (tab, words) != (self.tab, self.words):
            self.tab = tab
            self.look_for(words)
            self.show_rows()
        elif self.display:
            self.rows.look_again()
        if view.opened is None:
            self.set_open(opened=False)
        else:
            self.open(view.opened, at=view.at)

    @property
    def reading(self) -> Lines:
        """Where reading goes on: the panel or the story when one was opened, else the list."""
        return self.panel or (self.story if self.is_open else self.list)

    def say_place(self) -> None:
        """Say where one stands: in the list, or with a story over it, which of its records that is."""
        at = None if self.subject is None else self.list.source.index_of(self.subject)
        if not self.is_open or self.wide or at is None:
            super().say_place()
            return
        extent = self.rows.window.extent
        place = f"{extent.above + at + 1:,} of {extent.number()}" if extent.placed else self.length()
        self.frame.stand(self, [Part(place, "muted")])

    def take_focus(self) -> None:
        """Put the focus where reading goes on."""
        self.reading.focus(scroll_visible=False)

    # What moves.

    def moved(self, topics: Iterable[str]) -> None:
        """Topics moved on the server: look again at what is shown, later at what is not."""
        if not self.TOPICS.isdisjoint(topics):
            self.reload()

    def reload(self) -> None:
        """Ask for everything that is seen, now; of what is not seen, when it is."""
        self.rows.spoil()
        self.rows.look_again(self.retell)

    def changed(self, ids: Collection[str]) -> None:
        """Entries were resolved or reopened: show it, and stand on them where they are in the list now."""
        self.rows.spoil()

        def shown() -> None:
            row_id = None if self.is_open else self.row_of(ids)
            if row_id is not None:
                self.list.go_to(row_id)
            self.retell()

        self.rows.look_again(shown)

    def row_of(self, ids: Collection[str]) -> str | None:  # noqa: ARG002 - for lists of entries
        """The row that one of these entries has in the list."""
        return None

    def times_changed(self) -> None:
        """Times are written in another way."""
        self.list.set_columns(self.columns())
        self.retell(fresh=False)

    def tick(self, minute: int) -> None:
        """Another minute began."""
        self.list.tick(minute)
        if self.display:
            self.retell(fresh=False)

    def on_record_list_highlighted(self, event: Highlighted) -> None:
        """The story beside the list follows the cursor when it rests; an open one at once."""
        event.stop()
        if self.list.has_focus:
            self._pinned = None
        if self._rest is not None:
            self._rest.stop()
        if self.is_open and not self.wide:
            self.say_place()
            self.retell(fresh=False)
        elif self.wide and self.desk.rest:
            self._rest = self.set_timer(self.desk.rest, self._rested)
        elif self.wide:
            self._rested()

    def _rested(self) -> None:
        self._rest = None
        self.retell(fresh=False)

    def on_record_list_opened(self, event: RecordList.Opened) -> None:
        """Open what is under the cursor."""
        event.stop()
        self.enter(event.row_id)

    def enter(self, row_id: str) -> None:
        """What Enter does to a row: opens its story."""
        self.open(row_id)

    # The story.

    def open(self, row_id: str, *, at: str | None = None) -> None:
        """Open the story of a record; ``at`` is the entry to stand at."""
        if not self.list.go_to(row_id) or self.list.cursor_id != row_id:
            self._pinned = row_id
        self.stand_at = at
        self.set_open(opened=True)
        self.retell(fresh=False)

    def set_open(self, *, opened: bool) -> None:
        """Open the story, or close it; the focus goes with it."""
        if opened != self.is_open:
            self.set_class(opened, "-open")
            if self.display:
                self.take_focus()
        if not opened:
            self._pinned = None
        if self.display:
            self.say_place()

    def retell(self, *, fresh: bool = True) -> None:
        """Show the story of the subject, when stories are seen at all; ``fresh`` asks the server for it."""
        if self.panel is not None:
            if self.panel.subject != self.subject:
                self.dismiss()
            elif fresh:
                self.panel.look()
        if not self.display or not (self.is_open or self.wide):
            return
        if self.subject is None:
            self.story.show([], top=True)
        else:
            self.begin(partial(self.tell, self.subject, fresh=fresh), "story", exclusive=True)

    def on_resize(self) -> None:
        """Where there is room now, the story stands beside the list."""
        self.call_after_refresh(self.retell, fresh=False)

    def action_next_record(self) -> None:
        """Next record; what is open stays open."""
        self._pinned = None
        self.list.action_cursor_down()

    def action_previous_record(self) -> None:
        """Previous record."""
        self._pinned = None
        self.list.action_cursor_up()

    def dismiss(self) -> bool:
        """Close the panel; whether there was one."""
        panel, self.panel = self.panel, None
        if panel is not None:
            panel.close()
        return panel is not None

    def leave(self) -> bool:
        """Close what is open; whether there was anything."""
        if self.is_open:
            self.set_open(opened=False)
        elif self.story.has_focus:
            self.list.focus(scroll_visible=False)
        else:
            return False
        return True

    def close(self) -> bool:
        """Close what is open, else clear what narrows the list, else the marks; whether there was anything."""
        return self.leave() or self.clear_narrowing() or self.list.clear_marks()

    def show_story(self, row_id: str, blocks: Sequence[Block]) -> None:
        """Show the story of a record, unless another one is looked at by now; the place in it is kept."""
        if row_id == self.subject:
            self.story.show(blocks, top=row_id != self._told)
            self._told = row_id
            if self.stand_at is not None:
                self.call_after_refresh(self._stand)  # a story that was just opened has no size yet

    def _stand(self) -> None:
        if self.stand_at is not None and self.story.select(self.stand_at):
            self.stand_at = None

    def story_failed(self, row_id: str, error: ApiError) -> None:
        """A story could not be fetched: an older one stays, else say why there is none."""
        if row_id == self.subject and self._told != row_id:
            self.story.show([], top=True)
            self.story.set_sentence("problem", error.sentence, f"{self.desk.key('refresh')} tries again.")
            self._told = None
        self.frame.failed(error)

    # Acting on a record.

    def marked_or_subject(self) -> list[str]:
        """The rows that an action is for: the marked ones that are here, else the subject."""
        marks = self.list.marks
        if marks and not self.is_open:
            source = self.list.source
            ids = (self.list.id_at(at) for at in range(len(source)))
            return [row_id for row_id in ids if row_id is not None and row_id in marks]
        return [] if self.subject is None else [self.subject]

    def act(self, verb: Verb, wishes: Wishes) -> None:
        """Resolve or reopen in the background, and say what came of it where it can be undone."""
        self.repeatable = verb
        if self.desk.client is None:
            self.frame.say("refused", "There is no connection yet.")
        else:
            self.begin(partial(self._act, self.desk.client, verb, wishes), "act", exclusive=False)

    async def _act(self, client: Client, verb: Verb, wishes: Wishes) -> None:
        if self.list.marks.everything and not await self.rows.complete():
            return
        try:
            wanted, about = await wishes(client)
        except ApiError as error:
            self.frame.say("refused", error.sentence)
            self.frame.failed(error)
            return
        done = await fulfil(client, wanted)
        deed = done.deed(verb, about)
        if deed.count:
            self.desk.deeds.did(deed)
            self.list.clear_marks()
            self.frame.say("done", told(verb, deed.count, about), f"{self.desk.key('undo')} undoes")
        elif done.error is None:
            said = "Nothing is open there any more." if verb == "resolve" else "It is open already."
            self.frame.say("note", said)
        if done.error is not None:
            self.frame.say("refused", done.error.sentence)
            self.frame.failed(done.error)
        self.frame.ask_soon()
        self.changed(deed.ids)

    def copy(self, text: str | None, nothing: str) -> None:
        """Send a text to the terminal's clipboard (OSC 52), or say that there is ``nothing``."""
        if not text:
            self.frame.say("note", nothing)
            return
        self.repeatable = "copy"
        self.app.copy_to_clipboard(text)
        self.frame.say("done", f"{text} was sent to your terminal's clipboard")


AnySection = Section[Any]
