"""Pages of the feed while others write: no gap, no repeat, both ways, from either end."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete

from server.activity import service as activity
from server.activity.feed import FeedPage, place
from server.activity.models import activity as entry_table
from server.activity.service import FeedQuery
from server.kit.db import Store
from server.kit.paging import PageRequest, Position
from tests.server.activity.making import OWNER, START, told


def read(store: Store, query: FeedQuery, request: PageRequest) -> FeedPage:
    return store.read(lambda tx: activity.feed(tx, query, request, OWNER))


def ids(page: FeedPage) -> list[str]:
    return [row[0] for row in page.rows.rows]


class Reading(RuleBasedStateMachine):
    """Somebody pages up and down while entries come in anywhere in time and old ones are pruned."""

    store: Store
    query: FeedQuery

    def __init__(self) -> None:
        super().__init__()
        self.store.write(lambda tx: tx.execute(delete(entry_table)).close())
        self.all: list[tuple[int, str]] = []  # what stands, by place
        self.window: list[tuple[int, str]] = []  # what the reader has, newest first
        self.began = False

    @initialize(entries=st.lists(st.integers(0, 8), min_size=0, max_size=10))
    def some_are_there(self, entries: list[int]) -> None:
        for at in entries:
            self.arrives(at)

    @rule(at=st.integers(0, 8))
    def arrives(self, at: int) -> None:
        entry_id = told(self.store, "order.delivered", occurred_at=START - 100 + at)
        self.all.append((START - 100 + at, entry_id))

    @rule(data=st.data())
    def is_pruned(self, data: st.DataObject) -> None:
        if self.all:
            gone = data.draw(st.sampled_from(self.all))
            self.store.write(
                lambda tx: tx.execute(delete(entry_table).where(entry_table.c.id == gone[1])).close()
            )
            self.all.remove(gone)

    @rule(limit=st.integers(1, 4), edge=st.sampled_from(["newest", "oldest"]))
    def begins(self, limit: int, edge: str) -> None:
        page = read(
            self.store, self.query, PageRequest(limit, edge="oldest" if edge == "oldest" else "newest")
        )
        self.window = [place(row) for row in page.rows.rows]
        self.began = True
        ordered = sorted(self.all, reverse=True)
        assert self.window == (ordered[:limit] if edge == "newest" else ordered[-limit:])
        beyond = page.rows.older if edge == "newest" else page.rows.newer
        assert beyond is (len(self.all) > limit)

    @rule(limit=st.integers(1, 4))
    def goes_on_to_older(self, limit: int) -> None:
        if not self.window:
            return
        end = self.window[-1]
        page = read(self.store, self.query, PageRequest(limit, Position(*end, "older")))
        found = [place(row) for row in page.rows.rows]
        older = sorted((entry for entry in self.all if entry < end), reverse=True)
        assert found == older[:limit]
        assert page.rows.older is (len(older) > limit)
        self.window += found

    @rule(limit=st.integers(1, 4))
    def goes_on_to_newer(self, limit: int) -> None:
        if not self.window:
            return
        end = self.window[0]
        page = read(self.store, self.query, PageRequest(limit, Position(*end, "newer")))
        found = [place(row) for row in page.rows.rows]
        newer = sorted(entry for entry in self.all if entry > end)
        assert found == list(reversed(newer[:limit]))
        assert page.rows.newer is (len(newer) > limit)
        self.window = found + self.window

    @invariant()
    def nothing_twice_and_in_order(self) -> None:
        assert self.window == sorted(set(self.window), reverse=True)


@pytest.mark.parametrize(
    "query", [FeedQuery(), FeedQuery(category="orders", folded=True), FeedQuery(q="delivered")]
)
def test_no_gap_and_no_repeat(store: Store, query: FeedQuery, monkeypatch: pytest.MonkeyPatch) -> None:
    if query.q:
        monkeypatch.setattr("server.activity.search.WINDOW", 2)
        monkeypatch.setattr("server.activity.search._FIRST_CHUNK", 1)
    machine = type("Machine", (Reading,), {"store": store, "query": query})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25 if store.dialect == "sqlite" else 8,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_page_holds_what_is_asked_for(store: Store) -> None:
    for number in range(7):
        told(store, "order.delivered", occurred_at=START - number)
    page = read(store, FeedQuery(), PageRequest(3))
    assert len(ids(page)) == len(page.entries) == 3
    assert (page.rows.older, page.rows.newer) == (True, False)
