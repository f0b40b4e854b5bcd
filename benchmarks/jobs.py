"""The job engine against plain inserts of the same rows, on both databases, and what a runner costs that waits."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.report import Report
from server.jobs import service as jobs
from server.jobs.models import job
from server.jobs.registry import Kind, register
from server.jobs.runner import Runner
from server.jobs.work import Work
from server.kit.db import Store, open_store
from server.kit.migrate import migrate
from server.kit.sqlite import driver
from tests.support.postgres import URL_VARIABLE, running_postgres

MANY = 2_000
_COLUMNS = "id, kind, queue, args, unique_key, state, max_attempts, run_at, outside, created_at"
_TICKS = os.sysconf("SC_CLK_TCK")
_begun: list[float] = []


def _run(_work: Work) -> None:
    _begun.append(time.perf_counter())


def measure(report: Report, idle: float) -> None:
    """Measure and report everything about the jobs."""
    register(Kind(name="bench.thing", label="Thing", queue="fulfilment", run=_run))
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder:  # short, for the sake of sockets
        _on("SQLite", None, Path(folder), report, idle)
    with running_postgres(os.environ.get(URL_VARIABLE)) as server, tempfile.TemporaryDirectory() as folder:
        url = server.create_database(None)
        _on("PostgreSQL", url, Path(folder), report, idle)
        server.drop_database(url)


def _on(name: str, url: str | None, folder: Path, report: Report, idle: float) -> None:
    folder.chmod(0o700)
    store = open_store(url, folder)
    migrate(store)
    plain = MANY / _timed(lambda: _plain(url, folder))
    report.row(f"jobs, {name}: plain inserts of the same rows, each committed", f"{plain:,.0f}/s", "baseline")
    store.write(lambda tx: tx.execute(job.delete()).rowcount)
    asked = MANY / _timed(lambda: _ask(store))
    report.row(
        f"jobs, {name}: asked for, each in a transaction / plain inserts",
        f"{asked / plain:.2f} ({asked:,.0f}/s)",
        ">= 0.4",
    )
    ran, wrong = _drained(store)
    report.row(
        f"jobs, {name}: run to the end by one worker / plain inserts",
        f"{ran / plain:.2f} ({ran:,.0f}/s)",
        ">= 0.1",
        bad=wrong,
    )
    report.row(f"jobs, {name}: from asking to running", _pick_up(store), "<= 20 ms")
    store.close()
    used = _idle_cpu(url, folder, idle)
    report.row(f"jobs, {name}: CPU of a waiting worker, {idle:.0f} s", f"{used:.2%}", "<= 0.5 %")


def _timed(call: Callable[[], None]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _plain(url: str | None, folder: Path) -> None:
    """The rows that asking writes, by the driver alone, with the same durability."""
    mark = "?" if url is None else "%s"
    sql = f"INSERT INTO job ({_COLUMNS}) VALUES ({', '.join([mark] * 10)})"  # noqa: S608 - constants
    with _connected(url, folder) as connection:
        for number in range(MANY):
            now = time.time_ns() // 1_000_000
            connection.execute(
                sql,
                (
                    f"{number:036d}",
                    "bench.thing",
                    "fulfilment",
                    "{}",
                    f"k{number}",
                    "waiting",
                    3,
                    now,
                    0,
                    now,
                ),
            )


@contextlib.contextmanager
def _connected(url: str | None, folder: Path) -> Iterator[Any]:
    if url is None:
        connection: Any = driver.connect(folder / "shop.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
    else:
        import psycopg

        connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    with contextlib.closing(connection):
        yield connection


def _ask(store: Store) -> None:
    for number in range(MANY):
        store.write(lambda tx, number=number: jobs.enqueue(tx, "bench.thing", unique=f"k{number}"))  # type: ignore[misc]


def _drained(store: Store) -> tuple[float, int]:
    """Jobs a second from the runner's start to the last one's end, and how many did not end well."""
    runner = Runner(store)
    begin = time.perf_counter()
    runner.start()
    while _count(store, "done") < MANY:
        time.sleep(0.02)
    taken = time.perf_counter() - begin
    runner.stop()
    return MANY / taken, MANY - _count(store, "done")


def _pick_up(store: Store) -> str:
    runner = Runner(store)
    runner.start()
    waited = []
    for _ in range(100):
        _begun.clear()
        store.write(lambda tx: jobs.enqueue(tx, "bench.thing"))
        asked = time.perf_counter()
        while not _begun:
            threading.Event().wait(0.0005)
        waited.append((_begun[0] - asked) * 1_000)
    runner.stop()
    return f"p50 {statistics.median(waited):.1f} ms, p99 {sorted(waited)[98]:.1f} ms"


def _count(store: Store, state: str) -> int:
    return int(
        store.read(
            lambda tx: tx.execute(
                select(func.count()).select_from(job).where(job.c.state == state)
            ).scalar_one()
        )
    )


def _idle_cpu(url: str | None, folder: Path, seconds: float) -> float:
    """The share of one core that ``shopbelld work`` takes while there is nothing to do."""
    environ = dict(os.environ) if url is None else {**os.environ, "SHOPBELL_DATABASE_URL": url}
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "work", "--data", str(folder)],
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        while '"working"' not in process.stderr.readline():
            assert process.poll() is None, "the worker did not start"
        time.sleep(2)  # what it does once, at its start
        before = _cpu_seconds(process.pid)
        time.sleep(seconds)
        return (_cpu_seconds(process.pid) - before) / seconds
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
