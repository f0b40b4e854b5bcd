"""The store on SQLite: one writer thread that commits units in groups, and one reading connection per thread."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from server.kit import topics
from server.kit.clock import Clock
from server.kit.db import Store, Unit
from server.kit.tx import TransactionLostError, Tx

try:
    import pysqlite3.dbapi2 as driver
except ImportError:  # no wheel for this platform: the interpreter's own, checked at boot (kit.checks)
    import sqlite3 as driver

__all__ = ["SqliteStore", "driver", "make_engine", "sqlite_version"]

T = TypeVar("T")
_VERSION_SECONDS = 0.01
GROUP = 64
"""Most units in one commit: more would make the first of them wait without gaining speed."""

# Every one is set, whatever this build's defaults are. FULL: a power cut loses no acknowledged commit.
# secure_delete: what is deleted is overwritten. recursive_triggers: REPLACE fires delete triggers too.
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "recursive_triggers=ON",
    "busy_timeout=5000",
    "trusted_schema=OFF",
    "mmap_size=0",
    "cache_size=-4000",  # each connection's own, in KiB; what does not fit is in the system's cache all the same
    "temp_store=MEMORY",
)


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite library in use."""
    return tuple(int(part) for part in driver.sqlite_version.split("."))


def make_engine(path: Path, *, read_only: bool = False, foreign_keys: bool = True) -> Engine:
    """An engine whose connections have our settings and leave transactions to us.

    Args:
        path: the database file; made with 0600 when it is not there.
        read_only: refuse every write on these connections.
        foreign_keys: off only while migrating (a rebuilt parent table would delete its children).
    """
    engine = create_engine(
        f"sqlite:///{path}",
        module=driver,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # an error's text must hold nobody's data
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "cached_statements": 256},
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            if pragma.startswith("foreign_keys") and not foreign_keys:
                continue
            cursor.execute(f"PRAGMA {pragma}")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    return engine


class _NotBegunError(Exception):
    """The database let no transaction begin (another program holds it): no unit is to blame, and none was run."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


class _Work:
    """A unit that waits for the writer, and where its answer goes: a future of threads, or one of an event loop."""

    __slots__ = ("future", "loop", "unit")

    def __init__(
        self,
        unit: Unit[Any],
        future: Future[Any] | asyncio.Future[Any],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.unit = unit
        self.future = future
        self.loop = loop


def _tell(told: Iterable[tuple[_Work, Any, BaseException | None]]) -> None:
    """Give each caller its answer or its error, and wake an event loop once for all that it waits for."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Work, Any, BaseException | None]]] = {}
    for work, answer, error in told:
        if work.loop is None:
            _settle([(work, answer, error)])
        else:
            by_loop.setdefault(work.loop, []).append((work, answer, error))
    for loop, waiting in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, waiting)


def _settle(told: list[tuple[_Work, Any, BaseException | None]]) -> None:
    for work, answer, error in told:
        if work.future.done():  # its loop ended and cancelled it
            continue
        if error is None:
            work.future.set_result(answer)
        else:
            work.future.set_exception(error)


class _Seen:
    """What one thread knows of the store's version."""

    __slots__ = ("_commits", "_connection", "_until", "_version")

    def __init__(self, reader: Connection) -> None:
        self._connection: Any = reader.connection.dbapi_connection
        self._commits = -1
        self._until = 0.0
        self._version: tuple[int, int, int] | None = None

    def version(self, commits: int) -> object:
        """The same object as long as nothing changed."""
        now = time.monotonic()
        if commits != self._commits or now >= self._until:
            found = self._connection.execute("PRAGMA data_version").fetchone()[0]
            self._commits, self._until = commits, now + _VERSION_SECONDS
            version = (threading.get_ident(), commits, found)
            if version != self._version:
                self._version = version
        return self._version

    def counter(self, topic: str) -> int:
        """A topic's counter."""
        row = self._connection.execute("SELECT counter FROM topic WHERE name = ?", (topic,)).fetchone()
        return 0 if row is None else int(row[0])


