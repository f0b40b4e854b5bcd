"""Jobs that come by themselves: once a tick whoever looks, at the shop's own hours, and without a storm."""

from __future__ import annotations

import threading
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from server.jobs import schedules
from server.jobs.jobs import NIGHTLY
from server.jobs.models import job, job_schedule
from server.jobs.registry import Cron, Every, Schedule, register_schedule
from server.jobs.runner import Runner
from server.kit.clock import DAY, HOUR, MINUTE, SECOND, FrozenClock, milliseconds, rfc3339
from server.kit.db import Store
from server.settings import service as settings
from tests.server.jobs.conftest import Add, Hands

LONDON = "Europe/London"


def asked(store: Store) -> int:
    """How many jobs there were."""
    return int(store.read(lambda tx: tx.execute(select(func.count()).select_from(job)).scalar_one()))


def next_at(store: Store, name: str = "tick") -> int:
    found: int = store.read(
        lambda tx: tx.execute(select(job_schedule.c.next_at).where(job_schedule.c.name == name)).scalar_one()
    )
    return found


def local(text: str, fold: int = 0) -> int:
    """A wall clock time in London."""
    return milliseconds(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(LONDON), fold=fold))


@pytest.fixture
def every(add: Add) -> None:
    add()
    register_schedule(Schedule(name="tick", kind="test.thing", when=Every(30 * MINUTE)))


@pytest.fixture
def nightly(add: Add, store: Store) -> None:
    add()
    register_schedule(Schedule(name="tick", kind="test.thing", when=NIGHTLY))
    store.write(lambda tx: settings.set_value(tx, "shop.time_zone", LONDON))
    store.write(lambda tx: settings.set_value(tx, "jobs.nightly_at", "01:30"))


def live(store: Store, runner: Runner, clock: FrozenClock, until: int, step: int = 10 * MINUTE) -> list[int]:
    """Let time pass, looking at each step; when a job ran."""
    ran = []
    while clock.now() <= until:
        ran += [clock.now()] * runner.drain()
        clock.advance(step)
    return ran


def test_a_tick_comes_each_interval_and_not_at_once(
    store: Store, runner: Runner, clock: FrozenClock, every: None
) -> None:
    start = clock.now()
    ran = live(store, runner, clock, start + 2 * HOUR, step=MINUTE)
    assert [at - start for at in ran] == [n * 30 * MINUTE for n in (1, 2, 3, 4)]


def test_what_was_missed_comes_once(store: Store, runner: Runner, clock: FrozenClock, every: None) -> None:
    runner.drain()
    clock.advance(3 * DAY + MINUTE)
    assert runner.drain() == 1
    assert next_at(store) == clock.now() + 30 * MINUTE


def test_while_the_last_one_waits_no_second_is_asked_for(
    store: Store, clock: FrozenClock, every: None
) -> None:
    for _ in range(5):
        schedules.ask_for_due(store)
        clock.advance(HOUR)
    assert asked(store) == 1


def test_whoever_looks_a_tick_is_asked_for_once(store: Store, clock: FrozenClock, add: Add) -> None:
    add()
    for n in range(5):
        # keys of their own would let a second job of a tick through
        register_schedule(Schedule(name=f"tick{n}", kind="test.thing", when=Every(HOUR)))
    schedules.ask_for_due(store)
    for hour in range(1, 4):
        clock.advance(HOUR)
        ready = threading.Barrier(4)

        def look(ready: threading.Barrier = ready) -> None:
            ready.wait(10)
            schedules.ask_for_due(store)

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert asked(store) == 5 * hour
        store.write(lambda tx: tx.execute(job.update().values(unique_key=None)).rowcount)


def test_who_looked_before_the_tick_was_moved_on_asks_for_nothing(
    store: Store, runner: Runner, clock: FrozenClock, every: None
) -> None:
    """Also when the job that the first one asked for has ended, so that its key keeps nobody out."""
    runner.drain()
    clock.advance(HOUR)
    first, second = store.read(schedules._look)[0], store.read(schedules._look)[0]
    for steps, ran in ((first, 1), (second, 0)):
        store.write(lambda tx, steps=steps: schedules._move(tx, steps))  # type: ignore[misc]
        assert runner.drain() == ran


def test_the_night_comes_at_the_shops_hour(
    store: Store, runner: Runner, clock: FrozenClock, nightly: None
) -> None:
    clock.set(local("2026-02-23T10:00"))
    ran = live(store, runner, clock, local("2026-02-26T10:00"))
    assert ran == [local(f"2026-02-{day}T01:30") for day in (24, 25, 26)]


def test_a_night_whose_hour_is_left_out_comes_when_the_clocks_have_moved(
    store: Store, runner: Runner, clock: FrozenClock, nightly: None
) -> None:
    clock.set(local("2026-03-28T10:00"))
    ran = live(store, runner, clock, local("2026-03-30T10:00"))
    assert [rfc3339(at) for at in ran] == ["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"]


