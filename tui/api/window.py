"""A window over a list that may have millions of rows, read by cursors, with rows known by their ids.

The window holds one contiguous stretch of the server's list, newest first, and no more than it may. It grows at
either end, forgets at the other, and can fetch again what it forgot. What arrives at the top while somebody
reads waits until it is let in. Nothing is counted by row numbers, so what is inserted or deleted on the server
makes neither a gap nor a repeat.

Loading is asynchronous; everything else is plain data. A window serves one list (one tab with one filter); take
another one for another query.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Set
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar

from tui.api.errors import Refused
from tui.api.held import Change
from tui.api.window_state import (
    CAPACITY,
    HEAD,
    PAGE,
    Extent,
    PageLike,
    Stretch,
    WindowState,
    own_id,
    own_rank,
)

if TYPE_CHECKING:
    import asyncio

__all__ = ["Change", "Direction", "Edge", "Extent", "Source", "Window"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Direction = Literal["older", "newer"]
Edge = Literal["newest", "oldest"]

CATCH_UP: Final = 5
"""Pages that are read in a row to find the connection to what is held."""


class Source(Protocol[T_co]):
    """Where pages come from: the client's calls with one query."""

    async def fetch(self, cursor: str | None, direction: Direction, limit: int, edge: Edge) -> PageLike[T_co]:
        """The page that ``cursor`` leads to, in its ``direction``; without a cursor, the one at the ``edge``."""
        ...


class _OvertakenError(Exception):
    """The window was begun anew while an answer was on its way; the answer belongs to what is gone."""


