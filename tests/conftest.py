"""What every test gets: a pinned world, a home of its own, and databases of both kinds."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.pins import pin_environment, pin_home
from tests.support.postgres import URL_VARIABLE, Postgres, describe_source, running_postgres
from tests.support.sqlite import SqliteTemplates

pin_environment(os.environ)  # before anything of the product is imported

settings.register_profile("everyday", deadline=None, derandomize=True, database=None)
settings.register_profile("deep", deadline=None, database=None, max_examples=10_000, print_blob=True)
settings.load_profile("everyday")

SNAPSHOT_PYTHON = (3, 11)

PrepareDatabase = Callable[[str], None]


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to draw snapshots anew on another Python than the one all of them come from."""
    wanted = config.getoption("update_snapshots", default=False)
    if wanted and sys.version_info[:2] != SNAPSHOT_PYTHON:
        raise pytest.UsageError(
            "snapshots are drawn on Python {}.{} only, and this is {}.{}: "
            "run --snapshot-update there, or the pictures would differ from one machine to the next".format(
                *SNAPSHOT_PYTHON, *sys.version_info[:2]
            )
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which PostgreSQL the tests ran on."""
    terminalreporter.write_line(f"databases: SQLite and {describe_source(os.environ)}")


@pytest.fixture(scope="session")
def _homes() -> Iterator[Path]:
    """The short directory below which every test gets its home."""
    base = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))  # short, for the sake of sockets
    yield base
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(autouse=True)
def home(_homes: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh home directory with all of XDG inside, removed after the test."""
    path = Path(tempfile.mkdtemp(dir=_homes)) / "h"
    environ = dict(os.environ)
    pin_home(environ, path)
    for name, value in environ.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    yield path
    shutil.rmtree(path.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL of this test process, started when the first test asks for it."""
    with running_postgres(os.environ.get(URL_VARIABLE)) as server:
        yield server


@pytest.fixture(scope="session")
def prepare_database() -> PrepareDatabase | None:
    """What happens once to a fresh database before tests get copies of it; None leaves it empty.

    A conftest.py overrides this with a function that takes the URL, makes the tables and closes all its
    connections. Functions are told apart by their module and name.
    """
    return None


@pytest.fixture(scope="session")
def _sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplates:
    return SqliteTemplates(tmp_path_factory.mktemp("sqlite-templates"))


@pytest.fixture
def sqlite_url(
    tmp_path: Path, prepare_database: PrepareDatabase | None, _sqlite_templates: SqliteTemplates
) -> str:
    """The URL of a SQLite file of this test's own, prepared as `prepare_database` says."""
    path = tmp_path / "shop.db"
    if prepare_database is not None:
        _sqlite_templates.copy(_key(prepare_database), prepare_database, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres: Postgres, prepare_database: PrepareDatabase | None) -> Iterator[str]:
    """The URL of a PostgreSQL database of this test's own, prepared as `prepare_database` says."""
    template = None
    if prepare_database is not None:
        template = postgres.template(_key(prepare_database), prepare_database)
    url = postgres.create_database(template)
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database: the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def _key(prepare: PrepareDatabase) -> str:
    return f"{prepare.__module__}.{prepare.__qualname__}"
