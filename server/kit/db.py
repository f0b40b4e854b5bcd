"""The store: one face over SQLite (one file, one writer) and PostgreSQL (many writers).

``write`` takes a *unit*: database code that may be run again. ``read`` takes one that only reads. Neither commits;
the store does, then moves the topics' counters and runs what waited for the commit.

When the activity log took a transaction down with it, the unit is run once more with the log off, so that the
business stands and only the entry is lost, and counted (``drops``).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from server.kit.clock import Clock, SystemClock
from server.kit.drops import Drops
from server.kit.ids import Ids
from server.kit.setting_source import SettingSource
from server.kit.tx import DialectName, Tx
from server.kit.waking import Waking

T = TypeVar("T")
Unit = Callable[[Tx], T]


class Store(ABC):
    """Where everything is kept. Safe to use from every thread."""

    dialect: DialectName

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.ids = Ids(self.clock)
        self.drops = Drops()
        self.setting_source = SettingSource()
        """What goes with the settings of this store: its keys and the environment (``settings.source.attach``)."""
        self.moved = Waking()
        """Woken after every commit of this process that moved a counter, in the thread that committed."""
        self.trouble: str | None = None
        """A sentence about what was found wrong with the store while it serves (shown by ``/healthz``)."""

    @abstractmethod
    def read(self, unit: Unit[T]) -> T:
        """Run a unit that only reads, and give its answer."""

    @abstractmethod
    def write(self, unit: Unit[T]) -> T:
        """Run a unit in a transaction and commit it durably; its answer is given only once it is on disk.

        Raises whatever the unit raises; then nothing of it stands.
        """

    @abstractmethod
    async def write_async(self, unit: Unit[T]) -> T:
        """Like ``write``, without holding a thread while it waits."""

    async def read_async(self, unit: Unit[T]) -> T:
        """Like ``read``, in a thread."""
        return await asyncio.to_thread(self.read, unit)

    @abstractmethod
    def version(self) -> object:
        """Something that is equal as long as nobody, in any process, committed; cheap enough for every poll.

        It may lag by a fraction of a second behind other processes, never behind this one.
        """

    def version_at_hand(self) -> object | None:
        """``version`` if it is known without waiting for anybody, else None: for the event loop."""
        return self.version()

    def look_again(self) -> None:  # noqa: B027 - where other processes tell nothing there is nothing to forget
        """Another process told that it committed something: what is known of the version is too old by now."""

    @abstractmethod
    def counter_at_hand(self, topic: str) -> int | None:
        """A topic's counter, as far behind as ``version``, if it is known without waiting for anybody, else None."""

    @abstractmethod
    def close(self) -> None:
        """Finish what was accepted, then let go of every connection."""


def open_store(url: str | None, data_dir: Path, clock: Clock | None = None) -> Store:
    """Open the store that ``url`` names, or the file ``shop.db`` in the data directory.

    Args:
        url: ``postgresql://…`` or ``sqlite:///…``; None for the file in ``data_dir``.
        data_dir: used when there is no URL.
        clock: the store's clock; the system's when left out.

    Raises:
        ValueError: an address of another kind, or one whose driver is not installed.
    """
    from server.kit.sqlite import SqliteStore  # noqa: PLC0415 - a driver loads only where it is used

    if url is None:
        return SqliteStore(data_dir / "shop.db", clock)
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return SqliteStore(Path(rest.removeprefix("/")), clock)
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return _open_postgres(f"postgresql+psycopg://{rest}", clock)
    raise ValueError("SHOPBELL_DATABASE_URL must begin with postgresql:// (or be left out for the file)")


def _open_postgres(url: str, clock: Clock | None) -> Store:
    try:
        from server.kit.postgres import PostgresStore  # noqa: PLC0415
    except ImportError:
        raise ValueError("For PostgreSQL install shopbell[postgres]") from None
    return PostgresStore(url, clock)
