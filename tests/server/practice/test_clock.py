"""A request carries its moment to the writer; everybody else lives in the present."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.kit.clock import DAY, HOUR, parse_instant
from server.kit.tx import Tx
from server.practice.clock import PracticeClock, PracticeStore

NOW = parse_instant("2026-02-23T10:00:00Z")


class Stopwatch:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def now_of(tx: Tx) -> int:
    return tx.now


@pytest.fixture
def clock() -> PracticeClock:
    return PracticeClock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: PracticeClock) -> Iterator[PracticeStore]:
    opened = PracticeStore(tmp_path / "shop.db", clock)
    yield opened
    opened.close()


def test_it_stands_still_until_it_is_started_and_then_runs_at_its_speed() -> None:
    watch = Stopwatch()
    clock = PracticeClock(NOW, watch)
    watch.seconds += 5
    assert clock.now() == NOW
    clock.run(60)
    watch.seconds += 2.5
    assert clock.now() == NOW + 150_000
    assert clock.seconds_until(NOW + 210_000) == pytest.approx(1.0)
    assert clock.seconds_until(NOW) == 0
    clock.run(1)
    watch.seconds += 1
    assert clock.now() == NOW + 151_000


def test_a_moment_holds_inside_only_and_may_be_nested(clock: PracticeClock) -> None:
    with clock.at(NOW - DAY):
        assert clock.now() == NOW - DAY
        with clock.at(NOW - HOUR):
            assert clock.now() == NOW - HOUR
        assert clock.now() == NOW - DAY
        assert clock.present() == NOW
    assert clock.now() == NOW


def test_writer_and_readers_see_the_moment_of_who_asks(store: PracticeStore, clock: PracticeClock) -> None:
    with clock.at(NOW - DAY):
        assert store.write(now_of) == NOW - DAY
        assert store.read(now_of) == NOW - DAY
    assert store.write(now_of) == NOW
    assert store.read(now_of) == NOW


async def _ask(store: PracticeStore, clock: PracticeClock, moment: int | None) -> list[int]:
    """Three looks at the time, with the loop given away in between."""
    if moment is None:
        return [await store.write_async(now_of), await store.read_async(now_of), clock.now()]
    with clock.at(moment):
        return [await store.write_async(now_of), await store.read_async(now_of), clock.now()]


def test_many_who_ask_at_once_each_get_their_own_moment(store: PracticeStore, clock: PracticeClock) -> None:
    """The writer commits them in groups; none of them may be stamped with a neighbour's moment."""
    moments = [None if number % 3 == 0 else NOW - number * HOUR for number in range(300)]

    async def all_at_once() -> list[list[int]]:
        return await asyncio.gather(*(_ask(store, clock, moment) for moment in moments))

    for moment, seen in zip(moments, asyncio.run(all_at_once()), strict=True):
        assert seen == [NOW if moment is None else moment] * 3


def test_a_unit_that_fails_leaves_the_others_at_their_moments(
    store: PracticeStore, clock: PracticeClock
) -> None:
    def broken(_tx: Tx) -> int:
        raise LookupError

    async def mixed() -> list[object]:
        async def fail() -> int:
            with clock.at(NOW - 2 * DAY):
                return await store.write_async(broken)

        asked = [_ask(store, clock, NOW - number * HOUR) for number in range(20)]
        return await asyncio.gather(fail(), *asked, return_exceptions=True)

    failed, *rest = asyncio.run(mixed())
    assert isinstance(failed, LookupError)
    assert rest == [[NOW - number * HOUR] * 3 for number in range(20)]