class Window(WindowState[T]):
    """A stretch of a list, newest first, and how it is loaded.

    Every call that loads raises what the source raises, and then nothing has changed. Answers that are
    overtaken by ``load_first`` or ``load_last`` are dropped.

    Args:
        identity: what names a row for as long as it lives; its ``id`` unless said otherwise.
        rank: what the list is sorted by, highest first; unless said otherwise when the row occurred or was
            created, then its id.
        own: whether a row stands where it does by the reader's own doing, which is nothing new to them; no row does
            unless said otherwise.
        capacity: rows held at most.
        head: rows of a look at an end of the list.
        page: rows of any other page.
    """

    def __init__(
        self,
        *,
        identity: Callable[[T], str] = own_id,
        rank: Callable[[T], Any] = own_rank,
        own: Callable[[T], bool] = lambda _row: False,
        capacity: int = CAPACITY,
        head: int = HEAD,
        page: int = PAGE,
    ) -> None:
        super().__init__(identity, rank, own, capacity, head, page)
        self._generation = 0
        self._busy: set[str] = set()
        self._looking: asyncio.Lock | None = None

    async def load_first(self, source: Source[T]) -> Change:
        """Begin anew at the newest row. What is held stays until the answer is there."""
        return await self._load_edge(source, "newest")

    async def load_last(self, source: Source[T]) -> Change:
        """Begin anew at the oldest row."""
        return await self._load_edge(source, "oldest")

    async def load_older(self, source: Source[T]) -> Change:
        """Fetch what follows the last row held. Does nothing at the end, or while the same is under way."""
        return await self._once("older", source, self._grow_down) if self.has_older else Change()

    async def load_newer(self, source: Source[T]) -> Change:
        """Fetch what stands above the first row held. Does nothing at the top, or while the same is under way."""
        return await self._once("newer", source, self._grow_up) if self.has_newer else Change()

    async def refresh(self, source: Source[T], first: str | None = None, last: str | None = None) -> Change:
        """Look again at the top of the list, and at the rows from ``first`` to ``last`` (those on the screen).

        New rows at the top wait, unless `follow`; rows that changed are replaced; rows that left are removed.
        A look that is asked for while another is under way begins after it: the other may have read the list
        before what this one is to show.
        """
        if self._looking is None:
            import asyncio  # noqa: PLC0415 - a window is made before the first paint, and looks after it

            self._looking = asyncio.Lock()
        async with self._looking:
            return await self._look(source, first, last)

    async def _look(self, source: Source[T], first: str | None, last: str | None) -> Change:
        if not self.loaded:
            return await self.load_first(source)

        async def look(source: Source[T]) -> Change:
            top = await self._read_top(source, first, last)
            change = self._merge_top(top)
            change |= await self._look_at(source, first, last, top.rows.keys())
            return change | self._trim(last)

        return await self._unless_overtaken(source, look)

    async def _once(
        self, task: str, source: Source[T], work: Callable[[Source[T]], Awaitable[Change]]
    ) -> Change:
        if task in self._busy:
            return Change()
        self._busy.add(task)
        try:
            return await self._unless_overtaken(source, work)
        finally:
            self._busy.discard(task)

    async def _unless_overtaken(
        self, source: Source[T], work: Callable[[Source[T]], Awaitable[Change]]
    ) -> Change:
        try:
            return await work(source)
        except _OvertakenError:
            return Change()
        except Refused as refused:
            if refused.code != "invalid_cursor":
                raise
            return await self.load_first(source)  # another store answers there now

    async def _load_edge(self, source: Source[T], edge: Edge) -> Change:
        self._generation += 1
        generation = self._generation
        page = await source.fetch(None, "older", self._head, edge)
        if generation != self._generation:
            return Change()
        return self._begin_with(page, at_top=edge == "newest")

    async def _read(
        self,
        source: Source[T],
        cursor: str | None,
        direction: Direction,
        enough: Callable[[Stretch[T]], bool],
        *,
        limit: int,
        pages: int,
    ) -> Stretch[T]:
        """Read page after page until it is enough, the list ends, or that many were read."""
        generation = self._generation
        edge: Edge = "newest" if direction == "older" else "oldest"
        stretch: Stretch[T] = Stretch()
        for _ in range(pages):
            page = await source.fetch(cursor, direction, limit, edge)
            if generation != self._generation:
                raise _OvertakenError
            part = {self._held.identity(row): row for row in page.items}
            stretch.marks.page(list(part), page.next, page.prev)
            rest = {row: content for row, content in stretch.rows.items() if row not in part}
            stretch.rows = rest | part if direction == "older" else part | rest
            cursor = page.next if direction == "older" else page.prev
            stretch.ends = cursor is None
            if stretch.ends or enough(stretch):
                break
            limit = self._page
        return stretch

    async def _grow_down(self, source: Source[T]) -> Change:
        held = self._held
        anchor = self._marks.can_go_older(reversed(held.ids))
        if anchor is None:
            return await self.load_first(source)
        stretch = await self._read(
            source,
            self._marks.older(anchor),
            "older",
            self._has_more_than(held.ids),
            limit=self._page,
            pages=self._pages(len(held.ids) - held.place[anchor]),
        )
        change = self._merge_down(anchor, stretch)
        return change | self._trim(held.ids[-1] if held.ids else None)

    async def _grow_up(self, source: Source[T]) -> Change:
        held = self._held
        anchor = self._marks.can_go_newer(held.ids)
        if anchor is None:
            return await self.load_first(source)
        stretch = await self._read(
            source,
            self._marks.newer(anchor),
            "newer",
            self._has_more_than(held.ids),
            limit=self._page,
            pages=self._pages(held.place[anchor]),
        )
        return self._merge_up(anchor, stretch) | self._trim()

    async def _read_top(self, source: Source[T], first: str | None, last: str | None) -> Stretch[T]:
        """The top of the list, as far down as it connects to what is held.

        Where no cursor leads to the rows on the screen, as far down as those.
        """
        held = self._held
        order = [*held.waiting, *held.ids]
        if not self._attached or not order:
            return await self._read(source, None, "older", lambda _: True, limit=self._head, pages=1)
        goal = order[0]
        if first in held.place and last in held.place and self._anchor_above(first) is None:
            goal = self._solid(last)
        return await self._read(
            source,
            None,
            "older",
            self._reaches_down(goal),
            limit=self._head,
            pages=self._pages(order.index(goal)),
        )

    async def _look_at(
        self, source: Source[T], first: str | None, last: str | None, seen: Set[str]
    ) -> Change:
        """Read the rows from ``first`` to ``last`` again, unless they were all seen just now."""
        held = self._held
        start, end = held.place.get(first or "", -1), held.place.get(last or "", -1)
        if first is None or last is None or min(start, end) < 0 or seen >= set(held.ids[start : end + 1]):
            return Change()
        anchor = self._anchor_above(first)
        if anchor is None:
            return Change() if self._attached else await self._look_upwards(source, first, last)
        span = end - held.place[anchor]
        stretch = await self._read(
            source,
            self._marks.older(anchor),
            "older",
            self._reaches_down(self._solid(last)),
            limit=min(self._page, max(self._head, span + 1)),
            pages=self._pages(span),
        )
        return self._merge_down(anchor, stretch)

    async def _look_upwards(self, source: Source[T], first: str, last: str) -> Change:
        """Read the same rows from below, where no cursor leads down to them."""
        held = self._held
        start = held.place[first]
        anchor = self._marks.can_go_newer(held.ids[start + 1 :])
        if anchor is None and not self._at_oldest:
            return Change()
        cursor = None if anchor is None else self._marks.newer(anchor)
        span = (len(held.ids) if anchor is None else held.place[anchor]) - start
        stretch = await self._read(
            source, cursor, "newer", self._reaches_up(first), limit=self._page, pages=self._pages(span)
        )
        change = self._merge_up(anchor, stretch)
        if anchor is None or held.place.get(anchor, len(held.ids)) > held.place.get(last, -1):
            return change
        return change | await self._look_at(source, anchor, last, frozenset())  # the rest, below the anchor

    def _anchor_above(self, row: str) -> str | None:
        """The nearest row above this one from which a cursor leads down."""
        return self._marks.can_go_older(reversed(self._held.ids[: self._held.place[row]]))

    def _solid(self, row: str) -> str:
        """The nearest row, from this one down and then up, that stands where the server has it.

        A row that moved up and waits at the top is held at its old place, and tells nothing about that place.
        """
        held, waiting = self._held, set(self._held.waiting)
        at = held.place[row]
        near = [*held.ids[at:], *reversed(held.ids[:at])]
        return next((other for other in near if other not in waiting), row)

    def _pages(self, rows: int) -> int:
        """How many pages to read at most to get over that many rows."""
        return CATCH_UP + rows // self._page

    def _has_more_than(self, rows: Collection[str]) -> Callable[[Stretch[T]], bool]:
        known = set(rows)
        return lambda stretch: not known.issuperset(stretch.rows)

    def _reaches_down(self, row: str) -> Callable[[Stretch[T]], bool]:
        goal = self._rank(self._held.row(row))
        return lambda stretch: bool(stretch.rows) and bool(self._rank(stretch.last) <= goal)

    def _reaches_up(self, row: str) -> Callable[[Stretch[T]], bool]:
        goal = self._rank(self._held.row(row))
        return lambda stretch: bool(stretch.rows) and bool(self._rank(stretch.first) >= goal)
