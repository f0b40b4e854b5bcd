"""A bucket empties and refills with time."""

from __future__ import annotations

from server.kit.limits import RateLimit


class Hands:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_then_one_in_its_time() -> None:
    hands = Hands()
    limit = RateLimit(burst=3, seconds=10, monotonic=hands)
    assert [limit.take("a") for _ in range(5)] == [0, 0, 0, 10, 10]
    hands.now += 9.5
    assert limit.take("a") == 1
    hands.now += 0.5
    assert limit.take("a") == 0
    assert limit.take("a") == 10


def test_keys_do_not_share() -> None:
    limit = RateLimit(burst=1, seconds=10, monotonic=Hands())
    assert limit.take("a") == 0
    assert limit.take("b") == 0
    assert limit.take("a") == 10


def test_a_bucket_is_full_again_after_its_time_and_not_fuller() -> None:
    hands = Hands()
    limit = RateLimit(burst=2, seconds=10, monotonic=hands)
    limit.take("a")
    limit.take("a")
    hands.now += 1_000
    assert [limit.take("a") for _ in range(3)] == [0, 0, 10]


def test_memory_is_bounded_and_forgets_who_is_quiet() -> None:
    hands = Hands()
    limit = RateLimit(burst=1, seconds=10, monotonic=hands)
    for number in range(10_000):
        assert limit.take(str(number)) == 0
    assert limit.take("one too many") == 10
    assert len(limit._full_at) == 10_000
    hands.now += 11
    assert limit.take("one too many") == 0
    assert len(limit._full_at) == 1