def test_an_hour_that_comes_twice_has_one_tick(
    store: Store, runner: Runner, clock: FrozenClock, nightly: None
) -> None:
    clock.set(local("2026-10-24T10:00"))
    ran = live(store, runner, clock, local("2026-10-26T10:00"))
    assert [rfc3339(at) for at in ran] == ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"]


def test_a_start_within_the_second_of_two_equal_hours_waits_for_the_next_night(
    store: Store, runner: Runner, clock: FrozenClock, nightly: None
) -> None:
    clock.set(local("2026-10-25T01:10", fold=1))
    assert runner.drain() == 0
    assert next_at(store) == local("2026-10-26T01:30")


@pytest.mark.parametrize("jump", [-DAY, -2 * HOUR, -SECOND])
def test_a_clock_set_back_after_the_tick_tells_it_no_second_time(
    store: Store, runner: Runner, clock: FrozenClock, nightly: None, jump: int
) -> None:
    clock.set(local("2026-02-23T10:00"))
    runner.drain()
    clock.set(local("2026-02-24T01:30"))
    assert runner.drain() == 1
    clock.advance(jump)
    [again] = live(store, runner, clock, local("2026-02-25T10:00"))
    assert 0 <= again - local("2026-02-25T01:30") < 10 * MINUTE


@pytest.mark.parametrize("jump", [HOUR, DAY, 400 * DAY])
def test_a_clock_that_jumps_ahead_brings_one_tick_of_each(
    store: Store, runner: Runner, clock: FrozenClock, nightly: None, jump: int
) -> None:
    register_schedule(Schedule(name="often", kind="test.thing", when=Every(MINUTE), unique="often"))
    runner.drain()
    clock.advance(jump)
    assert runner.drain() <= 2
    assert runner.drain() == 0


def test_a_first_start_with_a_clock_years_ahead_is_set_right(
    store: Store, runner: Runner, clock: FrozenClock, nightly: None
) -> None:
    register_schedule(Schedule(name="often", kind="test.thing", when=Every(HOUR), unique="often"))
    right = local("2026-02-23T10:00")
    clock.set(right + 3_650 * DAY)
    runner.drain()
    clock.advance(DAY)
    assert runner.drain() == 2
    clock.set(right)
    assert runner.drain() == 0
    assert next_at(store) == local("2026-02-24T01:30")
    assert next_at(store, "often") == right + HOUR


def test_another_hour_in_the_settings_holds_from_then_on(
    store: Store, runner: Runner, clock: FrozenClock, nightly: None
) -> None:
    clock.set(local("2026-02-23T10:00"))
    runner.drain()
    assert next_at(store) == local("2026-02-24T01:30")
    for zone, at, then in (
        (LONDON, "23:15", local("2026-02-23T23:15")),
        (LONDON, "09:00", local("2026-02-24T09:00")),
        ("America/New_York", "09:00", local("2026-02-23T14:00")),
    ):
        store.write(lambda tx, zone=zone: settings.set_value(tx, "shop.time_zone", zone))  # type: ignore[misc]
        store.write(lambda tx, at=at: settings.set_value(tx, "jobs.nightly_at", at))  # type: ignore[misc]
        assert runner.drain() == 0
        assert next_at(store) == then


def test_a_schedule_that_is_not_wanted_asks_for_nothing(
    store: Store, runner: Runner, clock: FrozenClock, add: Add
) -> None:
    add()
    wanted = False
    register_schedule(Schedule(name="tick", kind="test.thing", when=Every(HOUR), wanted=lambda _: wanted))
    runner.drain()
    clock.advance(HOUR)
    assert runner.drain() == 0
    wanted = True
    assert runner.drain() == 0, "the tick has passed"
    clock.advance(HOUR)
    assert runner.drain() == 1


def test_a_broken_schedule_does_not_hold_up_the_others(
    store: Store, runner: Runner, clock: FrozenClock, every: None
) -> None:
    def broken(_tx: object) -> str:
        raise ValueError("no such hour")

    register_schedule(Schedule(name="broken", kind="test.thing", when=Cron(broken)))
    runner.drain()
    clock.advance(HOUR)
    assert runner.drain() == 1


def test_a_started_runner_wakes_for_the_tick(
    store: Store, clock: FrozenClock, hands: Hands, every: None
) -> None:
    runner = Runner(store, monotonic=hands)
    runner._stop.set()  # only what is done by hand here
    runner.start()
    runner._round()
    clock.advance(30 * MINUTE - 2 * SECOND)
    assert runner._round() == 2
    clock.advance(2 * SECOND)
    assert runner._round() == 0
    assert asked(store) == 1
    runner.stop()


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (Every(30 * MINUTE), "every 30 minutes"),
        (Every(6 * HOUR), "every 6 hours"),
        (Every(DAY), "every day"),
        (Every(1_500), "every 1500 milliseconds"),
        (NIGHTLY, "every night at 03:30 (UTC)"),
        (Cron("0 9 * * MON"), "0 9 * * MON (UTC)"),
    ],
)
def test_when_is_said_in_words(store: Store, when: Every | Cron, words: str) -> None:
    assert store.read(when.words) == words
