"""The window against a model of the server's list: no gap, no repeat, whatever happens to the list meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.contract.base import Problem
from tui.api.errors import Refused, Unreachable
from tui.api.window import Change, Direction, Edge, Window

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Row:
    """A row of the model; ``at`` is its place, higher is newer."""

    id: str
    at: float
    text: str = ""


@dataclass
class Page:
    items: list[Row]
    next: str | None
    prev: str | None


@dataclass
class Shop:
    """A list as the server keeps it: sorted by place, newest first, with cursors that are places."""

    rows: list[Row] = field(default_factory=list)
    asked: list[tuple[str | None, int, str]] = field(default_factory=list)
    before_answer: Callable[[], Awaitable[None]] | None = None

    def ids(self) -> list[str]:
        return [row.id for row in self.rows]

    def put(self, row: Row) -> None:
        self.rows = sorted(
            [*(r for r in self.rows if r.id != row.id), row], key=lambda r: (r.at, r.id), reverse=True
        )

    def delete(self, row_id: str) -> None:
        self.rows = [row for row in self.rows if row.id != row_id]

    async def fetch(self, cursor: str | None, direction: Direction, limit: int, edge: Edge) -> Page:
        self.asked.append((cursor, limit, edge))
        if self.before_answer is not None:
            await self.before_answer()
        if cursor is None and edge == "newest":
            part = self.rows[:limit]
            return Page(part, self._older(part) if len(self.rows) > limit else None, None)
        if cursor is None:
            part = self.rows[-limit:]
            return Page(part, None, self._newer(part) if len(self.rows) > limit else None)
        way, at, row_id = cursor.split("|")
        place = (float(at), row_id)
        assert way == direction
        if way == "older":
            below = [row for row in self.rows if (row.at, row.id) < place]
            part = below[:limit]
            return Page(part, self._older(part) if len(below) > limit else None, self._newer(part))
        above = [row for row in self.rows if (row.at, row.id) > place]
        part = above[-limit:]
        return Page(part, self._older(part), self._newer(part) if len(above) > limit else None)

    def _older(self, part: list[Row]) -> str | None:
        return f"older|{part[-1].at}|{part[-1].id}" if part else None

    def _newer(self, part: list[Row]) -> str | None:
        return f"newer|{part[0].at}|{part[0].id}" if part else None


def shop_of(count: int) -> Shop:
    """A shop with rows 1 (oldest) to count (newest)."""
    return Shop([Row(f"r{number}", number) for number in range(count, 0, -1)])


def small(capacity: int = 40) -> Window[Row]:
    return Window(rank=lambda row: (row.at, row.id), capacity=capacity, head=4, page=8)


def names(*numbers: int) -> list[str]:
    return [f"r{number}" for number in numbers]


async def test_reading_to_the_end_and_back_within_the_capacity() -> None:
    shop, window = shop_of(200), small()
    await window.load_first(shop)
    assert list(window.ids) == names(200, 199, 198, 197)
    seen = set(window.ids)
    while window.has_older:
        await window.load_older(shop)
        assert len(window) <= 40
        seen.update(window.ids)
    assert seen == set(shop.ids())
    assert list(window.ids) == shop.ids()[-len(window) :]
    assert window.has_newer
    extent = window.extent
    assert (extent.above, extent.below, extent.exact) == (200 - len(window), 0, True)
    seen.clear()
    for _ in range(100):
        await window.load_newer(shop)
        assert len(window) <= 40
        assert list(window.ids) == shop.ids()[(at := shop.ids().index(window.ids[0])) : at + len(window)]
        seen.update(window.ids)
    assert set(shop.ids()[:150]) <= seen
    assert window.ids[0] == "r200"
    assert window.has_older


async def test_the_length_is_exact_when_counted_and_else_what_is_sure() -> None:
    shop, window = shop_of(100), small(12)
    await window.load_first(shop)
    extent = window.extent
    assert (extent.sure, extent.exact, extent.placed, extent.number()) == (4, False, True, "4+")
    window.set_total(100)
    extent = window.extent
    assert (extent.total, extent.exact, extent.number(), extent.number(fewer=1)) == (100, True, "100", "99")
    window.set_total(4)  # an older count: the list goes on below these four
    assert window.extent.number() == "4+"
    window.set_total(None)
    while window.has_older:
        await window.load_older(shop)
    assert window.extent.number() == "100", "read to the end, and what was let go of is remembered"
    await window.load_last(shop)
    extent = window.extent
    assert (extent.exact, extent.placed, extent.number()) == (False, False, "4+")
    await window.load_newer(shop)
    window.set_total(100)
    extent = window.extent
    assert (extent.exact, extent.placed, extent.above, extent.total) == (True, True, 88, 100)
    for _ in range(3):
        await window.load_newer(shop)
    extent = window.extent
    assert (window.has_older, window.has_newer) == (True, True)
    assert (extent.exact, extent.placed, extent.total) == (True, False, 100)


async def test_the_far_end_is_one_question() -> None:
    shop, window = shop_of(1000), small()
    window.set_total(1000)
    await window.load_last(shop)
    assert list(window.ids) == names(4, 3, 2, 1)
    assert not window.has_older
    assert window.has_newer
    assert shop.asked == [(None, 4, "oldest")]
    assert window.extent.total == 1000
    await window.load_newer(shop)
    assert list(window.ids) == names(*range(12, 0, -1))
    await window.refresh(shop)
    assert window.pending == 0, "what was there before is not new"
    shop.put(Row("new", 1001))
    assert await window.refresh(shop) == Change(pending=True)
    assert window.pending == 1


async def test_new_rows_wait_until_they_are_let_in() -> None:
    shop, window = shop_of(10), small()
    await window.load_first(shop)
    shop.put(Row("a", 11))
    shop.put(Row("b", 12))
    change = await window.refresh(shop)
    assert change == Change(pending=True)
    assert window.pending == 2
    assert list(window.ids) == names(10, 9, 8, 7)
    assert not await window.refresh(shop), "the same again is no change"
    shop.delete("a")
    assert (await window.refresh(shop)).pending
    assert window.pending == 1
    assert window.admit() == Change(arrived=("b",), pending=True)
    assert list(window.ids) == ["b", *names(10, 9, 8, 7)]
    assert window.pending == 0


async def test_following_lets_new_rows_in() -> None:
    shop, window = shop_of(10), small()
    await window.load_first(shop)
    window.follow = True
    shop.put(Row("a", 11))
    assert await window.refresh(shop) == Change(arrived=("a",))
    assert window.ids[0] == "a"
    for number in range(12, 80):
        shop.put(Row(f"r{number}", number))
        await window.refresh(shop)
        assert len(window) <= 40
        assert list(window.ids) == shop.ids()[: len(window)]
    assert window.has_older


async def test_a_late_row_comes_into_its_place() -> None:
    shop, window = shop_of(10), small()
    await window.load_first(shop)
    shop.put(Row("late", 8.5))
    assert await window.refresh(shop) == Change(arrived=("late",))
    assert list(window.ids) == ["r10", "r9", "late", "r8", "r7"]


async def test_a_changed_row_gets_another_version() -> None:
    shop, window = shop_of(10), small()
    await window.load_first(shop)
    version = window.version("r9")
    assert version > 0
    shop.put(Row("r9", 9, "changed"))
    assert await window.refresh(shop) == Change(changed=("r9",))
    assert window.row_at(1).text == "changed"
    assert window.version("r9") != version
    assert window.version("r8") > 0
    assert window.version("unknown") == 0


async def test_a_row_that_left_hands_on_to_its_neighbour() -> None:
    shop, window = shop_of(5), small()
    await window.load_first(shop)
    await window.load_older(shop)
    assert window.neighbour("r5") == "r4"
    assert window.neighbour("r1") == "r2"
    shop.delete("r4")
    shop.delete("r3")
    change = await window.refresh(shop, "r5", "r1")
    assert set(change.left) == {("r4", "r2"), ("r3", "r2")}
    assert window.neighbour("r4") == "r2"
    shop.delete("r2")
    shop.delete("r1")
    await window.refresh(shop, "r5", "r5")
    assert list(window.ids) == ["r5"]
    assert window.neighbour("r4") == "r5", "through the neighbour that left too"
    shop.delete("r5")
    await window.refresh(shop)
    assert len(window) == 0
    assert window.neighbour("r4") is None


async def test_when_all_rows_left_the_next_ones_are_shown_at_once() -> None:
    shop, window = shop_of(6), small()
    await window.load_first(shop)
    for row in names(6, 5, 4, 3):
        shop.delete(row)
    await window.refresh(shop)
    assert list(window.ids) == names(2, 1)
    assert window.pending == 0


async def test_a_row_that_moved_up_waits_and_stays_in_its_place() -> None:
    shop, window = shop_of(4), small()
    await window.load_first(shop)
    shop.put(Row("r2", 9, "again"))
    change = await window.refresh(shop)
    assert change == Change(changed=("r2",), pending=True)
    assert list(window.ids) == names(4, 3, 2, 1)
    assert window.pending == 1
    assert not await window.refresh(shop)
    assert window.admit() == Change(moved=True, pending=True)
    assert list(window.ids) == names(2, 4, 3, 1)


async def test_what_the_reader_moved_up_is_new_only_once_somebody_else_moves_it() -> None:
    shop = shop_of(4)
    window: Window[Row] = Window(
        rank=lambda row: (row.at, row.id), own=lambda row: row.text == "mine", head=4
    )
    await window.load_first(shop)
    shop.put(Row("r2", 9, "mine"))
    assert await window.refresh(shop)
    assert list(window.ids) == names(4, 3, 2, 1)
    assert window.pending == 0
    shop.put(Row("r2", 10, "theirs"))
    assert await window.refresh(shop) == Change(changed=("r2",), pending=True)
    assert window.pending == 1
    window.admit()
    assert list(window.ids) == names(2, 4, 3, 1)


async def test_rows_that_are_on_the_screen_far_below_are_looked_at_again() -> None:
    shop, window = shop_of(100), small()
    await window.load_first(shop)
    for _ in range(3):
        await window.load_older(shop)
    first, last = window.ids[20], window.ids[24]
    shop.put(Row(first, float(first[1:]), "changed"))
    shop.put(Row("late", float(last[1:]) + 0.5))
    shop.delete(window.ids[22])
    gone = window.ids[22]
    change = await window.refresh(shop, first, last)
    assert change.changed == (first,)
    assert change.arrived == ("late",)
    assert [row for row, _ in change.left] == [gone]
    assert list(window.ids) == shop.ids()[: len(window)]


async def test_too_many_new_rows_are_counted_not_fetched() -> None:
    shop, window = shop_of(10), small()
    await window.load_first(shop)
    for number in range(11, 200):
        shop.put(Row(f"r{number}", number))
    await window.refresh(shop)
    assert window.pending >= 30
    assert window.pending_more
    assert list(window.ids) == names(10, 9, 8, 7), "what is read stays"
    assert window.admit() is None
    await window.load_first(shop)
    assert list(window.ids) == names(199, 198, 197, 196)
    assert (window.pending, window.pending_more) == (0, False)


async def test_an_answer_that_was_overtaken_is_dropped() -> None:
    shop, window = shop_of(100), small()
    await window.load_first(shop)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        shop.before_answer = None
        asked.set()
        await go_on.wait()

    shop.before_answer = hold
    slow = asyncio.create_task(window.load_older(shop))
    await asked.wait()
    assert not await window.load_older(shop), "the same is under way"
    await window.load_last(shop)
    go_on.set()
    assert not await slow
    assert list(window.ids) == names(4, 3, 2, 1)


async def test_a_look_asked_for_while_another_is_given_up_is_taken() -> None:
    """What a person just did must show, also when the poll had just begun to look."""
    shop, window = shop_of(3), small()
    await window.load_first(shop)
    asked = asyncio.Event()

    async def wait_for_ever() -> None:
        asked.set()
        await asyncio.Event().wait()

    shop.before_answer = wait_for_ever
    polled = asyncio.create_task(window.refresh(shop, "r3", "r1"))
    await asked.wait()
    shop.delete("r2")
    shop.before_answer = None
    mine = asyncio.create_task(window.refresh(shop, "r3", "r1"))
    polled.cancel()  # as a newer worker of the same group cancels the older one
    await mine
    assert list(window.ids) == names(3, 1)


async def test_a_failure_changes_nothing() -> None:
    shop, window = shop_of(100), small()
    await window.load_first(shop)

    async def fail() -> None:
        raise Unreachable("gone")

    shop.before_answer = fail
    for call in (window.load_first, window.load_last, window.load_older, window.refresh):
        with pytest.raises(Unreachable):
            await call(shop)
    assert list(window.ids) == names(100, 99, 98, 97)
    shop.before_answer = None
    await window.load_older(shop)
    assert len(window) == 12


async def test_cursors_of_another_store_begin_anew() -> None:
    shop, window = shop_of(100), small()
    await window.load_first(shop)

    async def refuse() -> None:
        shop.before_answer = None
        raise Refused("no", Problem(title="", status=400, code="invalid_cursor"))

    shop.before_answer = refuse
    shop.rows = shop_of(3).rows
    await window.load_older(shop)
    assert list(window.ids) == names(3, 2, 1)


async def test_what_a_person_did_shows_at_once() -> None:
    shop, window = shop_of(4), small()
    assert [window.loaded, await window.refresh(shop) and window.loaded] == [False, True]
    row = window.row("r3")
    assert row is not None
    assert window.replace(replace(row, text="done")) == Change(changed=("r3",))
    assert not window.replace(Row("elsewhere", 1))
    assert window.remove(["r3"]) == Change(left=(("r3", "r2"),))
    assert window.row("r3") is None
    assert window.index_of("r2") == 1


class Life:
    """A shop to which things happen, drawn by hypothesis."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.serial = 1000

    def happen(self, what: str, where: float) -> None:
        rows = self.shop.rows
        pick = rows[int(where * (len(rows) - 1))] if rows else None
        top = rows[0].at if rows else 0.0
        self.serial += 1
        if what == "arrive":
            self.shop.put(Row(f"n{self.serial}", top + 1))
        elif what == "late" and pick is not None:
            self.shop.put(Row(f"n{self.serial}", pick.at - 0.01 * (self.serial % 7)))
        elif what == "leave" and pick is not None:
            self.shop.delete(pick.id)
        elif what == "change" and pick is not None:
            self.shop.put(replace(pick, text=str(self.serial)))
        elif what == "move" and pick is not None:
            self.shop.put(replace(pick, at=top + 1))


