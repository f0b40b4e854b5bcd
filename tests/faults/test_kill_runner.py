"""kill -9 of the process that works, again and again: no job is lost, and what a job writes stands exactly once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from server.jobs import service as jobs
from server.jobs.models import job, job_attempt
from server.jobs.registry import KINDS
from server.jobs.runner import UNSEEN_SECONDS, Runner
from server.kit.db import Store, open_store
from server.kit.migrate import migrate
from server.kit.schema import store_fact
from server.kit.tx import Tx
from tests.support import job_kinds
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
EACH_TIME = 24  # open jobs at each start


@pytest.fixture
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))
    (found / "d").mkdir(mode=0o700)
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture
def store(folder: Path, database_url: str) -> Iterator[Store]:
    """The store that the killed processes work on, from outside."""
    opened = open_store(None if database_url.startswith("sqlite") else database_url, folder / "d")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    before = dict(KINDS)
    job_kinds.register_all()
    yield
    KINDS.clear()
    KINDS.update(before)


class Worker:
    """``shopbelld serve`` on a file, ``shopbelld work`` on PostgreSQL, with a few kinds of jobs more."""

    def __init__(self, folder: Path, database_url: str) -> None:
        environ = dict(os.environ)
        arguments = ["serve", "--uds", str(folder / "s" / "bell")]
        if not database_url.startswith("sqlite"):
            environ["SHOPBELL_DATABASE_URL"] = database_url
            arguments = ["work"]
        self._log = folder / "log"
        self._pid: int | None = None
        with self._log.open("ab") as log:
            self._parent = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.support.job_kinds", "again"),
                    *(*arguments, "--data", str(folder / "d")),
                ],
                cwd=ROOT,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self) -> None:
        """Start it; it begins to work by itself."""
        assert self._parent.stdin is not None
        self._parent.stdin.write("go\n")
        self._parent.stdin.flush()
        self._pid = int(self._said())

    def kill(self) -> None:
        """End it with -9, wherever it stands."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)
        self._pid = None
        assert self._said() == "ended\n"

    def close(self) -> None:
        """End it and what starts it."""
        if self._pid is not None:
            self.kill()
        self._parent.communicate(timeout=30)

    def _said(self) -> str:
        assert self._parent.stdout is not None
        return self._parent.stdout.readline()


def done(store: Store) -> int:
    """How many outcomes were written."""
    return int(
        store.read(
            lambda tx: tx.execute(
                select(func.count()).select_from(store_fact).where(store_fact.c.name.like("done %"))
            ).scalar_one()
        )
    )


def has_done(store: Store, many: int) -> bool:
    return done(store) >= many


def ask(store: Store, many: int) -> None:
    def unit(tx: Tx) -> None:
        for number in range(many):
            jobs.enqueue(tx, "test.mail" if number % 2 else "test.count", {"n": number})

    store.write(unit)


def take_from_the_dead(store: Store, hands: list[float]) -> None:
    """What another worker does when nobody holds the jobs for long: here nobody lives, and time passes at once."""
    other = Runner(store, monotonic=lambda: hands[0])
    other.rescue()
    hands[0] += UNSEEN_SECONDS
    other.rescue()


def forget_waits(store: Store) -> None:
    """Let the waits after a second death be over; these jobs come after those that are new."""
    store.write(
        lambda tx: (
            tx.execute(
                update(job).where(job.c.state == "waiting", job.c.attempt > 0).values(run_at=tx.now + 1)
            ).rowcount
        )
    )


def torture(store: Store, worker: Worker, kills: int) -> int:
    """Kill a worker so often; how many jobs were asked for."""
    asked, hands = 0, [0.0]
    try:
        for number in range(kills):
            more = EACH_TIME - store.read(open_jobs)
            ask(store, more)
            asked += more
            forget_waits(store)
            before = done(store)
            worker.start()
            until(partial(has_done, store, before + 1 + number * 7 % 17), "some jobs", seconds=60)
            worker.kill()
            if store.dialect == "postgresql":
                take_from_the_dead(store, hands)
        forget_waits(store)
        worker.start()
        until(partial(has_done, store, asked), "all jobs", seconds=120)
        until(lambda: not store.read(open_jobs), "all to be marked", seconds=20)
    finally:
        worker.close()
    return asked


def open_jobs(tx: Tx) -> int:
    mine = job.c.kind.startswith("test.")
    still = job.c.state.in_(("waiting", "running"))
    return int(tx.execute(select(func.count()).select_from(job).where(mine, still)).scalar_one())


def check(tx: Tx, asked: int) -> int:
    """All were done, once; how many attempts the kills cut off."""
    mine = job.c.kind.startswith("test.")
    states = Counter(tx.execute(select(job.c.state).where(mine)).scalars())
    assert states == {"done": asked}, "none lost, none given up"
    outcomes = Counter(
        tx.execute(select(store_fact.c.value).where(store_fact.c.name.like("done %"))).scalars()
    )
    ids = set(tx.execute(select(job.c.id).where(mine)).scalars())
    assert outcomes == dict.fromkeys(ids, 1), "each outcome stands exactly once"
    tried = tx.execute(
        select(job_attempt.c.job_id, job_attempt.c.outcome)
        .join(job, job.c.id == job_attempt.c.job_id)
        .where(mine)
    ).all()
    assert Counter(each.job_id for each in tried if each.outcome == "done") == dict.fromkeys(ids, 1)
    assert {each.outcome for each in tried} <= {"done", "lost"}
    return sum(each.outcome == "lost" for each in tried)


@pytest.mark.timeout(180)
def test_ten_kills(store: Store, folder: Path, database_url: str) -> None:
    asked = torture(store, Worker(folder, database_url), 10)
    lost = store.read(lambda tx: check(tx, asked))
    assert lost >= 5, "the kills did find jobs in the middle"


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_five_hundred_kills(store: Store, folder: Path, database_url: str) -> None:
    asked = torture(store, Worker(folder, database_url), 250)
    lost = store.read(lambda tx: check(tx, asked))
    assert lost >= 125
