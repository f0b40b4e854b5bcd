"""The place of a reader in a list: a cursor that stands on a row's id, never on a number.

Rows that arrive, change or leave do not move it to another row. A move repaints two lines; when the cursor
leaves the view, the view moves half a page. How rows are drawn stands in ``record_list``.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from textual.message import Message

from tui.widgets.lines import Lines
from tui.widgets.row_source import KnowsExtent, KnowsHeirs, ListRows, RowSource
from tui.widgets.scroll_mark import Outside

if TYPE_CHECKING:
    from tui.widgets.record_list import RecordList

T = TypeVar("T")

AHEAD = 50
"""Rows before an end of the window at which the next page is asked for."""

REMEMBERED = 10
"""Neighbours on either side that may take the cursor over when its row leaves."""


class ListEvent(Message, namespace="record_list"):
    """Something that happened to a list; ``record_list`` (also ``control``) is that list."""

    def __init__(self, record_list: RecordList[Any]) -> None:
        super().__init__()
        self.record_list = record_list

    @property
    def control(self) -> RecordList[Any]:
        """The list."""
        return self.record_list


class Highlighted(ListEvent, namespace="record_list"):
    """The cursor stands on another row, or on none (``row_id`` is None). Of quick moves only the last is told."""

    def __init__(self, record_list: RecordList[Any], row_id: str | None) -> None:
        super().__init__(record_list)
        self.row_id = row_id

    def can_replace(self, message: Message) -> bool:
        """Only the last of several moves matters."""
        return isinstance(message, Highlighted) and message.record_list is self.record_list


class NeedOlder(ListEvent, namespace="record_list"):
    """The cursor comes near the last row, and the source has older ones."""


class NeedNewer(ListEvent, namespace="record_list"):
    """The cursor comes near the first row, and the source let newer ones go."""


class NeedNewest(ListEvent, namespace="record_list"):
    """The reader went to the top: let in what waits, or go back to the newest rows."""


class NeedOldest(ListEvent, namespace="record_list"):
    """The reader went to the bottom of a list that goes on beyond what is here."""


class ListCursor(Lines, Generic[T]):
    """A scrolling list with a cursor, over a :class:`RowSource`; draws nothing itself."""

    def __init__(
        self,
        source: RowSource[T] | None,
        row_id: Callable[[T], str] | None,
        *,
        id: str | None,  # noqa: A002 - Textual's own name for it
        classes: str | None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.row_id: Callable[[T], str] = attrgetter("id") if row_id is None else row_id
        self.source: RowSource[T] = ListRows[T](row_id=self.row_id) if source is None else source
        self._cursor_id: str | None = None
        self._cursor_at = 0
        self._around: list[str] = []
        self._jump: Literal["top", "bottom"] | None = None
        self._asked: set[type[ListEvent]] = set()

    # What drawing decides.

    def line_count(self) -> int:
        """Lines below the titles."""
        return len(self.source)

    @property
    def fixed_lines(self) -> int:
        """Lines of titles: none on a screen so low that rows need them."""
        return 0 if 0 < self.size.height <= 3 else 1

    # Where the cursor is.

    @property
    def cursor_id(self) -> str | None:
        """The id of the row under the cursor; None in an empty list."""
        return self._cursor_id

    @property
    def cursor_row(self) -> T | None:
        """The row under the cursor, when it is here."""
        return self.row_of(self._cursor_id)

    def row_of(self, row_id: str | None) -> T | None:
        """The row with this id, when it is here."""
        at = None if row_id is None else self.source.index_of(row_id)
        return None if at is None else self.source.row_at(at)

    @property
    def page(self) -> int:
        """Rows that are seen at once."""
        return max(self.size.height - self.fixed_lines, 1)

    @property
    def top(self) -> int:
        """The index of the first row that is seen."""
        return self.scroll_offset.y

    # The source changes.

    def set_source(self, source: RowSource[T]) -> None:
        """Show another source (another tab or filter), with the cursor on its first row."""
        self.source = source
        self._cursor_id, self._cursor_at, self._around, self._jump = None, 0, [], None
        if self.is_attached:
            self.scroll_to(y=0, animate=False)
        self.rows_changed()

    def rows_changed(self) -> None:
        """The source changed: rows came, left or were edited. The reader keeps the place."""
        if not self.is_attached:
            return
        self._asked.clear()
        before, line, first = self._cursor_id, self._cursor_at - self.top, self.top
        seen = 0 <= line < self.page
        anchor = None if seen else self._id_seen(first)
        self._find_cursor()
        self.resize_lines()
        if seen:
            self.scroll_to(y=self._held(self._cursor_at - line), animate=False)
        elif anchor is not None and (at := self.source.index_of(anchor)) is not None:
            self.scroll_to(y=self._held(at), animate=False)
        if self._jump is not None:
            self.show_cursor()
            self._jump_done()
        self.show_outside(self._outside_now())
        self._settled(before)
        self.refresh_changed()

    def resize_lines(self) -> None:
        """Say how many lines there are now."""
        self.set_height(self.line_count() + self.fixed_lines)

    def _outside_now(self) -> Outside:
        """How much of the list is not here, as far as the source knows."""
        source, above, below = self.source, 0, 0
        if isinstance(source, KnowsExtent):
            above, below = source.extent.above, source.extent.below
        return Outside(above, below, source.has_newer, source.has_older)

    def _id_seen(self, index: int) -> str | None:
        """The id that stood at an index before the source changed; overridden by what knows what was drawn."""
        return self._around[0] if self._around and index < 0 else None

    def _find_cursor(self) -> None:
        """Put the cursor where its row is now; when that is gone, on its nearest neighbour."""
        rows = len(self.source)
        if rows == 0:
            self._cursor_id, self._cursor_at, self._around = None, 0, []
        elif self._jump is not None:
            self._stand_at(0 if self._jump == "top" else rows - 1)
        else:
            at = self._nearest()
            self._stand_at(min(self._cursor_at, rows - 1) if at is None else at)

    def _nearest(self) -> int | None:
        """Where the cursor's row stands, else the row after it, else the one before it, as far as known."""
        if self._cursor_id is None:
            return None
        if isinstance(self.source, KnowsHeirs) and self.source.index_of(self._cursor_id) is None:
            heir = self.source.neighbour(self._cursor_id)
            if heir is not None and (found := self.source.index_of(heir)) is not None:
                return found
        around = self._around
        place = around.index(self._cursor_id) if self._cursor_id in around else 0
        for row_id in [self._cursor_id, *around[place + 1 :], *reversed(around[:place])]:
            if (found := self.source.index_of(row_id)) is not None:
                return found
        return None

    def _stand_at(self, index: int) -> None:
        """Put the cursor on a row and remember its neighbours."""
        self._cursor_at = index
        self._cursor_id = self.id_at(index)
        near = range(max(index - REMEMBERED, 0), min(index + REMEMBERED + 1, len(self.source)))
        self._around = [row_id for at in near if (row_id := self.id_at(at)) is not None]

    def id_at(self, index: int) -> str | None:
        """The id of the row at an index; None while it is not here."""
        row = self.source.row_at(index)
        return None if row is None else self.row_id(row)

    def _jump_done(self) -> None:
        """Forget a jump to an end once that end is reached."""
        top = self._jump == "top"
        waiting = self.source.has_newer or self.source.pending if top else self.source.has_older
        if not waiting:
            self._jump = None

    # Moving.

    def move_to(self, index: int, *, first: int | None = None) -> None:
        """Put the cursor on the row at ``index``, held within the list. ``first`` names the row to show first."""
        rows = len(self.source)
        if rows == 0:
            return
        before, was_at, top = self._cursor_id, self._cursor_at, self.top
        self._jump = None
        self._stand_at(min(max(index, 0), rows - 1))
        if first is not None:
            self.scroll_to(y=self._held(first), animate=False)
        self.show_cursor()
        if self.top == top:
            self.refresh_row(was_at)
            self.refresh_row(self._cursor_at)
        self._settled(before)

    def move_by(self, rows: int, *, with_view: bool = False) -> None:
        """Move the cursor by a number of rows; ``with_view`` moves the view by as many."""
        self.move_to(self._cursor_at + rows, first=self.top + rows if with_view else None)

    def go_to(self, row_id: str) -> bool:
        """Put the cursor on a row by its id; False when it is not here."""
        at = self.source.index_of(row_id)
        if at is None:
            return False
        self.move_to(at)
        return True

    def go_to_top(self) -> None:
        """Go to the first row, and let in what waits above it."""
        self.move_to(0)
        if self.source.has_newer or self.source.pending:
            self._jump = "top"
            self.post_message(NeedNewest(self._me))

    def go_to_bottom(self) -> None:
        """Go to the last row, also when it must be fetched first."""
        self.move_to(len(self.source) - 1)
        if self.source.has_older:
            self._jump = "bottom"
            self.post_message(NeedOldest(self._me))

    def on_focus(self) -> None:
        """The terminal's cursor comes along."""
        self.take_cursor()

    def take_cursor(self) -> None:
        """Put the terminal's own cursor on the row under ours."""
        self.place_cursor(self._cursor_at - self.top + self.fixed_lines)

    def show_cursor(self) -> None:
        """When the cursor is out of view, move the view so that it stands in the middle."""
        at, top, page = self._cursor_at, self.top, self.page
        if not top <= at < top + page:
            self.scroll_to(y=self._held(at - page // 2), animate=False)
        if at == len(self.source) - 1 and self.line_count() > len(self.source):
            self.scroll_to(y=self.max_scroll_y, animate=False)  # what is said below the last row

    def refresh_row(self, index: int) -> None:
        """Draw one row again, if it is seen."""
        y = index - self.top + self.fixed_lines
        if self.fixed_lines <= y < self.size.height:
            self.refresh_y(y)

    def _held(self, top: int) -> int:
        return min(max(top, 0), self.max_scroll_y)

    def _settled(self, before: str | None) -> None:
        """Tell where the cursor is, and ask for rows when an end is near."""
        self.take_cursor()
        if self._cursor_id != before:
            self.post_message(Highlighted(self._me, self._cursor_id))
        reach = max(AHEAD, self.page)
        if self.source.has_older and self._cursor_at + reach >= len(self.source):
            self._ask(NeedOlder)
        if self.source.has_newer and self._cursor_at < reach:
            self._ask(NeedNewer)

    def _ask(self, kind: type[NeedOlder | NeedNewer]) -> None:
        """Ask once; again only after the rows changed or fetching ended."""
        if kind not in self._asked:
            self._asked.add(kind)
            self.post_message(kind(self._me))

    @property
    def _me(self) -> RecordList[T]:
        raise NotImplementedError