happenings = st.lists(
    st.tuples(st.sampled_from(["arrive", "arrive", "late", "leave", "change", "move"]), st.floats(0, 1)),
    max_size=6,
)
steps = st.lists(
    st.tuples(
        happenings,
        st.sampled_from(["older", "older", "newer", "refresh", "look", "admit", "first", "last", "follow"]),
    ),
    max_size=25,
)


async def take(window: Window[Row], shop: Shop, step: str) -> None:
    if step == "older":
        await window.load_older(shop)
    elif step == "newer":
        await window.load_newer(shop)
    elif step == "refresh":
        await window.refresh(shop)
    elif step == "look" and len(window):
        middle = len(window) // 2
        await window.refresh(shop, window.ids[middle], window.ids[min(middle + 5, len(window) - 1)])
    elif step == "admit":
        window.admit()
    elif step == "first":
        await window.load_first(shop)
    elif step == "last":
        await window.load_last(shop)
    elif step == "follow":
        window.follow = not window.follow


def check(window: Window[Row], capacity: int) -> None:
    ids = list(window.ids)
    assert len(set(ids)) == len(ids), "a row twice"
    assert len(ids) <= capacity
    assert [window.index_of(row) for row in ids] == list(range(len(ids)))
    assert all(window.version(row) for row in ids)


