"""Ids rise, whatever the clock does."""

from __future__ import annotations

import re
import threading

from hypothesis import given
from hypothesis import strategies as st

from server.kit.clock import FrozenClock
from server.kit.ids import Ids, random_text

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@given(st.lists(st.integers(-10_000, 10_000), max_size=60))
def test_ids_rise_strictly_also_when_the_clock_stands_or_steps_back(steps: list[int]) -> None:
    clock = FrozenClock("2026-02-23T10:00:00Z")
    ids = Ids(clock)
    made = [ids.new()]
    for step in steps:
        clock.advance(step)
        made.append(ids.new())
    assert made == sorted(set(made))
    assert all(UUID7.fullmatch(text) for text in made)


def test_an_id_tells_when_it_was_made() -> None:
    clock = FrozenClock(1_771_840_800_123)
    assert int(Ids(clock).new().replace("-", "")[:12], 16) == 1_771_840_800_123


def test_a_counter_at_its_top_takes_the_next_millisecond() -> None:
    ids = Ids(FrozenClock(1_000), randomness=lambda count: b"\xff" * count)
    first = ids.new()
    ids._counter = (1 << 42) - 1
    second = ids.new()
    assert second > first
    assert int(second.replace("-", "")[:12], 16) == 1_001


def test_threads_get_ids_of_their_own() -> None:
    ids = Ids(FrozenClock(1_000))
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(ids.new() for _ in range(500))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 4_000


def test_random_text_keeps_to_its_alphabet() -> None:
    text = random_text(200, "ab")
    assert len(text) == 200
    assert set(text) == {"a", "b"}