class SqliteStore(Store):
    """One file. All writes of the process go through one connection; a group of them shares one commit."""

    dialect = "sqlite"

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.path = path
        if not path.exists():
            path.touch(mode=0o600)
        self._writer_engine = make_engine(path)
        self._reader_engine = make_engine(path, read_only=True)
        self._local = threading.local()
        self._readers: list[Connection] = []
        self._readers_lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._commits = 0
        self._closed = False
        self._closing = threading.Lock()
        self._conn = self._writer_engine.connect()
        self._thread = threading.Thread(target=self._write_loop, name="store-writer", daemon=True)
        self._thread.start()

    # -- reading ---------------------------------------------------------------------------------------

    def _reader(self) -> Connection:
        conn: Connection | None = getattr(self._local, "conn", None)
        if conn is None:
            conn = self._reader_engine.connect()
            self._local.conn = conn
            with self._readers_lock:
                self._readers.append(conn)
        return conn

    def read(self, unit: Unit[T]) -> T:
        """Run a unit that only reads, on this thread's own connection."""
        return unit(self._tx(self._reader(), alive=lambda: True))

    def version(self) -> object:
        """The commits of this process, and SQLite's own counter of commits as this thread's reader sees it.

        That counter is asked after each commit of this process, else at most a hundred times a second: so it lags by
        10 ms behind other processes, never behind this one.
        """
        return self._seen().version(self._commits)

    def counter_at_hand(self, topic: str) -> int | None:
        """A topic's counter, by a keyed read on this thread's reader."""
        return self._seen().counter(topic)

    def _seen(self) -> _Seen:
        seen: _Seen | None = getattr(self._local, "seen", None)
        if seen is None:
            seen = self._local.seen = _Seen(self._reader())
        return seen

    # -- writing ---------------------------------------------------------------------------------------

    def write(self, unit: Unit[T]) -> T:
        """Hand the unit to the writer and wait until it is on disk."""
        future: Future[T] = Future()
        self._submit(_Work(unit, future))
        return future.result()

    async def write_async(self, unit: Unit[T]) -> T:
        """Hand the unit to the writer; the loop goes on meanwhile. A caller that leaves does not undo it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._submit(_Work(unit, future, loop))
        return await asyncio.shield(future)

    def _submit(self, work: _Work) -> None:
        with self._closing:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._queue.put(work)

    def _write_loop(self) -> None:
        while True:
            work = self._queue.get()
            if work is None:
                return
            batch = [work]
            while len(batch) < GROUP:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    self._queue.put(None)
                    break
                batch.append(more)
            self._run(batch)

    def _run(self, batch: list[_Work]) -> None:
        """Commit a group; when one of it fails, each is tried alone so that only the guilty one fails."""
        if len(batch) > 1:
            try:
                done, txs = self._attempt([work.unit for work in batch])
            except _NotBegunError as error:  # each alone would only wait as long again
                _tell((work, None, error.cause) for work in batch)
                return
            except BaseException:  # noqa: BLE001 - whatever one unit raised, it is raised again below, alone
                self._roll_back()
            else:
                self._finish(batch, done, txs)
                return
        for work in batch:
            self._run_alone(work)

    def _run_alone(self, work: _Work) -> None:
        activity_on = True
        while True:
            tried: list[Tx] = []
            try:
                done, txs = self._attempt([work.unit], activity_on=activity_on, opened=tried.append)
            except _NotBegunError as error:
                _tell([(work, None, error.cause)])
                return
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller who waits
                self._roll_back()
                lost = isinstance(error, DBAPIError | TransactionLostError)
                if activity_on and lost and tried and tried[0].activity_tried:
                    activity_on = False
                    continue
                _tell([(work, None, error)])
                return
            self._finish([work], done, txs)
            return

    def _attempt(
        self,
        units: list[Unit[Any]],
        *,
        activity_on: bool = True,
        opened: Callable[[Tx], None] = lambda _: None,
    ) -> tuple[list[Any], list[Tx]]:
        conn = self._conn
        raw = conn.connection.dbapi_connection
        try:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
        except DBAPIError as error:
            raise _NotBegunError(error) from error
        done: list[Any] = []
        txs: list[Tx] = []
        touched: set[str] = set()
        for unit in units:
            tx = self._tx(
                conn,
                alive=lambda: bool(raw is not None and raw.in_transaction),
                on=activity_on,
                writing=True,
            )
            opened(tx)
            txs.append(tx)
            done.append(unit(tx))
            if not tx.alive():
                raise TransactionLostError
            touched |= tx.topics
        if touched:
            topics.move(txs[-1], touched)
        conn.exec_driver_sql("COMMIT")
        return done, txs

    def _finish(self, batch: list[_Work], done: list[Any], txs: list[Tx]) -> None:
        self._commits += 1
        for tx in txs:
            self.drops.add(tx.dropped, tx.now)
            tx.run_after_commit()
        if any(tx.topics for tx in txs):
            self.moved.wake()
        _tell((work, answer, None) for work, answer in zip(batch, done, strict=True))

    def _roll_back(self) -> None:
        raw = self._conn.connection.dbapi_connection
        if raw is not None and raw.in_transaction:
            with contextlib.suppress(DBAPIError):
                self._conn.exec_driver_sql("ROLLBACK")

    def _tx(
        self, conn: Connection, *, alive: Callable[[], bool], on: bool = True, writing: bool = False
    ) -> Tx:
        return Tx(
            conn,
            clock=self.clock,
            ids=self.ids,
            dialect="sqlite",
            alive=alive,
            drops=self.drops,
            setting_source=self.setting_source,
            activity_on=on,
            writing=writing,
        )

    # -- the end ---------------------------------------------------------------------------------------

    def close(self) -> None:
        """Finish what was accepted, then close every connection."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        with self._readers_lock:
            for conn in self._readers:
                conn.close()
        self._conn.close()
        self._writer_engine.dispose()
        self._reader_engine.dispose()
