"""Folding and resolving while problems keep arriving, in every order of doing that a machine can think of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from server.activity import service as activity
from server.activity.models import activity as entry_table
from server.activity.models import activity_text
from server.activity.service import FeedQuery
from server.contract.activity import Entry
from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.paging import PageRequest
from server.orders.models import order
from tests.server.activity.making import OWNER, START, caller, entries, feed, make_order

ORDERS = ("SS-1", "SS-2")
PROVIDERS = ("Printify", "Printful")


@dataclass
class Problem:
    """What the model knows of one entry."""

    id: str
    group: str
    order: str
    at: int
    recorded: int
    resolved: tuple[int, int, str] | None = None  # the act, when, by whom


@dataclass(frozen=True)
class Seen:
    """A group as somebody has it on the screen."""

    entry: Entry
    members: frozenset[str]


class Desk(RuleBasedStateMachine):
    """Problems arrive; two people look, resolve what they saw, and undo."""

    store: Store
    clock: FrozenClock
    seen = Bundle("seen")
    acts = Bundle("acts")

    def __init__(self) -> None:
        super().__init__()
        self.problems: dict[str, Problem] = {}
        self.act = 0

        def empty(tx: Any) -> dict[str, str]:
            for table in (activity_text, entry_table, order):
                tx.execute(delete(table))
            return {number: make_order(tx, number)[0] for number in ORDERS}

        self.orders: dict[str, str] = self.store.write(empty)

    # -- what happens

    @rule(
        provider=st.sampled_from(PROVIDERS),
        number=st.sampled_from(ORDERS),
        late=st.integers(0, 3),
        quiet=st.booleans(),
    )
    def happens(self, provider: str, number: str, late: int, quiet: bool) -> None:
        name = "order.submitted" if quiet else "order.submission_failed"

        def unit(tx: Any) -> str | None:
            return activity.log(
                tx,
                name,
                order_id=self.orders[number],
                params={"provider": provider},
                occurred_at=self.clock.now() - late * 1000,
            )

        entry_id = self.store.write(unit)
        assert entry_id is not None
        if not quiet:
            self.problems[entry_id] = Problem(
                entry_id, provider, number, self.clock.now() - late * 1000, len(self.problems)
            )

    @rule()
    def time_passes(self) -> None:
        self.clock.advance(700)

    # -- what people do

    @rule(target=seen)
    def looks(self) -> Any:
        shown = feed(self.store, FeedQuery("attention"))
        return multiple(
            *(
                Seen(entry, frozenset(one.id for one in self.open(self.problems[entry.id].group)))
                for entry in shown
            )
        )

    @rule(target=acts, what=seen, who=st.sampled_from(["ann", "bob"]))
    def resolves_what_was_seen(self, what: Seen, who: str) -> Any:
        entry = what.entry
        found = self.store.write(
            lambda tx: activity.resolve(
                tx, entry.id, caller=caller(user_id=who), group=True, seen=entry.group.seen
            )
        )
        expected = {entry_id for entry_id in what.members if self.problems[entry_id].resolved is None}
        # What was resolved and opened again meanwhile is older than what was seen: it goes too.
        last = max(self.problems[entry_id].recorded for entry_id in what.members)
        expected |= {one.id for one in self.open(self.problems[entry.id].group) if one.recorded <= last}
        self.resolved(found.ids, found.count, expected, who)
        return multiple(tuple(found.ids)) if found.ids else multiple()

    @rule(target=acts, what=seen, who=st.sampled_from(["ann", "bob"]))
    def resolves_one(self, what: Seen, who: str) -> Any:
        found = self.store.write(lambda tx: activity.resolve(tx, what.entry.id, caller=caller(user_id=who)))
        expected = {what.entry.id} if self.problems[what.entry.id].resolved is None else set()
        self.resolved(found.ids, found.count, expected, who)
        return multiple(tuple(found.ids)) if found.ids else multiple()

    @rule(target=acts, number=st.sampled_from(ORDERS))
    def resolves_an_order(self, number: str) -> Any:
        found = self.store.write(lambda tx: activity.resolve_order(tx, number, caller(user_id="ann")))
        expected = {one.id for one in self.problems.values() if one.order == number and one.resolved is None}
        self.resolved(found.ids, found.count, expected, "ann")
        return multiple(tuple(found.ids)) if found.ids else multiple()

    @rule(act=acts)
    def undoes_by_ids(self, act: tuple[str, ...]) -> None:
        found = self.store.write(lambda tx: activity.reopen(tx, act[0], caller=OWNER, ids=list(act)))
        self.reopened(found.ids, found.count, {one for one in act if self.problems[one].resolved is not None})

    @rule(act=acts)
    def undoes_the_act(self, act: tuple[str, ...]) -> None:
        was = self.problems[act[0]].resolved
        found = self.store.write(lambda tx: activity.reopen(tx, act[0], caller=OWNER, group=True))
        expected = {one.id for one in self.problems.values() if was is not None and one.resolved == was}
        self.reopened(found.ids, found.count, expected)

    @precondition(lambda self: self.problems)
    @rule(data=st.data())
    def opens_one(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(sorted(self.problems)))
        found = self.store.write(lambda tx: activity.reopen(tx, one, caller=OWNER))
        self.reopened(found.ids, found.count, {one} if self.problems[one].resolved is not None else set())

    # -- what must be so

    def open(self, group: str | None = None) -> list[Problem]:
        return [one for one in self.problems.values() if one.resolved is None and group in (None, one.group)]

    def resolved(self, ids: list[str], count: int, expected: set[str], who: str) -> None:
        assert set(ids) == expected
        assert count == len(ids) == len(expected)
        self.act += 1
        for entry_id in ids:
            self.problems[entry_id].resolved = (self.act, self.clock.now(), who)

    def reopened(self, ids: list[str], count: int, expected: set[str]) -> None:
        assert set(ids) == expected
        assert count == len(expected)
        for entry_id in ids:
            self.problems[entry_id].resolved = None

    @invariant()
    def exactly_the_open_ones_need_attention(self) -> None:
        unfolded = feed(self.store, FeedQuery("attention", folded=False), PageRequest(200))
        assert {entry.id for entry in unfolded} == {one.id for one in self.open()}
        assert self.store.read(activity.attention_count) == len({one.group for one in self.open()})
        by_order = self.store.read(lambda tx: activity.attention_by_order(tx, list(self.orders.values())))
        for number, order_id in self.orders.items():
            assert by_order.get(order_id, 0) == sum(one.order == number for one in self.open())

    @invariant()
    def the_resolved_keep_when_and_by_whom(self) -> None:
        shown = feed(self.store, FeedQuery(level="error"), PageRequest(200))
        assert {entry.id for entry in shown} == set(self.problems)
        for entry in shown:
            was = self.problems[entry.id].resolved
            assert (entry.resolved_at is not None) is (was is not None)
            if was is not None and entry.resolved_at is not None:
                assert int(entry.resolved_at.timestamp() * 1000 + 0.5) == was[1]

    @invariant()
    def each_group_is_one_entry_with_its_count(self) -> None:
        for query in (FeedQuery("attention"), FeedQuery(folded=True, level="error")):
            shown = [
                entry for entry in feed(self.store, query, PageRequest(200)) if entry.resolved_at is None
            ]
            assert len(shown) == len({one.group for one in self.open()})
            for entry in shown:
                members = self.open(self.problems[entry.id].group)
                assert entry.group.count == len(members)
                assert entry.group.orders == len({one.order for one in members})
                assert entry.id == max(members, key=lambda one: (one.at, one.id)).id
                assert entry.group.seen == max(members, key=lambda one: one.recorded).id
                assert int(entry.group.first_at.timestamp() * 1000 + 0.5) == min(one.at for one in members)

    @invariant()
    def every_member_stands_on_its_own_timeline(self) -> None:
        for number, order_id in self.orders.items():
            told = self.store.read(lambda tx, order_id=order_id: activity.timeline(tx, order_id, OWNER))  # type: ignore[misc]
            problems = [entry.id for entry in entries(told) if entry.level == "error"]
            expected = [one for one in self.problems.values() if one.order == number]
            expected.sort(key=lambda one: (one.at, one.recorded))
            assert problems == [one.id for one in expected]


def test_nothing_unseen_is_resolved_and_nothing_comes_back_by_itself(
    store: Store, clock: FrozenClock
) -> None:
    machine = type("Machine", (Desk,), {"store": store, "clock": clock})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25 if store.dialect == "sqlite" else 6,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("members", [600])
def test_a_large_group_is_one_row_and_is_undone_as_a_whole(store: Store, members: int) -> None:
    def unit(tx: Any) -> None:
        for number in range(members):
            activity.log(tx, "sync.failed", occurred_at=START - number)

    store.write(unit)
    (entry,) = feed(store, FeedQuery("attention"))
    assert (entry.group.count, store.read(activity.attention_count)) == (members, 1)
    found = store.write(
        lambda tx: activity.resolve(tx, entry.id, caller=OWNER, group=True, seen=entry.group.seen)
    )
    assert (found.count, len(found.ids)) == (members, 500)
    assert feed(store, FeedQuery("attention")) == []
    undone = store.write(lambda tx: activity.reopen(tx, entry.id, caller=OWNER, group=True))
    assert (undone.count, len(undone.ids)) == (members, 500)
    assert feed(store, FeedQuery("attention"))[0].group.count == members
