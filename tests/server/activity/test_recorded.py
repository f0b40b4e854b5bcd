"""The log in the order in which it was recorded: nothing twice for who remembers, nothing lost."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from server.activity import service as activity
from server.kit.db import Store
from server.kit.tx import Tx
from tests.server.activity.making import START, told
from tests.server.conftest import Staff


class Follower:
    """Somebody who reads on from where the last answer said, and remembers what the last look gave."""

    def __init__(self, http: httpx.Client, staff: Staff, **query: Any) -> None:
        self.http, self.headers, self.query = http, staff.bearer("owner"), query
        self.seen: set[str] = set()
        begun = self.ask(limit=3)
        self.resume: str = begun["resume"]
        self.seen = {entry["id"] for entry in begun["items"]}

    def ask(self, **params: Any) -> Any:
        answered = self.http.get("/v1/activity/recorded", params=self.query | params, headers=self.headers)
        assert answered.status_code == 200, answered.text
        return answered.json()

    def look(self) -> list[str]:
        """The ids of what is new."""
        new: list[str] = []
        here: set[str] = set()
        cursor: str | None = self.resume
        settled, resume = True, self.resume
        while cursor is not None:
            page = self.ask(cursor=cursor, limit=2)
            new += [entry["id"] for entry in page["items"] if entry["id"] not in self.seen | set(new)]
            here |= {entry["id"] for entry in page["items"]}
            if settled:
                resume, settled = page["resume"], page["resume"] == page["next"]
            cursor = page["next"]
        self.seen, self.resume = here, resume
        return new


@pytest.fixture
def follower(http: httpx.Client, staff: Staff) -> Follower:
    return Follower(http, staff, internal="true")


def test_everything_comes_once_in_the_order_of_recording(store: Store, follower: Follower) -> None:
    assert follower.look() == []
    first = [told(store, "order.delivered", occurred_at=START - 1000 * late) for late in (0, 5, 2, 9, 1)]
    assert follower.look() == first
    assert follower.look() == []
    second = [told(store, "order.delivered", occurred_at=START - 90_000_000)]
    assert follower.look() == second


def test_the_newest_of_it_are_there_at_the_beginning(store: Store, http: httpx.Client, staff: Staff) -> None:
    ids = [told(store, "order.delivered", occurred_at=START - at) for at in range(5)]
    page = Follower(http, staff).ask(limit=3)
    assert [entry["id"] for entry in page["items"]] == ids[-3:]
    assert page["next"] is None
    page = Follower(http, staff).ask(limit=3, edge="oldest")
    assert [entry["id"] for entry in page["items"]] == ids[:3]
    assert page["next"] is not None


def test_it_is_narrowed_as_the_feed_is(store: Store, http: httpx.Client, staff: Staff) -> None:
    warnings = Follower(http, staff, level="warning")
    emails = Follower(http, staff, category="emails")
    told(store, "order.delivered")
    bounced = told(store, "email.bounced", params={"reason": "full"})
    cancelled = told(store, "order.cancelled")
    assert emails.look() == [bounced]
    assert warnings.look() == [bounced, cancelled]


def test_a_cursor_belongs_to_its_list(http: httpx.Client, staff: Staff, follower: Follower) -> None:
    for path, query in (("/v1/activity", {}), ("/v1/activity/recorded", {"level": "error"})):
        answered = http.get(path, params=query | {"cursor": follower.resume}, headers=staff.bearer("owner"))
        assert (answered.status_code, answered.json()["code"]) == (400, "invalid_cursor")


def test_what_is_committed_after_a_later_one_is_not_lost(store: Store, follower: Follower) -> None:
    if store.dialect == "sqlite":
        pytest.skip("one transaction writes at a time")
    drawn, go_on = threading.Event(), threading.Event()
    slow: list[str | None] = []

    def linger(tx: Tx) -> None:
        slow.append(activity.log(tx, "order.delivered", identity=("slow",)))
        drawn.set()
        assert go_on.wait(20)

    thread = threading.Thread(target=lambda: store.write(linger))
    thread.start()
    try:
        assert drawn.wait(20)
        quick = [told(store, "order.shipped", params={"provider": "Printify"}) for _ in range(5)]
        assert follower.look() == quick
        assert follower.look() == []
    finally:
        go_on.set()
        thread.join(20)
    assert follower.look() == slow
    assert follower.look() == []
    last = told(store, "order.delivered")
    assert follower.look() == [last]


def test_many_writers_at_once(store: Store, follower: Follower) -> None:
    made: list[list[str]] = [[] for _ in range(4)]

    def write(mine: list[str]) -> None:
        mine += [told(store, "order.delivered") for _ in range(25)]

    threads = [threading.Thread(target=write, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    seen: list[str] = []
    while any(thread.is_alive() for thread in threads):
        seen += follower.look()
    for thread in threads:
        thread.join()
    seen += follower.look()
    assert sorted(seen) == sorted(entry for mine in made for entry in mine)
    assert len(set(seen)) == len(seen)
    for mine in made:
        assert [entry for entry in seen if entry in set(mine)] == mine
