"""What the server's tests stand on: a frozen clock, and a migrated store on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.kit.clock import FrozenClock
from server.kit.db import Store, open_store
from server.kit.migrate import migrate

START = "2026-02-23T10:00:00Z"


def migrated(url: str) -> None:
    """Make the tables, and leave no connection open."""
    store = open_store(url, Path(), FrozenClock(START))
    try:
        migrate(store)
    finally:
        store.close()


@pytest.fixture(scope="session")
def prepare_database() -> Callable[[str], None]:
    """Every database of the server's tests begins with its tables."""
    return migrated


@pytest.fixture
def clock() -> FrozenClock:
    """Stands at 2026-02-23T10:00:00Z until a test moves it."""
    return FrozenClock(START)


@pytest.fixture
def store(database_url: str, clock: FrozenClock) -> Iterator[Store]:
    """An empty, migrated store: the test runs once on SQLite and once on PostgreSQL."""
    opened = open_store(database_url, Path(), clock)
    yield opened
    opened.close()