@settings(max_examples=300)
@given(size=st.integers(0, 60), life=steps, capacity=st.integers(24, 40))
def test_whatever_happens_no_row_stands_twice_and_a_look_at_all_sets_it_right(
    size: int, life: list[tuple[list[tuple[str, float]], str]], capacity: int
) -> None:
    async def run() -> None:
        shop, window = shop_of(size), small(capacity=capacity)
        alive = Life(shop)
        await window.load_first(shop)
        for happened, step in life:
            for what, where in happened:
                alive.happen(what, where)
            await take(window, shop, step)
            check(window, capacity)
        # Quiet now: a look at everything that is held shows exactly the server's stretch.
        for _ in range(2):
            if len(window):
                await window.refresh(shop, window.ids[0], window.ids[-1])
            else:
                await window.refresh(shop)
        if window.pending and window.admit() is None:
            await window.load_first(shop)
        ids, now = list(window.ids), shop.ids()
        if ids:
            at = now.index(ids[0])
            assert ids == now[at : at + len(ids)]
            assert [window.row_at(at).text for at in range(len(ids))] == [
                row.text for row in shop.rows[at : at + len(ids)]
            ]
        assert window.has_older == bool(ids and ids[-1] != now[-1])
        if not window.has_newer:
            assert ids[:1] == now[:1]

    asyncio.run(run())


