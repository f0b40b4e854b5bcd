"""Dropped entries are counted, and each is told in exactly one gap."""

from __future__ import annotations

from server.kit.drops import Drops


def test_what_comes_while_a_gap_is_being_told_belongs_to_the_next() -> None:
    drops = Drops()
    drops.add([("full", "a"), ("locked", "b")], 100)
    first = drops.gap()
    assert first is not None
    assert (first.after, first.count, first.first_at, first.last_at) == (0, 2, 100, 100)
    drops.add([("full", "c")] * 3, 300)
    drops.told(first)
    second = drops.gap()
    assert second is not None
    assert (second.after, second.count, second.first_at, second.last_at) == (2, 3, 100, 300)
    drops.told(second)
    assert drops.gap() is None
    assert (drops.total, drops.by_reason()) == (5, {"full": 4, "locked": 1})


def test_a_gap_told_twice_counts_once() -> None:
    drops = Drops()
    drops.add([("full", "a")], 100)
    gap = drops.gap()
    assert gap is not None
    drops.add([("full", "a")], 200)
    drops.told(gap)
    drops.told(gap)
    rest = drops.gap()
    assert rest is not None
    assert rest.count == 1


def test_two_processes_do_not_take_each_other_for_the_same() -> None:
    one, other = Drops(), Drops()
    for drops in (one, other):
        drops.add([("full", "a")], 100)
    assert one.gap() != other.gap()
    one.add([], 500)
    assert one.total == 1
