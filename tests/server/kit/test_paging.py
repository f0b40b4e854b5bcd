"""Pages hang together: no gap, no repeat, whatever is inserted meanwhile; and cursors cannot be made up."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from server.audit.models import audit
from server.kit.db import Store
from server.kit.paging import Cursors, PageRequest, Position, Slice, keyset, load_cursors, slice_of
from server.kit.problems import ProblemError
from server.kit.tx import Tx

KEY = b"k" * 32


def add(store: Store, at: list[int]) -> list[str]:
    def unit(tx: Tx) -> list[str]:
        made = []
        for moment in at:
            made.append(tx.new_id())
            tx.execute(insert(audit).values(id=made[-1], action="x", metadata={}, inserted_at=moment))
        return made

    return store.write(unit)


def page(store: Store, request: PageRequest) -> Slice[tuple[int, str]]:
    statement = keyset(select(audit.c.inserted_at, audit.c.id), request, audit.c.inserted_at, audit.c.id)
    cut = store.read(lambda tx: slice_of(tx.execute(statement).all(), request))
    return Slice([(row.inserted_at, row.id) for row in cut.rows], cut.older, cut.newer)


def test_walking_down_gives_every_row_once_newest_first(store: Store) -> None:
    add(store, [5, 1, 3, 3, 3, 2, 5, 4])
    seen: list[tuple[int, str]] = []
    request = PageRequest(3)
    while True:
        cut = page(store, request)
        seen += cut.rows
        if not cut.older:
            break
        request = PageRequest(3, Position(*cut.rows[-1], "older"))
    assert len(seen) == 8
    assert seen == sorted(set(seen), reverse=True)


def test_rows_that_arrive_meanwhile_neither_shift_nor_repeat_a_page(store: Store) -> None:
    add(store, list(range(10)))
    first = page(store, PageRequest(4))
    add(store, [100, 5, 6])
    second = page(store, PageRequest(4, Position(*first.rows[-1], "older")))
    assert not set(first.rows) & set(second.rows)
    assert all(row < first.rows[-1] for row in second.rows)
    back = page(store, PageRequest(4, Position(*second.rows[0], "newer")))
    assert list(back.rows) == sorted(back.rows, reverse=True)
    assert all(row > second.rows[0] for row in back.rows)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 9])
def test_both_ends_are_told(store: Store, count: int) -> None:
    add(store, list(range(count)))
    newest = page(store, PageRequest(4))
    oldest = page(store, PageRequest(4, edge="oldest"))
    assert (newest.newer, newest.older) == (False, count > 4)
    assert (oldest.newer, oldest.older) == (count > 4, False)
    assert [at for at, _ in newest.rows] == sorted(range(count), reverse=True)[:4]
    assert [at for at, _ in oldest.rows] == sorted(range(min(count, 4)), reverse=True)


POSITIONS = st.builds(
    Position,
    st.integers(-(2**53), 2**53),
    st.text(string.printable, max_size=40),
    st.sampled_from(["older", "newer"]),
)


@given(POSITIONS, st.text(max_size=40))
def test_a_cursor_is_read_back_for_its_own_query(position: Position, query: str) -> None:
    cursors = Cursors(KEY)
    assert cursors.read(cursors.write(position, query), query) == position


@given(POSITIONS, st.text(max_size=20), st.text(max_size=20))
def test_a_cursor_of_another_query_is_refused(position: Position, one: str, other: str) -> None:
    cursors = Cursors(KEY)
    text = cursors.write(position, one)
    if one != other:
        with pytest.raises(ProblemError):
            cursors.read(text, other)


@given(POSITIONS, st.data())
def test_a_changed_cursor_is_refused(position: Position, data: st.DataObject) -> None:
    cursors = Cursors(KEY)
    raw = bytearray(base64.urlsafe_b64decode(cursors.write(position, "q") + "=="))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ProblemError) as caught:
        cursors.read(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="), "q")
    assert caught.value.code == "invalid_cursor"


@given(st.text(max_size=200))
def test_made_up_cursors_are_refused(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        Cursors(KEY).read(text, "q")
    assert (caught.value.status, caught.value.code) == (400, "invalid_cursor")


def test_the_key_belongs_to_the_store_and_stays(store: Store) -> None:
    position = Position(1, "a")
    text = store.write(load_cursors).write(position, "q")
    assert store.write(load_cursors).read(text, "q") == position
    with pytest.raises(ProblemError):
        Cursors(KEY).read(text, "q")
