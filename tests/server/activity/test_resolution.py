"""Resolving and opening again: what may be, what stays, and what arrived meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from server.activity import service as activity
from server.activity import standing
from server.activity.models import activity as entry_table
from server.activity.service import FeedQuery
from server.contract.activity import Resolved
from server.kit import topics
from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from tests.server.activity.making import OWNER, START, caller, feed, make_order, messages, told
from tests.server.conftest import Staff


def resolve(
    store: Store,
    entry_id: str,
    *,
    group: bool = False,
    seen: str | None = None,
    ids: list[str] | None = None,
    by: str = "ann",
) -> Resolved:
    return store.write(
        lambda tx: activity.resolve(tx, entry_id, caller=caller(user_id=by), group=group, seen=seen, ids=ids)
    )


def reopen(store: Store, entry_id: str, *, group: bool = False, seen: str | None = None) -> Resolved:
    return store.write(lambda tx: activity.reopen(tx, entry_id, caller=OWNER, group=group, seen=seen))


def fact(store: Store, entry_id: str) -> tuple[int | None, str | None]:
    row = store.read(
        lambda tx: tx.execute(
            select(entry_table.c.resolved_at, entry_table.c.resolved_by).where(entry_table.c.id == entry_id)
        ).one()
    )
    return row.resolved_at, row.resolved_by


def test_a_resolved_entry_leaves_needs_attention_and_stays_in_all(store: Store, staff: Staff) -> None:
    entry_id = told(store, "sync.failed")
    told(store, "email.bounced", params={"kind": "hard"})
    found = resolve(store, entry_id, by=staff.users["support"])
    assert (found.count, found.ids) == (1, [entry_id])
    assert found.entry is not None
    assert found.entry.resolved_at is not None
    assert found.entry.resolved_by == "support@example.com"
    assert [(state.name, state.allowed, state.reason) for state in found.entry.actions] == [
        ("resolve", False, "already_resolved"),
        ("reopen", True, None),
    ]
    assert [entry.type for entry in feed(store, FeedQuery("attention"))] == ["email.bounced"]
    assert store.read(activity.attention_count) == 1
    assert len(feed(store)) == 2


def test_the_first_resolve_is_kept_and_a_second_is_harmless(store: Store, clock: FrozenClock) -> None:
    entry_id = told(store, "sync.failed")
    resolve(store, entry_id, by="ann")
    before = store.read(topics.counters)
    clock.advance(MINUTE)
    found = resolve(store, entry_id, by="bob")
    assert (found.count, found.ids) == (0, [])
    assert found.entry is not None
    assert fact(store, entry_id) == (START, "ann")
    assert store.read(topics.counters) == before


def test_what_is_no_problem_cannot_be_resolved(store: Store) -> None:
    entry_id = told(store, "order.delivered")
    for act in (resolve, reopen):
        with pytest.raises(ProblemError) as refused:
            act(store, entry_id)
        assert (refused.value.status, refused.value.code) == (409, "not_resolvable")


def test_an_unknown_entry_is_not_found(store: Store) -> None:
    for act in (resolve, reopen):
        with pytest.raises(ProblemError) as refused:
            act(store, "nothing")
        assert (refused.value.status, refused.value.code) == (404, "not_found")


def test_opening_again_forgets_who_and_when(store: Store) -> None:
    entry_id = told(store, "sync.failed")
    resolve(store, entry_id)
    found = reopen(store, entry_id)
    assert (found.count, found.ids) == (1, [entry_id])
    assert fact(store, entry_id) == (None, None)
    assert reopen(store, entry_id).count == 0
    assert resolve(store, entry_id, by="bob").count == 1
    assert fact(store, entry_id) == (START, "bob")


def test_a_group_is_resolved_as_far_as_it_was_seen(store: Store) -> None:
    first = told(store, "sync.failed")
    seen = feed(store, FeedQuery("attention"))[0].group.seen
    second = told(store, "sync.failed", occurred_at=START - MINUTE)
    found = resolve(store, first, group=True, seen=seen)
    assert found.ids == [first]
    assert [entry.id for entry in feed(store, FeedQuery("attention"))] == [second]


def test_without_a_word_about_what_was_seen_the_entry_itself_is_the_last(store: Store) -> None:
    first, second, third = (told(store, "sync.failed") for _ in range(3))
    assert resolve(store, second, group=True).ids == [first, second]
    assert [entry.id for entry in feed(store, FeedQuery("attention"))] == [third]


def test_the_rest_of_a_group_can_go_after_one_of_it_did(store: Store) -> None:
    first, second = (told(store, "sync.failed") for _ in range(2))
    resolve(store, first)
    assert resolve(store, first, group=True, seen=second).ids == [second]


def test_those_that_were_shown_of_a_group_and_no_others(store: Store) -> None:
    first, hidden, third, late = (told(store, "sync.failed") for _ in range(4))
    other = told(store, "job.exhausted")
    found = resolve(store, third, group=True, seen=third, ids=[third, first, late, other, "nothing"])
    assert found.ids == [first, third], "neither what was hidden, nor what came later, nor another problem"
    still = feed(store, FeedQuery("attention", folded=False))
    assert {entry.id for entry in still} == {hidden, late, other}
    assert reopen(store, third, group=True).ids == [first, third]


def test_exactly_these_whatever_they_are_about(store: Store) -> None:
    problem, other, quiet = (
        told(store, kind) for kind in ("sync.failed", "job.exhausted", "order.delivered")
    )
    more = told(store, "sync.failed")
    found = resolve(store, problem, ids=[other, quiet, "nothing", problem, problem])
    assert found.ids == [problem, other]
    assert [entry.id for entry in feed(store, FeedQuery("attention"))] == [more]
    assert reopen(store, other, group=True).ids == [problem, other]


def test_none_at_all_of_a_group(store: Store) -> None:
    entry_id = told(store, "sync.failed")
    assert resolve(store, entry_id, group=True, ids=[]).count == 0
    assert resolve(store, entry_id, ids=[]).count == 0


def test_what_was_seen_must_be_of_the_group(store: Store) -> None:
    entry_id = told(store, "sync.failed")
    other = told(store, "job.exhausted")
    with pytest.raises(ProblemError) as refused:
        resolve(store, entry_id, group=True, seen=other)
    assert refused.value.code == "invalid_request"
    with pytest.raises(ProblemError) as refused:
        resolve(store, entry_id, group=True, seen="nothing")
    assert refused.value.code == "not_found"
    assert store.read(activity.attention_count) == 2


def test_all_of_an_order_and_of_no_other(store: Store) -> None:
    def unit(tx: Tx) -> list[str]:
        first, _ = make_order(tx, "SS-1")
        second, _ = make_order(tx, "SS-2", "zoe@example.com")
        for order_id in (first, second, None):
            activity.log(tx, "order.submission_failed", order_id=order_id)
            activity.log(tx, "order.cancelled", order_id=order_id)
            activity.log(tx, "order.delivered", order_id=order_id)
        return [first, second]

    first, second = store.write(unit)
    found = store.write(lambda tx: activity.resolve_order(tx, "ss-1", OWNER))
    assert (found.count, found.entry) == (2, None)
    open_orders = [
        entry.order.number if entry.order else None
        for entry in feed(store, FeedQuery("attention", folded=False))
    ]
    assert sorted(open_orders, key=str) == [None, None, "SS-2", "SS-2"]
    assert store.write(lambda tx: activity.resolve_order(tx, first, OWNER)).count == 0
    with pytest.raises(ProblemError) as refused:
        store.write(lambda tx: activity.resolve_order(tx, "SS-3", OWNER))
    assert refused.value.code == "not_found"
    assert store.write(lambda tx: activity.reopen(tx, found.ids[0], caller=OWNER, ids=found.ids)).count == 2
    assert store.read(lambda tx: activity.attention_by_order(tx, [first, second])) == {first: 2, second: 2}


def test_undo_by_ids_leaves_out_what_is_gone_or_no_problem(store: Store) -> None:
    problem, quiet = told(store, "sync.failed"), told(store, "order.delivered")
    resolve(store, problem)
    found = store.write(
        lambda tx: activity.reopen(tx, problem, caller=OWNER, ids=[problem, quiet, "nothing", problem])
    )
    assert found.ids == [problem]


def test_undoing_an_act_as_far_as_it_was_seen(store: Store) -> None:
    first, second, third = (told(store, "sync.failed") for _ in range(3))
    resolve(store, first, group=True, seen=third)
    assert reopen(store, first, group=True, seen=second).ids == [first, second]


def test_undo_opens_what_its_own_act_resolved_and_nothing_else(store: Store) -> None:
    """Two acts in one group, by one person, in the same millisecond."""
    first, second, third = (told(store, "sync.failed") for _ in range(3))
    resolve(store, first)
    resolve(store, third, group=True)
    assert reopen(store, second, group=True).ids == [second, third]
    assert [entry.id for entry in feed(store, FeedQuery("attention", folded=False))] == [third, second]
    assert reopen(store, first, group=True).ids == [first]


def test_counters_move_for_the_lists_that_show_it(store: Store) -> None:
    def unit(tx: Tx) -> str:
        order_id, _ = make_order(tx)
        found = activity.log(tx, "order.cancelled", order_id=order_id)
        assert found is not None
        return found

    with_order, without = store.write(unit), told(store, "sync.failed")
    before = store.read(topics.counters)
    resolve(store, without)
    after = store.read(topics.counters)
    assert (after["activity"], after.get("orders")) == (before["activity"] + 1, before.get("orders"))
    resolve(store, with_order)
    assert store.read(topics.counters)["orders"] == 1


def test_two_people_at_once_resolve_once(store: Store) -> None:
    entry_id = told(store, "sync.failed")
    found: list[int] = []
    begin = threading.Barrier(6)

    def act(who: str) -> None:
        begin.wait()
        found.append(resolve(store, entry_id, group=True, by=who).count)

    threads = [threading.Thread(target=act, args=(f"user-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 0, 0, 0, 0, 1]
    assert messages(store, FeedQuery("attention")) == []


def test_who_resolves_what_is_over_in_the_same_moment_is_kept(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL somebody may resolve an entry between its being found and its being resolved by itself."""
    theirs, other = (
        told(store, "sync.failed", params={"provider": "Printify"}, texts={"reason": why}) for why in "ab"
    )
    find = standing._about

    def found_and_resolved(tx: Tx, *asked: Any) -> list[str]:
        found = find(tx, *asked)
        assert set(found) == {theirs, other}
        activity.resolve(tx, theirs, caller=caller(user_id="ann"))
        clock.advance(MINUTE)
        return found

    monkeypatch.setattr(standing, "_about", found_and_resolved)
    store.write(lambda tx: standing.over(tx, "sync.failed", {"provider": "Printify"}))
    assert fact(store, theirs)[1] == "ann"
    assert fact(store, other)[0] is not None
    assert fact(store, other)[1] is None