@settings(max_examples=150)
@given(
    size=st.integers(1, 60),
    inserts=st.lists(st.integers(0, 3), min_size=1, max_size=40),
    turn=st.integers(0, 12),
)
def test_under_inserts_at_the_top_what_is_held_has_no_gap_at_any_moment(
    size: int, inserts: list[int], turn: int
) -> None:
    async def run() -> None:
        shop, window = shop_of(size), small()
        alive = Life(shop)
        await window.load_first(shop)
        seen: set[str] = set()
        for number, arrivals in enumerate(inserts):
            for _ in range(arrivals):
                alive.happen("arrive", 0)
            await take(window, shop, "older" if number < turn else "newer")
            if number % 3 == 0:
                await window.refresh(shop)
            ids, now = list(window.ids), shop.ids()
            at = now.index(ids[0])
            assert ids == now[at : at + len(ids)]
            seen.update(ids)
        for _ in range(100):
            if not window.has_older:
                break
            await window.load_older(shop)
            seen.update(window.ids)
        assert shop.ids()[-1] == window.ids[-1]

    asyncio.run(run())


def test_reading_everything_while_rows_come_and_go_misses_none_that_stayed() -> None:
    async def run() -> None:
        shop, window = shop_of(120), small(capacity=400)
        alive = Life(shop)
        await window.load_first(shop)
        number = 0

        async def meanwhile() -> None:
            nonlocal number
            number += 1
            alive.happen("arrive", 0)
            alive.happen("late", (number * 7 % 10) / 10)

        shop.before_answer = meanwhile
        while window.has_older:
            await window.load_older(shop)
        shop.before_answer = None
        assert set(names(*range(1, 121))) <= set(window.ids)

    asyncio.run(run())
