"""The store keeps its promises on both databases."""

from __future__ import annotations

from server.kit import topics
from server.kit.db import Store


def test_a_commit_moves_the_counters_of_what_it_touched(store: Store) -> None:
    store.write(lambda tx: tx.touch("orders", "activity"))
    store.write(lambda tx: tx.touch("orders"))
    assert store.read(topics.counters) == {"orders": 2, "activity": 1}
