"""The rows of a section: one window per tab and filter, fetched when the list or the pulse asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from tui.api.errors import ApiError
from tui.api.window import Change, Source, Window
from tui.widgets.record_list import RecordList, RowSource

if TYPE_CHECKING:
    from tui.api.client import Client
    from tui.screens.desk import Desk

T = TypeVar("T")

KEPT = 4
"""Windows of other tabs and filters that are kept as they were left."""


@dataclass(slots=True)
class Shelf(Generic[T]):
    """A window as it was left.

    Attributes:
        window: the rows.
        source: the rows as the list shows them; a section may lay something over the window's.
        cursor: the row under the cursor.
        stale: something moved on the server since the rows were fetched.
        changed: lays anew what is laid over the window's rows.
    """

    window: Window[Any]
    source: RowSource[T]
    cursor: str | None = None
    stale: bool = True
    changed: Callable[[], None] = lambda: None


class Owner(Protocol[T]):
    """What the rows ask of their section."""

    display: Any
    desk: Desk

    def query_key(self) -> Hashable:
        """What names the rows shown now: tab, filter and whatever else narrows them."""

    def source(self, client: Client) -> Source[Any]:
        """The pages of the rows shown now."""

    def new_shelf(self) -> Shelf[T]:
        """A shelf for the rows shown now."""

    def rows_came(self) -> None:
        """An answer came and is shown."""

    def rows_failed(self, error: ApiError) -> None:
        """No answer came, for this reason."""

    def begin(self, work: Callable[[], Awaitable[None]], group: str, *, exclusive: bool) -> None:
        """Do something in the background; ``exclusive`` gives up the same that is under way."""


class Rows(Generic[T]):
    """Fetches into the window that is shown, and keeps the list in step with it."""

    def __init__(self, owner: Owner[T], record_list: RecordList[T]) -> None:
        self._owner = owner
        self._list = record_list
        self._shelves: dict[Hashable, Shelf[T]] = {}
        self._then: list[Callable[[], None]] = []
        self.shelf = self._take()
        record_list.source = self.shelf.source

    def _take(self) -> Shelf[T]:
        """The shelf for what is shown now: the one that was left, or a new one. The oldest goes."""
        key = self._owner.query_key()
        shelf = self._shelves.pop(key, None) or self._owner.new_shelf()
        self._shelves[key] = shelf
        while len(self._shelves) > KEPT:
            del self._shelves[next(iter(self._shelves))]
        return shelf

    @property
    def window(self) -> Window[Any]:
        """The rows shown now."""
        return self.shelf.window

    def switch(self) -> None:
        """Another tab or filter: show its rows as they were left, and look whether they are still so."""
        self.shelf.cursor = self._list.cursor_id
        follow = self.window.follow
        self.shelf = shelf = self._take()
        self._then.clear()
        shelf.window.follow = follow
        self._list.clear_marks()
        if self._owner.desk.client is not None:
            self._list.set_state("ready" if shelf.window.loaded else "loading", "Loading…")
        self._list.set_source(shelf.source)
        if shelf.cursor is not None:
            self._list.go_to(shelf.cursor)
        self.look_again()

    def spoil(self) -> None:
        """Something moved on the server: none of the rows is sure any more."""
        for shelf in self._shelves.values():
            shelf.stale = True

    def look_again(self, then: Callable[[], None] | None = None) -> None:
        """Fetch what is seen again if it may have changed, then do something.

        Of several wishes only the last one is asked for; what was to be done after the others is done then.
        """
        if self._owner.display and self.shelf.stale and self._owner.desk.client is not None:
            if then is not None and then not in self._then:
                self._then.append(then)
            self._owner.begin(self._look_again, "rows", exclusive=True)

    async def _look_again(self) -> None:
        shelf = self.shelf
        first, last = self._seen()
        if await self._fetch(lambda source: shelf.window.refresh(source, first, last)):
            shelf.stale = False
            wanted, self._then = self._then, []
            for then in wanted:
                then()

    def _seen(self) -> tuple[str | None, str | None]:
        """The first and the last row of the window that are on the screen."""
        top = self._list.top
        seen = range(top, min(top + self._list.page, len(self._list.source)))
        ids = [row_id for at in seen if (row_id := self._list.id_at(at)) is not None]
        held = [row_id for row_id in ids if self.window.index_of(row_id) is not None]
        return (held[0], held[-1]) if held else (None, None)

    async def complete(self) -> bool:
        """Fetch all that matches, as far as a window holds it; whether that succeeded."""
        shelf, before = self.shelf, -1
        while shelf is self.shelf and shelf.window.has_older and len(shelf.window) > before:
            before = len(shelf.window)
            if not await self._fetch(shelf.window.load_older):
                return False
        return shelf is self.shelf

    def load(self, load: Callable[[Source[Any]], Awaitable[Change]]) -> None:
        """Fetch something with one of the window's own calls."""
        self._owner.begin(partial(self._loaded, load), "pages", exclusive=False)

    async def _loaded(self, load: Callable[[Source[Any]], Awaitable[Change]]) -> None:
        await self._fetch(load)

    async def _fetch(self, load: Callable[[Source[Any]], Awaitable[Change]]) -> bool:
        """Fetch into the window and show it; whether an answer came."""
        shelf, client = self.shelf, self._owner.desk.client
        if client is None:
            return False
        at_top = self._list.cursor_id if self._at_top else None
        try:
            await load(self._owner.source(client))
        except ApiError as error:
            if shelf is self.shelf:
                self._owner.rows_failed(error)
            return False
        if shelf is self.shelf:
            self._list.set_state("ready")
            self.show()
            if self.window.follow and at_top is not None and self._list.cursor_id == at_top:
                self._list.go_to_top()
            self._owner.rows_came()
        return True

    @property
    def _at_top(self) -> bool:
        """Whether the reader stands on the first row."""
        return len(self._list.source) > 0 and self._list.id_at(0) == self._list.cursor_id

    def show(self) -> None:
        """The window holds other rows: show them."""
        self.shelf.changed()
        self._list.rows_changed()
