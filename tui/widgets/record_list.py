"""A list of any length that keeps the reader's place: orders, activity, people, jobs.

It draws only the lines that are seen, from a :class:`RowSource` that may hold a window of a much longer list,
and keeps what it drew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.strip import Strip

from tui import keys
from tui.widgets import list_cursor
from tui.widgets.cells import wrap
from tui.widgets.columns import LEAD, Cell, Column, Painter, RowLook, lay_out
from tui.widgets.format import UNICODE, Glyphs, badge
from tui.widgets.lines import Part, search_pattern
from tui.widgets.list_cursor import ListCursor, ListEvent
from tui.widgets.list_marks import Marks
from tui.widgets.row_source import ListRows, RowSource

T = TypeVar("T")
State = Literal["ready", "loading", "problem"]

__all__ = ["Cell", "Column", "ListRows", "RecordList", "RowSource"]

KEPT_STRIPS = 1000
SEARCHED = 20_000
"""Rows that one press of n or N looks through."""


class RecordList(ListCursor[T]):
    """A list of records.

    ``columns`` say what a row shows; ``lead`` gives its icon (one cell); ``row_id`` names it (``row.id``
    unless said otherwise). ``empty`` is the sentence for a list without rows, ``hint`` what to do about it.

    It posts :class:`Highlighted`, :class:`Opened`, :class:`MarksChanged`, and asks for rows with
    :class:`NeedOlder`, :class:`NeedNewer`, :class:`NeedOldest`, :class:`NeedNewest`. Whoever changes the
    source calls :meth:`rows_changed`; a new minute is told with :meth:`tick`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("list")]

    Highlighted: TypeAlias = list_cursor.Highlighted
    NeedOlder: TypeAlias = list_cursor.NeedOlder
    NeedNewer: TypeAlias = list_cursor.NeedNewer
    NeedOldest: TypeAlias = list_cursor.NeedOldest
    NeedNewest: TypeAlias = list_cursor.NeedNewest

    class Opened(ListEvent):
        """A row was opened with Enter, or by a click on the row under the cursor."""

        def __init__(self, record_list: RecordList[Any], row_id: str) -> None:
            super().__init__(record_list)
            self.row_id = row_id

    class MarksChanged(ListEvent):
        """Other rows are marked; see :attr:`RecordList.marks`."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        source: RowSource[T] | None = None,
        row_id: Callable[[T], str] | None = None,
        lead: Callable[[T], Cell] | None = None,
        empty: str = "Nothing here.",
        hint: str = "",
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(source, row_id, id=id, classes=classes)
        self.marks = Marks()
        self.glyphs = glyphs
        self._columns = tuple(columns)
        self._lead = lead
        self._state: State = "ready"
        self._sentences: dict[State, tuple[str, str]] = {
            "ready": (empty, hint),
            "loading": ("Loading…", ""),
            "problem": ("These rows could not be fetched.", ""),
        }
        self._match: re.Pattern[str] | None = None
        self._minute = 0
        self._painter: tuple[object, Painter[T]] | None = None
        self._strips: LRUCache[object, Strip] = LRUCache(KEPT_STRIPS)
        self._ids: dict[int, str | None] = {}

    # What is shown.

    def set_source(self, source: RowSource[T]) -> None:
        """Show another source (another tab or filter), with the cursor on its first row."""
        self._strips.clear()
        self._ids.clear()
        super().set_source(source)

    def set_rows(self, rows: Sequence[T]) -> None:
        """Show a whole list that is in memory; the cursor stays on its row."""
        if isinstance(self.source, ListRows):
            self.source.replace(rows)
        else:
            self.source = ListRows[T](rows, row_id=self.row_id)
        self.rows_changed()

    def set_columns(self, columns: Sequence[Column[T]] | None = None) -> None:
        """Show other columns, or draw all again because what they write changed (another time format)."""
        if columns is not None:
            self._columns = tuple(columns)
        self._forget()

    def highlight(self, words: str) -> None:
        """Mark these words wherever they stand in a row; an empty text marks nothing."""
        self._match = search_pattern(words)
        self._forget()

    def tick(self, minute: int) -> None:
        """Another minute began: lines whose relative times changed are drawn again, the others are not."""
        if minute == self._minute:
            return
        self._minute = minute
        self.refresh_changed()

    @property
    def state(self) -> State:
        """What it says about its rows."""
        return self._state

    def set_state(self, state: State, sentence: str = "", hint: str = "") -> None:
        """Say that rows are being fetched (``loading``), why they are not (``problem``), or neither (``ready``).

        The sentence stands in the place of the rows when there are none, a problem's else below the last one.
        """
        if sentence and state != "ready":
            self._sentences[state] = (sentence, hint)
        if state != "loading":
            self._asked.clear()
        self._state = state
        self._sentence_changed()

    def set_empty(self, sentence: str, hint: str = "") -> None:
        """Change the sentence for a list without rows, and what to do about it."""
        self._sentences["ready"] = (sentence, hint)
        self._sentence_changed()

    def _sentence_changed(self) -> None:
        if self.is_attached:
            self.resize_lines()
            self.refresh_changed()

    def _forget(self) -> None:
        self._painter = None
        self._strips.clear()
        self.refresh_changed()

    # Marks.

    def clear_marks(self) -> bool:
        """Take all marks away; whether there were any."""
        had = bool(self.marks)
        if had:
            self.marks.clear()
            self._marks_changed()
        return had

    def _marks_changed(self) -> None:
        self.refresh_changed()
        self.post_message(self.MarksChanged(self))

    # Drawing.

    def on_mount(self) -> None:
        """Take the source as it is."""
        self.rows_changed()

    def on_resize(self, _event: events.Resize) -> None:
        """Keep the cursor in view."""
        self._ids.clear()
        self.resize_lines()
        self.show_cursor()
        self.take_cursor()

    def line_count(self) -> int:
        """Lines below the titles: the rows, and one that says how the list goes on."""
        rows = len(self.source)
        return rows + (1 if rows and self._ending() else 0)

    def draw_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        at = self.top + y - self.fixed_lines
        if y < self.fixed_lines:
            row_id, strip = None, self._paint().header()
        else:
            row_id, strip = self._row_line(at)
        if y == 0 and self.source.pending:
            strip = self._with_news(strip)
        self._ids[y] = row_id
        return strip

    def _row_line(self, at: int) -> tuple[str | None, Strip]:
        paint, rows = self._paint(), len(self.source)
        if rows == 0:
            return None, self._note_line(at)
        if at >= rows:
            text, style = (self._ending() or ("", "")) if at == rows else ("", "")
            return None, paint.sentence(text, style)
        row = self.source.row_at(at)
        if row is None:
            return None, paint.sentence(self.glyphs.dot * 3, "muted")
        row_id = self.row_id(row)
        look = RowLook(row_id == self._cursor_id, row_id in self.marks)
        key = (row_id, self.source.version(row_id), look, self.has_focus, self._minute)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = paint.row(row, look)
        return row_id, strip

    def _paint(self) -> Painter[T]:
        """The painter for this width and theme; strips of another one are forgotten."""
        key = (self.size.width, self.theme_serial)
        if self._painter is None or self._painter[0] != key:
            self._strips.clear()
            self._painter = (
                key,
                Painter(
                    lay_out(self._columns, self.size.width),
                    base=self.base_style,
                    styles=self.named_styles,
                    cursor_styles=self.cursor_styles,
                    lead=self._lead,
                    glyphs=self.glyphs,
                    match=self._match,
                ),
            )
        return self._painter[1]

    def _ending(self) -> tuple[str, str] | None:
        """What stands below the last row, with its style."""
        if self._state == "problem":
            return " ".join(self._sentences["problem"]).strip(), "error"
        return (f"{self.glyphs.ellipsis} more follow", "muted") if self.source.has_older else None

    def _note_line(self, at: int) -> Strip:
        """A line of the sentence that stands in the place of rows, a third down the list."""
        sentence, hint = self._sentences[self._state]
        room = max(self.size.width - 2 * LEAD, 1)
        style = {"ready": "", "loading": "muted", "problem": "error"}[self._state]
        said: list[Part] = [(line, style) for line in wrap(sentence, room)]
        said += [(line, "muted") for line in (wrap(hint, room) if hint else [])]
        line = at - max((self.page - len(said)) // 3, 0)
        return self.line([(" " * LEAD, ""), said[line]] if 0 <= line < len(said) else [])

    def _with_news(self, strip: Strip) -> Strip:
        """Lay the number of rows that wait over the right end of the first line: it takes no row away."""
        more = "+" if getattr(self.source, "pending_more", False) else ""
        text = f" {self.glyphs.up} {badge(self.source.pending)}{more} new "
        start = self.size.width - len(text) - 1
        if start < 0:
            return strip
        news = self.line([(text, "new")]).crop(0, len(text))
        return Strip.join([strip.crop(0, start), news, strip.crop(start + len(text))])

    def _id_seen(self, index: int) -> str | None:
        """The id of the row that was last drawn at an index."""
        return self._ids.get(index - self.top + self.fixed_lines)

    @property
    def _me(self) -> RecordList[T]:
        return self

    # Actions: the table of keys says which keys run them.

    def action_cursor_down(self) -> None:
        """Move down."""
        self.move_by(1)

    def action_cursor_up(self) -> None:
        """Move up."""
        self.move_by(-1)

    def action_half_page_down(self) -> None:
        """Move half a page down, the view with it."""
        self.move_by(max(self.page // 2, 1), with_view=True)

    def action_half_page_up(self) -> None:
        """Move half a page up, the view with it."""
        self.move_by(-max(self.page // 2, 1), with_view=True)

    def action_page_down(self) -> None:
        """Move a page down; one row stays in sight."""
        self.move_by(max(self.page - 1, 1), with_view=True)

    def action_page_up(self) -> None:
        """Move a page up; one row stays in sight."""
        self.move_by(-max(self.page - 1, 1), with_view=True)

    def action_top(self) -> None:
        """Go to the top, where new rows come in."""
        self.go_to_top()

    def action_bottom(self) -> None:
        """Go to the bottom."""
        self.go_to_bottom()

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self._cursor_id is not None:
            self.post_message(self.Opened(self, self._cursor_id))

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor, and move on."""
        if self._cursor_id is not None:
            self.marks.toggle(self._cursor_id)
            self._marks_changed()
            self.move_by(1)

    def action_mark_range(self) -> None:
        """Mark all rows from the last mark to the cursor; without one, mark this row."""
        start = None if self.marks.last is None else self.source.index_of(self.marks.last)
        if start is None:
            self.action_mark()
            return
        low, high = sorted((start, self._cursor_at))
        found = (self.id_at(at) for at in range(low, high + 1))
        self.marks.add({row_id for row_id in found if row_id is not None})
        self._marks_changed()

    def action_mark_all(self) -> None:
        """Mark all rows that match, also those that are not here; a second time none."""
        if self.marks.everything and not self.marks.ids:
            self.marks.clear()
        else:
            self.marks.mark_everything()
        self._marks_changed()

    def action_next_match(self) -> None:
        """Go to the next row that shows what was searched for."""
        self._find_match(1)

    def action_previous_match(self) -> None:
        """Go to the previous row that shows what was searched for."""
        self._find_match(-1)

    def _find_match(self, step: int) -> None:
        if self._match is None:
            return
        end = len(self.source) if step > 0 else -1
        paint = self._paint()
        for at in range(self._cursor_at + step, end, step)[:SEARCHED]:
            row = self.source.row_at(at)
            if row is not None and self._match.search(paint.text(row)):
                self.move_to(at)
                return

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to a row; open the row that is under the cursor already."""
        at = self.top + event.y - self.fixed_lines
        if event.y < self.fixed_lines:
            if self.source.pending:
                self.go_to_top()
        elif 0 <= at < len(self.source):
            if self.id_at(at) == self._cursor_id:
                self.action_open()
            else:
                self.move_to(at)
