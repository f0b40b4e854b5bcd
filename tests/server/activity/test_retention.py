"""Pruning: by when an entry was recorded, to the second; no problem is lost; search forgets what is gone."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from server.activity import retention
from server.activity import service as activity
from server.activity.models import activity_text
from server.activity.service import FeedQuery
from server.kit import topics
from server.kit.clock import DAY, HOUR, SECOND, FrozenClock
from server.kit.db import Store
from server.kit.tx import Tx
from tests.server.activity.making import OWNER, START, feed, messages, told


def test_exactly_90_days_are_kept_and_a_second_more_is_gone(store: Store, clock: FrozenClock) -> None:
    told(store, "order.shipped", params={"carrier": "old"})
    clock.advance(SECOND)
    told(store, "order.shipped", params={"carrier": "exact"})
    clock.advance(90 * DAY)
    assert activity.prune(store, 90) == 1
    assert messages(store) == ["Shipped via exact"]
    assert activity.prune(store, 90) == 0


def test_a_late_event_is_as_new_as_its_telling(store: Store, clock: FrozenClock) -> None:
    clock.advance(100 * DAY)
    told(store, "order.shipped", occurred_at=START)
    assert activity.prune(store, 90) == 0
    clock.advance(91 * DAY)
    assert activity.prune(store, 90) == 1


def test_an_open_problem_stays_until_somebody_resolves_it(store: Store, clock: FrozenClock) -> None:
    failed = told(store, "sync.failed", texts={"reason": "quota"})
    bounced = told(store, "email.bounced")
    told(store, "order.delivered")
    clock.advance(400 * DAY)
    assert activity.prune(store, 90) == 1
    assert {entry.id for entry in feed(store, FeedQuery("attention"))} == {failed, bounced}
    store.write(lambda tx: activity.resolve(tx, failed, caller=OWNER))
    assert activity.prune(store, 90) == 1
    assert [entry.id for entry in feed(store)] == [bounced]


def test_texts_and_search_go_with_their_entry(store: Store, clock: FrozenClock) -> None:
    told(store, "custom.note", texts={"message": "pelican"})
    clock.advance(HOUR)
    told(store, "custom.note", texts={"message": "heron"})
    clock.advance(90 * DAY)
    assert activity.prune(store, 90) == 1
    assert store.read(lambda tx: list(tx.execute(select(activity_text.c.value)).scalars())) == ["heron"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("server.activity.search.WINDOW", 0)
        assert messages(store, FeedQuery(q="pelican")) == []
        assert messages(store, FeedQuery(q="heron")) == ["heron"]


def test_many_go_in_batches_past_the_open_ones(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)

    def unit(tx: Tx) -> None:
        for number in range(95):
            activity.log(tx, "sync.failed" if number < 15 else "order.delivered")

    store.write(unit)
    clock.advance(91 * DAY)
    before = store.read(topics.counters)["activity"]
    assert activity.prune(store, 90) == 80
    assert store.read(topics.counters)["activity"] == before + 8
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(activity_text)).scalar()) == 0
    assert len(feed(store)) == 15


def test_somebody_opens_an_entry_while_it_is_being_pruned(store: Store, clock: FrozenClock) -> None:
    entry_id = told(store, "sync.failed")
    store.write(lambda tx: activity.resolve(tx, entry_id, caller=OWNER))
    clock.advance(91 * DAY)

    def between(tx: Tx) -> int:
        old = retention._OLD.rows(tx, before=clock.now(), at=0, seq_=0, many=10)
        activity.reopen(tx, entry_id, caller=OWNER)
        return len(retention._DELETE.rows(tx, seqs=[seq for _, seq in old]))

    assert store.write(between) == 0
    assert len(feed(store)) == 1


@pytest.mark.parametrize("days", [0, -1])
def test_less_than_a_day_is_not_kept(store: Store, days: int) -> None:
    with pytest.raises(ValueError, match="day"):
        activity.prune(store, days)
