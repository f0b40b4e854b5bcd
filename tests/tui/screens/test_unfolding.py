"""Groups unfolded in place: every line has one index and one name, and both lead to each other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from server.contract.activity import Actor, Entry, Group
from server.contract.base import Page
from tui.api.window import Direction, Edge, Window
from tui.screens.unfolding import Row, Unfolding, entry_id, row_id

NOON = datetime(2026, 2, 23, 12, tzinfo=UTC)


def entry(number: int, *, level: str = "error", key: str | None = None, count: int = 1) -> Entry:
    return Entry(
        id=f"e{number}",
        type="sync.failed",
        label="Sync failed",
        level=cast("object", level),  # type: ignore[arg-type]
        category="syncs",
        message=f"number {number}",
        actor=Actor(kind="system"),
        occurred_at=NOON,
        inserted_at=NOON,
        group=Group(key=key or f"k{number}", count=count, first_at=NOON, last_at=NOON),
        facts={},
        actions=[],
    )


class Fixed:
    """One page."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries

    async def fetch(self, cursor: str | None, direction: Direction, limit: int, edge: Edge) -> Page[Entry]:
        return Page(items=self.entries)


def window_of(entries: list[Entry]) -> Window[Entry]:
    window: Window[Entry] = Window(identity=entry_id)
    loading = window.load_first(Fixed(entries))
    try:
        loading.send(None)
    except StopIteration:
        return window
    raise AssertionError("it waits for something")


def names(rows: Unfolding) -> list[str]:
    return [row_id(rows.row_at(at)) for at in range(len(rows))]


def test_members_stand_below_the_row_that_speaks_for_them() -> None:
    rows = Unfolding(window_of([entry(3), entry(2, count=3), entry(1, level="info")]))
    rows.unfold("group:k2", [entry(21, key="k2"), entry(20, key="k2")])
    assert names(rows) == ["group:k3", "group:k2", "member:e21", "member:e20", "e1"]
    assert [rows.row_at(at).last for at in range(5)] == [False, False, False, True, False]
    assert rows.fold("group:k2")
    assert names(rows) == ["group:k3", "group:k2", "e1"]
    assert not rows.fold("group:k2")


def test_a_group_that_left_the_window_is_folded() -> None:
    window = window_of([entry(3), entry(2, count=2), entry(1)])
    rows = Unfolding(window)
    rows.unfold("group:k2", [entry(20, key="k2")])
    window.remove(["group:k2"])
    rows.lay()
    assert names(rows) == ["group:k3", "group:k1"]
    assert rows.unfolded == []


def test_an_open_entry_goes_by_its_groups_key_and_others_by_their_own_id() -> None:
    assert entry_id(entry(1, key="same")) == entry_id(entry(2, key="same", count=2)) == "group:same"
    assert entry_id(entry(1, level="info")) == "e1"
    assert entry_id(entry(1).model_copy(update={"resolved_at": NOON})) == "e1"


@given(
    rows=st.integers(0, 12),
    unfolded=st.dictionaries(st.integers(0, 14), st.integers(0, 4), max_size=6),
)
def test_indexes_and_names_lead_to_each_other(rows: int, unfolded: dict[int, int]) -> None:
    source = Unfolding(window_of([entry(number) for number in range(rows)]))
    for number, members in unfolded.items():
        source.unfold(f"group:k{number}", [entry(100 * (number + 1) + at) for at in range(members)])
    assert len(source) == rows + sum(count for number, count in unfolded.items() if number < rows)
    for at in range(len(source)):
        assert source.index_of(row_id(source.row_at(at))) == at
    assert source.index_of("member:nobody") is None
    assert len(set(names(source))) == len(source)


def test_a_row_knows_whether_it_is_a_member() -> None:
    assert row_id(Row(entry(1))) != row_id(Row(entry(1), member=True))
