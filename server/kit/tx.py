"""What a service is given: a connection inside a transaction, and the few things that go with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import Connection, CursorResult, Executable

from server.kit.clock import Clock
from server.kit.drops import Drops
from server.kit.ids import Ids
from server.kit.setting_source import Kept, SettingSource

DialectName = Literal["sqlite", "postgresql"]


class TransactionLostError(Exception):
    """The database gave up the whole transaction; nothing written so far in it will stand."""


class Tx:
    """A transaction in the hands of the services.

    Services execute statements on it, never commit, and may be run a second time by the store, so they touch
    nothing but the database. ``now`` is one moment for the whole transaction.
    """

    __slots__ = (
        "_after_commit",
        "_alive",
        "_clock",
        "_ids",
        "_savepoints",
        "activity_on",
        "activity_tried",
        "conn",
        "dialect",
        "dropped",
        "drops",
        "now",
        "setting_source",
        "settings_changed",
        "settings_seen",
        "topics",
        "writing",
    )

    def __init__(
        self,
        conn: Connection,
        *,
        clock: Clock,
        ids: Ids,
        dialect: DialectName,
        alive: Callable[[], bool],
        drops: Drops,
        setting_source: SettingSource,
        activity_on: bool = True,
        writing: bool = False,
    ) -> None:
        self.conn = conn
        self.dialect: DialectName = dialect
        self.now = clock.now()
        self.activity_on = activity_on
        self.activity_tried = False
        self.drops = drops
        self.setting_source = setting_source
        self.settings_seen: Kept | None = None
        self.settings_changed = False
        self.writing = writing
        self.dropped: list[tuple[str, str]] = []
        self.topics: set[str] = set()
        self._clock = clock
        self._ids = ids
        self._alive = alive
        self._savepoints = 0
        self._after_commit: list[Callable[[], None]] = []

    def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a Core statement."""
        return self.conn.execute(statement, parameters)

    def driver_sql(
        self, sql: str, parameters: tuple[Any, ...] | Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Run SQL written for this dialect; only constants go into ``sql``, values into ``parameters``."""
        return self.conn.exec_driver_sql(sql, parameters)

    def new_id(self) -> str:
        """A new UUIDv7, greater than every one before it in this process."""
        return self._ids.new()

    def touch(self, *topics: str) -> None:
        """Say that rows of these topics changed: their counters move when this commits."""
        self.topics.update(topics)

    def drop(self, reason: str, event_type: str) -> None:
        """Note an activity entry that could not be written; counted once this commits."""
        self.dropped.append((reason, event_type))

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this after the commit, in the committing thread; it must be quick and must not raise."""
        self._after_commit.append(call)

    def run_after_commit(self) -> None:
        """Run what waited for the commit (called by the store)."""
        for call in self._after_commit:
            call()

    def alive(self) -> bool:
        """Whether the database still holds this transaction open."""
        return self._alive()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that can fail alone: an exception inside undoes only what the part did, and goes on up.

        Raises:
            TransactionLostError: the whole transaction is gone, so the part cannot be undone alone.
        """
        self._savepoints += 1
        name = f"part_{self._savepoints}"
        self.driver_sql(f"SAVEPOINT {name}")
        try:
            yield
        except Exception as error:
            if not self.alive():
                raise TransactionLostError from error
            self.driver_sql(f"ROLLBACK TO SAVEPOINT {name}")
            self.driver_sql(f"RELEASE SAVEPOINT {name}")
            raise
        self.driver_sql(f"RELEASE SAVEPOINT {name}")
