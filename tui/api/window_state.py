"""What a window over a long list holds, and how answers change it. No waiting and no fetching in here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any, Final, Generic, Protocol, TypeVar

from tui.api.held import Change, Held
from tui.api.marks import Marks
from tui.api.splice import longest_rising, put_back, splice, splice_upwards

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

CAPACITY: Final = 5000
"""Rows that a window holds at most."""
HEAD: Final = 50
"""Rows of a look at an end of the list."""
PAGE: Final = 200
"""Rows of any other page."""


class PageLike(Protocol[T_co]):
    """A page of a list as the contract has it: rows newest first, ``next`` to older ones, ``prev`` to newer ones."""

    @property
    def items(self) -> Sequence[T_co]: ...  # noqa: D102 - said above
    @property
    def next(self) -> str | None: ...  # noqa: D102 - said above
    @property
    def prev(self) -> str | None: ...  # noqa: D102 - said above


@dataclass(frozen=True, slots=True)
class Extent:
    """How long the list is around what is held.

    Attributes:
        above: rows above the first one held; a guess unless ``placed``.
        held: rows held.
        below: rows below the last one held; a guess unless ``exact`` and ``placed``.
        sure: rows that are known to be there, of the whole list.
        exact: ``total`` is no guess.
        placed: ``above`` is no guess.
    """

    above: int
    held: int
    below: int
    sure: int
    exact: bool
    placed: bool

    @property
    def total(self) -> int:
        """Rows of the whole list."""
        return self.above + self.held + self.below

    def number(self, fewer: int = 0) -> str:
        """How many rows there are but for so many, in digits; ``50+`` when more than those follow."""
        return f"{self.total - fewer:,}" if self.exact else f"{self.sure - fewer:,}+"


@dataclass(slots=True)
class Stretch(Generic[T]):
    """Pages read one after the other: rows newest first, and whether the list ends with the last page read."""

    rows: dict[str, T] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    ends: bool = False

    @property
    def first(self) -> T:
        """The newest row."""
        return next(iter(self.rows.values()))

    @property
    def last(self) -> T:
        """The oldest row."""
        return next(reversed(self.rows.values()))


def own_id(row: Any) -> str:
    """The ``id`` of a row."""
    return str(row.id)


def own_rank(row: Any) -> tuple[datetime, str]:
    """Where a row stands in its list, newest the highest: when it occurred or was created, then its id."""
    at: datetime = row.occurred_at if hasattr(row, "occurred_at") else row.created_at
    return at, str(row.id)


class WindowState(Generic[T]):
    """One contiguous stretch of a list, newest first. See `tui.api.window.Window` for the arguments."""

    def __init__(
        self,
        identity: Callable[[T], str],
        rank: Callable[[T], Any],
        own: Callable[[T], bool],
        capacity: int,
        head: int,
        page: int,
    ) -> None:
        self.follow = False
        """Whether new rows come in at the top by themselves instead of waiting."""
        self.loaded = False
        """Whether a first answer came; an empty window is then an empty list."""
        self._held: Held[T] = Held(identity)
        self._rank = rank
        self._own = own
        self._marks = Marks()
        self._capacity, self._head, self._page = capacity, head, page
        self._known_total: int | None = None
        self._attached = True  # the first row held is the list's newest, but for those that wait
        self._at_oldest = True
        self._above: int | None = 0  # rows above the first one held, where that is known
        self._dropped_below = 0
        self._unseen = 0  # rows that came to the top while the window stood elsewhere
        self._unseen_more = False
        self._top: set[str] = set()  # the rows of the last look at the top

    def __len__(self) -> int:
        return len(self._held.ids)

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the rows held, newest first."""
        return self._held.ids

    def row_at(self, index: int) -> T:
        """The row at an index from 0 to len - 1. Raises IndexError outside."""
        return self._held.row(self._held.ids[index])

    def row(self, row_id: str) -> T | None:
        """The row with this id; None when it is not held."""
        return self._held.row(row_id) if row_id in self._held.place else None

    def index_of(self, row_id: str) -> int | None:
        """Where a row stands now; None when it is not held."""
        return self._held.place.get(row_id)

    def version(self, row_id: str) -> int:
        """A number that is another whenever the row's content is; 0 for a row that is not held."""
        return self._held.version(row_id)

    def neighbour(self, row_id: str) -> str | None:
        """Who takes the cursor when this row leaves, or left: the row below it, else the one above, else nobody."""
        return self._held.heir(row_id)

    @property
    def has_older(self) -> bool:
        """Whether the list goes on below."""
        return not self._at_oldest

    @property
    def has_newer(self) -> bool:
        """Whether the list goes on above with rows that are not held; those that wait do not count."""
        return not self._attached

    @property
    def pending(self) -> int:
        """How many rows arrived at the top and wait to be let in, but for what the reader moved there."""
        if not self._attached:
            return self._unseen
        return sum(not self._own(self._held.row(row)) for row in self._held.waiting)

    @property
    def pending_more(self) -> bool:
        """Whether there may be more of them than `pending` says."""
        return not self._attached and self._unseen_more

    def set_total(self, total: int | None) -> None:
        """Tell how many rows the whole list has, where the server counts them."""
        self._known_total = total

    @property
    def extent(self) -> Extent:
        """How long the list is; what is not known is guessed for a scroll bar, and said to be so."""
        held, dropped = len(self._held.ids), self._dropped_below
        above = 0 if self._attached else self._above
        ends = self._at_oldest
        sure = (above or 0) + held + dropped
        if above is not None and ends:
            return Extent(above, held, 0, sure, exact=True, placed=True)
        rest = max((self._known_total or 0) - sure, 0)  # none: not counted, or a count older than the rows
        if not rest:
            guess = self._page if above is None else above
            below = 0 if ends else dropped + self._page
            return Extent(guess, held, below, sure, exact=False, placed=above is not None)
        if above is not None:
            return Extent(above, held, dropped + rest, sure, exact=True, placed=True)
        above = rest if ends else min(rest, self._page)
        return Extent(above, held, dropped + rest - above, sure, exact=True, placed=ends)

    # What a person does

    def admit(self) -> Change | None:
        """Let in what waits at the top. None when it is not here: the list must be loaded from the top again."""
        held = self._held
        if not self._attached:
            return None
        arrived = set(held.waiting)
        self._marks.release(arrived, held.ids)
        change = held.arrange([*held.waiting, *(row for row in held.ids if row not in arrived)], [])
        return change | self._trim()

    def replace(self, row: T) -> Change:
        """Show another content of a row that is held; nothing happens when it is not."""
        return self._held.arrange(self._held.ids, self._held.waiting, {self._held.identity(row): row})

    def remove(self, rows: Iterable[str]) -> Change:
        """Take rows out at once, before the server's list shows that they left."""
        leaving = set(rows)
        held = self._held
        self._marks.release(leaving, held.ids)
        return held.arrange(
            [row for row in held.ids if row not in leaving],
            [row for row in held.waiting if row not in leaving],
        )

    # What the server answers

    def _begin_with(self, page: PageLike[T], *, at_top: bool) -> Change:
        """Hold this page of one end of the list and nothing else."""
        rows = {self._held.identity(row): row for row in page.items}
        waited = self.pending
        self._marks = Marks()
        self._marks.page(list(rows), page.next, page.prev)
        self._attached, self._at_oldest = at_top or page.prev is None, page.next is None
        self._above = None
        self._dropped_below = self._unseen = 0
        self._unseen_more = False
        self._top = set(rows) if self._attached else set()
        self.loaded = True
        change = self._held.arrange(list(rows), [], rows)
        return change | Change(pending=self.pending != waited)

    def _merge_top(self, stretch: Stretch[T]) -> Change:
        """Lay the top of the list over what is held. What is new there waits, unless `follow`."""
        held, fresh = self._held, list(stretch.rows)
        known_top, self._top = self._top, set(fresh)
        waited = self.pending
        if not self._attached:
            if known_top:  # else this is the first look at the top since the window began at the far end
                self._unseen += sum(row not in held.place for row in _before(fresh, known_top))
                self._unseen_more |= known_top.isdisjoint(fresh)
            return held.arrange(held.ids, [], stretch.rows) | Change(pending=self.pending != waited)
        order = [*held.waiting, *_without(held.ids, held.waiting)]
        result = splice(order, 0, fresh, complete=stretch.ends, passed=self._above_end_of(stretch))
        if result is None:  # more came than was read, so what is held hangs in the air
            return self._detach(len(fresh), more=True)
        stay = _standing(held.ids, result.ids)
        news = [] if self.follow or not stay else _before(result.ids, stay)
        body = put_back(result.ids[len(news) :], [row for row in news if row in held.place], held.ids)
        self._settle_bottom(result.ids, fresh, ends=stretch.ends)
        return self._lay(body, news, stretch)

    def _merge_down(self, anchor: str, stretch: Stretch[T]) -> Change:
        """Lay a stretch that follows right after ``anchor`` over what is held."""
        held, fresh = self._held, list(stretch.rows)
        if anchor not in held.place:
            return Change()
        start = held.place[anchor] + 1
        result = splice(held.ids, start, fresh, complete=stretch.ends, passed=self._above_end_of(stretch))
        # Without any connection to the rows below, those are let go and fetched again when they are needed.
        ids = result.ids if result else [*_without(held.ids[:start], fresh), *fresh]
        self._settle_bottom(ids, fresh, ends=stretch.ends)
        news = _without(held.waiting, fresh)
        ids = put_back(ids, [row for row in _without(news, ids) if row in held.place], held.ids)
        return self._lay(ids, news, stretch)

    def _merge_up(self, anchor: str | None, stretch: Stretch[T]) -> Change:
        """Lay a stretch that stands right above ``anchor`` (None: that ends the list) over what is held."""
        held, fresh = self._held, list(stretch.rows)
        if self._attached or (anchor is not None and anchor not in held.place):
            return Change()
        end = len(held.ids) if anchor is None else held.place[anchor]
        waited = self.pending
        result = splice_upwards(
            held.ids, end, fresh, complete=stretch.ends, passed=self._below_start_of(stretch)
        )
        ids = result.ids if result else [*fresh, *_without(held.ids[end:], fresh)]
        if stretch.ends:
            self._attached, self._above, self._top = True, None, set(ids[: self._head])
            self._unseen, self._unseen_more = 0, False
        elif self._above is not None:
            self._above = max(1, self._above + len(held.ids) - len(ids))
        return self._lay(ids, [], stretch) | Change(pending=self.pending != waited)

    def _above_end_of(self, stretch: Stretch[T]) -> Callable[[str], bool]:
        """Whether a row, as it was last seen, stands above the stretch's last row."""
        if not stretch.rows:
            return lambda _: False
        end = self._rank(stretch.last)
        return lambda row: bool(self._rank(self._held.row(row)) > end)

    def _below_start_of(self, stretch: Stretch[T]) -> Callable[[str], bool]:
        """Whether a row, as it was last seen, stands below the stretch's first row."""
        if not stretch.rows:
            return lambda _: False
        start = self._rank(stretch.first)
        return lambda row: bool(self._rank(self._held.row(row)) < start)

    def _lay(self, ids: list[str], waiting: list[str], stretch: Stretch[T]) -> Change:
        held, waited = self._held, self.pending
        self._marks.release(set(held.ids) - _standing(held.ids, ids), held.ids)
        # A row that moved up and waits there is held at its old place, which its new neighbours' cursors do not mean.
        self._marks.take(stretch.marks, stretch.rows.keys() - (set(waiting) & set(ids)))
        change = held.arrange(ids, waiting, stretch.rows)
        self._marks.keep({*ids, *waiting})
        return change | Change(pending=self.pending != waited)

    def _settle_bottom(self, ids: Sequence[str], fresh: Sequence[str], *, ends: bool) -> None:
        if ends:
            self._at_oldest, self._dropped_below = True, 0
        elif fresh and ids[-1] == fresh[-1]:
            self._at_oldest = False

    def _detach(self, unseen: int, *, more: bool) -> Change:
        """What waits is counted and let go of: the first row held is not below the newest any more."""
        waited = self.pending
        self._attached, self._above = False, None if more else unseen
        self._unseen, self._unseen_more = unseen, more
        return self._held.arrange(self._held.ids, []) | Change(pending=self.pending != waited)

    def _trim(self, watched: str | None = None) -> Change:
        """Hold no more than may be held: forget the end that is farther from the row ``watched``."""
        held = self._held
        change = Change()
        if self._attached and len(held.waiting) > self._capacity // 2:
            change = self._detach(len(held.waiting), more=False)
        if len(held.ids) + len(held.waiting) <= self._capacity:
            return change
        near_bottom = held.place.get(watched or "", 0) > len(held.ids) // 2
        return change | (self._drop_top() if near_bottom else self._drop_bottom())

    def _drop_top(self) -> Change:
        """Forget rows at the top; what waits above them is only counted from now on."""
        held = self._held
        change = self._detach(len(held.waiting), more=False) if self._attached else Change()
        surplus = len(held.ids) - self._capacity
        if surplus <= 0:
            return change
        row = self._marks.can_go_newer(held.ids[surplus : surplus + 2 * self._page])
        cut = surplus if row is None else held.place[row]
        if self._above is not None:
            self._above += cut
        return change | held.arrange(held.ids[cut:], [])

    def _drop_bottom(self) -> Change:
        """Forget rows at the bottom."""
        held = self._held
        room = self._capacity - len(held.waiting)
        row = self._marks.can_go_older(reversed(held.ids[max(0, room - 2 * self._page) : room]))
        cut = room if row is None else held.place[row] + 1
        self._dropped_below += len(held.ids) - cut
        self._at_oldest = False
        return held.arrange(held.ids[:cut], held.waiting)


def _before(rows: Sequence[str], known: Collection[str]) -> list[str]:
    """The rows that stand before the first known one."""
    return list(takewhile(lambda row: row not in known, rows))


def _without(rows: Iterable[str], others: Iterable[str]) -> list[str]:
    left_out = set(others)
    return [row for row in rows if row not in left_out]


def _standing(before: Sequence[str], after: Iterable[str]) -> set[str]:
    """The rows of ``before`` that keep their order relative to each other in ``after``."""
    place = {row: at for at, row in enumerate(before)}
    return {before[at] for at in longest_rising([place[row] for row in after if row in place])}
