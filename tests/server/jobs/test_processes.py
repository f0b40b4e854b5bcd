"""Several processes on one store: one job of a key, and a killed worker's job is run by another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from server.jobs import service as jobs
from server.jobs.claiming import DIED, LEASE
from server.jobs.runner import SURE_SECONDS, Runner
from server.kit.clock import FrozenClock
from server.kit.db import Store
from tests.server.jobs.conftest import Add, Hands, leave_trace, row, traces, tried
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]


def done(store: Store, job_id: str) -> bool:
    return bool(row(store, job_id).state == "done")


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.support.job_kinds", *arguments],
        cwd=ROOT,
        env=dict(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate(timeout=30)


def read(running: subprocess.Popen[str]) -> str:
    """The next line that it writes."""
    assert running.stdout is not None
    return running.stdout.readline()


def tell(running: subprocess.Popen[str], line: str) -> None:
    assert running.stdin is not None
    running.stdin.write(line)
    running.stdin.flush()


@pytest.mark.timeout(90)
def test_three_processes_that_ask_at_once_get_one_job(store: Store, database_url: str) -> None:
    with (
        process("press", database_url, "k") as a,
        process("press", database_url, "k") as b,
        process("press", database_url, "k") as c,
    ):
        assert [read(running) for running in (a, b, c)] == ["ready\n"] * 3
        for running in (a, b, c):
            tell(running, "go\n")
        answers = [read(running) for running in (a, b, c)]
    assert sorted(answers) == ["False\n", "False\n", "True\n"]


@pytest.mark.timeout(90)
def test_a_job_whose_worker_is_killed_is_run_by_another_once_and_not_before(
    store: Store, runner: Runner, clock: FrozenClock, hands: Hands, add: Add, database_url: str
) -> None:
    add("test.hang", lambda _: leave_trace("ran"), queue="sync")
    with process("hold", database_url) as worker:
        job_id = store.write(lambda tx: jobs.enqueue(tx, "test.hang")).id
        until(lambda: row(store, job_id).progress, "the job to begin", seconds=60)
        assert runner.drain() == 0, "it is in living hands"
        assert runner.rescue() == 0
        worker.kill()
        worker.wait(30)
    assert runner.drain() == 0
    clock.advance(LEASE)
    assert runner.rescue() == 0, "a lease that ran out is watched for a while"
    hands.now += SURE_SECONDS
    assert runner.rescue() == 1
    assert runner.drain() == 1
    assert tried(store, job_id) == [(1, "lost", DIED), (2, "done", None)]
    assert traces(store, "ran") == 1


@pytest.mark.timeout(90)
def test_asking_in_one_process_wakes_the_worker_of_another(store: Store, database_url: str, add: Add) -> None:
    """On PostgreSQL it is told; on a file, where only one process works, it looks by itself."""
    add("test.count")
    if store.dialect != "postgresql":
        return
    with process("hold", database_url):
        first = store.write(lambda tx: jobs.enqueue(tx, "test.count")).id
        until(partial(done, store, first), "the worker to be there", seconds=60)
        for _ in range(3):  # each would take ten seconds if it were not told
            job_id = store.write(lambda tx: jobs.enqueue(tx, "test.count")).id
            until(partial(done, store, job_id), "the job", seconds=3)
