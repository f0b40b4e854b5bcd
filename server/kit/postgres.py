"""The store on PostgreSQL: each unit is its own transaction on a pooled connection; many processes may share it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from server.kit import topics
from server.kit.clock import Clock
from server.kit.db import Store, Unit
from server.kit.tx import TransactionLostError, Tx

T = TypeVar("T")
_VERSION_SECONDS = 0.2
_RETRIES = 5
_TRY_AGAIN = ("40001", "40P01")  # serialization failure, deadlock: the database says to try again


def _raw(conn: Connection) -> psycopg.Connection[object]:
    return cast("psycopg.Connection[object]", conn.connection.dbapi_connection)


class PostgresStore(Store):
    """PostgreSQL behind the same face."""

    dialect = "postgresql"

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,  # an error's text must hold nobody's data
            pool_size=8,
            max_overflow=24,
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={"application_name": "shopbelld"},
        )
        self._version_lock = threading.Lock()
        self._version: object = None
        self._version_until = 0.0
        self._commits = 0

    def read(self, unit: Unit[T]) -> T:
        """Run a unit that only reads; once more on a fresh connection when the pool's had died meanwhile."""
        try:
            with self.engine.connect() as conn:
                return unit(self._tx(conn))
        except OperationalError as error:
            if not error.connection_invalidated:
                raise
            with self.engine.connect() as conn:
                return unit(self._tx(conn))

    def write(self, unit: Unit[T]) -> T:
        """Run the unit in a transaction of its own and commit it."""
        activity_on = True
        again = 0
        while True:
            tried: list[Tx] = []
            try:
                return self._attempt(unit, activity_on=activity_on, opened=tried.append)
            except (DBAPIError, TransactionLostError) as error:
                if again < _RETRIES and _may_try_again(error, begun=bool(tried)):
                    again += 1  # a conflict is nobody's fault: the log stays on
                elif activity_on and tried and tried[0].activity_tried:
                    activity_on = False
                else:
                    raise

    async def write_async(self, unit: Unit[T]) -> T:
        """Like ``write``, in a thread."""
        return await asyncio.shield(asyncio.to_thread(self.write, unit))

    def _attempt(self, unit: Unit[T], *, activity_on: bool, opened: Callable[[Tx], None]) -> T:
        with self.engine.connect() as conn:
            conn.exec_driver_sql("BEGIN")
            tx = self._tx(conn, activity_on=activity_on, writing=True)
            opened(tx)
            try:
                answer = unit(tx)
                if tx.topics:
                    topics.move(
                        tx, tx.topics
                    )  # last, so that the counters' rows are locked only for the commit
                self._commit(conn)
            except BaseException:
                if not conn.invalidated and _raw(conn).info.transaction_status != TransactionStatus.IDLE:
                    _roll_back(conn)
                raise
        self.drops.add(tx.dropped, tx.now)
        self.look_again()
        tx.run_after_commit()
        if tx.topics:
            self.moved.wake()
        return answer

    def look_again(self) -> None:
        """Ask for the version anew, whatever is known of it and whoever is asking for it now."""
        with self._version_lock:
            self._commits += 1
            self._version_until = 0.0

    def _commit(self, conn: Connection) -> None:
        # A transaction that failed inside answers COMMIT with ROLLBACK and no error at all.
        raw = _raw(conn)
        if raw.info.transaction_status != TransactionStatus.INTRANS:
            raise TransactionLostError
        result = conn.exec_driver_sql("COMMIT")
        tag = getattr(result.cursor, "statusmessage", None) or "COMMIT"
        if tag != "COMMIT":
            raise TransactionLostError

    def _tx(self, conn: Connection, *, activity_on: bool = True, writing: bool = False) -> Tx:
        def alive() -> bool:
            if conn.invalidated:
                return False
            raw = _raw(conn)
            return not raw.closed and raw.info.transaction_status in (
                TransactionStatus.INTRANS,
                TransactionStatus.INERROR,
            )

        return Tx(
            conn,
            clock=self.clock,
            ids=self.ids,
            dialect="postgresql",
            alive=alive,
            drops=self.drops,
            setting_source=self.setting_source,
            activity_on=activity_on,
            writing=writing,
        )

    def version(self) -> object:
        """The topics' counters, asked again at most five times a second and after every commit of this process."""
        now = time.monotonic()
        with self._version_lock:
            if self._version is not None and now < self._version_until:
                return self._version
            commits = self._commits
        version = tuple(sorted(self.read(topics.counters).items()))
        with self._version_lock:
            if commits == self._commits:
                self._version, self._version_until = version, now + _VERSION_SECONDS
        return version

    def version_at_hand(self) -> object | None:
        """The version as last asked for, while that is fresh."""
        return self._version if time.monotonic() < self._version_until else None

    def counter_at_hand(self, topic: str) -> int | None:
        """The counter as last asked for, while that is fresh."""
        known = cast("tuple[tuple[str, int], ...] | None", self.version_at_hand())
        return None if known is None else dict(known).get(topic, 0)

    @contextmanager
    def own_connection(self) -> Iterator[psycopg.Connection[object]]:
        """A connection of the caller's own beside the pool, in autocommit, closed at the end of the block."""
        with self.engine.connect() as conn:
            conn.detach()
            yield _raw(conn)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _may_try_again(error: Exception, *, begun: bool) -> bool:
    """Whether the same unit may simply be run again: conflicts, and a pooled connection that was dead already."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return not begun
    return getattr(error.orig, "sqlstate", None) in _TRY_AGAIN


def _roll_back(conn: Connection) -> None:
    try:
        conn.exec_driver_sql("ROLLBACK")
    except DBAPIError:
        conn.invalidate()
