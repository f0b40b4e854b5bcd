"""``shopbelld work``, and a server that runs no jobs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from server.app import registered  # noqa: F401 - the rooms' jobs
from server.cli import parser
from server.jobs import service as jobs
from server.jobs.models import job
from server.kit.db import Store, open_store
from server.kit.lock import sole_server
from server.kit.migrate import migrate
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))
    (found / "d").mkdir(mode=0o700)
    yield found
    shutil.rmtree(found, ignore_errors=True)


@contextmanager
def shopbelld(folder: Path, database_url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environ = dict(os.environ)
    if not database_url.startswith("sqlite"):
        environ["SHOPBELL_DATABASE_URL"] = database_url
    running = subprocess.Popen(
        [sys.executable, "-m", "server.cli", *arguments, "--data", str(folder / "d")],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate(timeout=30)


def opened(folder: Path, database_url: str) -> Store:
    store = open_store(None if database_url.startswith("sqlite") else database_url, folder / "d")
    migrate(store)
    return store


def in_state(store: Store, job_id: str, state: str) -> bool:
    found: Any = store.read(lambda tx: tx.execute(select(job.c.state).where(job.c.id == job_id)).scalar())
    return bool(found == state)


@pytest.mark.timeout(90)
def test_a_worker_runs_jobs_until_it_is_told_to_stop(folder: Path, database_url: str) -> None:
    store = opened(folder, database_url)
    first = store.write(lambda tx: jobs.enqueue(tx, "jobs.prune")).id
    with shopbelld(folder, database_url, "work") as running:
        until(partial(in_state, store, first, "done"), "the job", seconds=60)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    later = store.write(lambda tx: jobs.enqueue(tx, "jobs.prune")).id
    assert in_state(store, later, "waiting")
    store.close()


@pytest.mark.timeout(90)
def test_a_worker_on_a_file_that_a_server_has_is_refused(folder: Path, sqlite_url: str) -> None:
    with sole_server(folder / "d"), shopbelld(folder, "sqlite", "work") as running:
        _, said = running.communicate(timeout=60)
    assert running.returncode == 6
    assert said.count("\n") == 1
    assert said.startswith(f"shopbelld: A shopbelld is running on {folder / 'd'}. It runs the jobs itself")
    assert "SHOPBELL_DATABASE_URL" in said


@pytest.mark.timeout(90)
@pytest.mark.parametrize("arguments", [(), ("--no-work",)])
def test_a_server_works_unless_told_not_to(
    folder: Path, database_url: str, arguments: tuple[str, ...]
) -> None:
    store = opened(folder, database_url)
    asked = store.write(lambda tx: jobs.enqueue(tx, "jobs.prune")).id
    with shopbelld(folder, database_url, "serve", "--uds", str(folder / "s" / "bell"), *arguments) as running:
        assert running.stderr is not None
        until(
            lambda: '"serving"' in (running.stderr.readline() if running.stderr else ""),
            "it to serve",
            seconds=60,
        )
        if arguments:
            running.send_signal(signal.SIGTERM)
            assert running.wait(30) == 0
            assert in_state(store, asked, "waiting")
        else:
            until(partial(in_state, store, asked, "done"), "the job", seconds=30)
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(job)).scalar_one()) >= 1
    store.close()


def test_the_help_knows_them() -> None:
    said = parser().format_help()
    assert "run the shop's jobs beside its servers, on PostgreSQL" in said
    assert parser().parse_args(["serve", "--no-work"]).no_work is True
