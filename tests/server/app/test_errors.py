"""What goes wrong inside leaves as problem+json without a word of it; the log knows where, and no more."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import HTTPException, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import text

from server.app import App, create_app
from server.kit.clock import FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store, open_store
from server.kit.log import start_logging
from server.kit.sqlite import SqliteStore, driver
from server.kit.tx import Tx
from server.kit.web import open_to_all, router
from tests.server.conftest import Staff, let_staff_in
from tests.support.serving import in_process, serving

SECRET = "sbl_pat_super_secret"
ROOM = router("/v1/room", "room")
OPEN = [open_to_all("for the tests of errors")]


@ROOM.get("/mistake", dependencies=OPEN)
def mistake() -> Response:
    raise LookupError(SECRET)


@ROOM.get("/http", dependencies=OPEN)
def http_error() -> Response:
    raise HTTPException(418, SECRET, {"X-Kept": "yes"})


@ROOM.get("/half", dependencies=OPEN)
def half() -> Response:
    def parts() -> Iterator[bytes]:
        yield b"half "
        raise LookupError(SECRET)

    return StreamingResponse(parts())


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    stream = io.StringIO()
    start_logging(stream, FrozenClock("2026-02-23T10:00:00Z"))
    yield stream
    root.handlers[:], logging.raiseExceptions = before[0], before[2]
    root.setLevel(before[1])


@pytest.fixture
def faulty(app: App) -> App:
    app.include_router(ROOM)
    return app


def test_a_mistake_is_a_500_that_tells_nothing(faulty: App, log: io.StringIO) -> None:
    with in_process(faulty) as client:
        answer = client.get("/v1/room/mistake")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert SECRET not in answer.text
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["event"], line["error"], line["path"]) == (
        "request failed",
        "LookupError",
        "/v1/room/mistake",
    )
    assert SECRET not in log.getvalue()


def test_the_frameworks_own_errors_have_the_one_shape(faulty: App) -> None:
    with in_process(faulty) as client:
        answer = client.get("/v1/room/http")
    assert (answer.status_code, answer.json()["code"]) == (418, "invalid_request")
    assert answer.headers["x-kept"] == "yes"
    assert SECRET not in answer.text


def test_half_an_answer_ends_the_connection(faulty: App, config: ServerConfig, log: io.StringIO) -> None:
    with serving(faulty, config) as running, running.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/v1/room/half")
        assert client.get("/healthz").status_code == 200
    assert SECRET not in log.getvalue()
    assert "LookupError" in log.getvalue()


@pytest.fixture
def file_store(sqlite_url: str, clock: FrozenClock) -> Iterator[SqliteStore]:
    opened = open_store(sqlite_url, Path(), clock)
    assert isinstance(opened, SqliteStore)
    yield opened
    opened.close()


def make_token(client: httpx.Client, staff: Staff) -> httpx.Response:
    return client.post("/v1/tokens", headers=staff.bearer("owner"), json={"name": "n", "role": "support"})


def unavailable(answer: httpx.Response, reason: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["code"], body["reason"]) == (503, "unavailable", reason)
    assert int(answer.headers["retry-after"]) > 0
    assert body["detail"].endswith(".")
    assert "sqlite" not in body["detail"].lower()


def test_a_locked_store_is_told_and_reading_goes_on(file_store: SqliteStore, config: ServerConfig) -> None:
    staff = let_staff_in(file_store)
    file_store._conn.exec_driver_sql("PRAGMA busy_timeout=50")
    with in_process(create_app(file_store, config)) as client:
        holder = driver.connect(file_store.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        unavailable(make_token(client, staff), "locked")
        assert client.get("/v1/me", headers=staff.bearer("support")).status_code == 200
        holder.close()
        assert make_token(client, staff).status_code == 201


def test_a_full_disk_is_told_and_reading_goes_on(file_store: SqliteStore, config: ServerConfig) -> None:
    staff = let_staff_in(file_store)
    with in_process(create_app(file_store, config)) as client:
        pages = file_store.read(lambda tx: tx.driver_sql("PRAGMA page_count").scalar_one())
        file_store._conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        answers = [make_token(client, staff) for _ in range(100)]
        full = [answer for answer in answers if answer.status_code != 201]
        assert full
        for answer in full:
            unavailable(answer, "full")
        assert client.get("/v1/me", headers=staff.bearer("readonly")).status_code == 200
        file_store._conn.exec_driver_sql(f"PRAGMA max_page_count={2**31 - 2}")
        assert make_token(client, staff).status_code == 201
        made = client.get("/v1/tokens?limit=200", headers=staff.bearer("owner")).json()["items"]
    assert len(made) == 5 + 1 + len(answers) - len(full), "what was refused is not there, what was told is"


def test_a_read_only_store_is_told_and_reading_goes_on(file_store: SqliteStore, config: ServerConfig) -> None:
    staff = let_staff_in(file_store)
    app = create_app(file_store, config)
    file_store._conn.exec_driver_sql("PRAGMA query_only=ON")
    with in_process(app) as client:
        unavailable(make_token(client, staff), "read_only")
        assert client.get("/v1/me", headers=staff.bearer("readonly")).status_code == 200


def test_a_database_that_went_away_is_told(
    postgresql_url: str, config: ServerConfig, clock: FrozenClock
) -> None:
    store = open_store(postgresql_url, Path(), clock)
    try:
        staff = let_staff_in(store)
        with in_process(create_app(store, config)) as client:
            assert client.get("/v1/me", headers=staff.bearer("owner")).status_code == 200

            def cut(tx: Tx) -> None:
                tx.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
                    )
                )

            other = open_store(postgresql_url, Path(), clock)
            other.write(cut)
            other.close()
            answers = [client.get("/v1/users", headers=staff.bearer("owner")) for _ in range(12)]
            assert {answer.status_code for answer in answers} <= {200, 503}
            assert answers[-1].status_code == 200, "new connections are made"
            for answer in answers:
                if answer.status_code == 503:
                    unavailable(answer, "unreachable")
    finally:
        store.close()


def test_sqlites_own_driver_is_not_mixed_with_ours() -> None:
    """Two SQLite libraries in one process would drop each other's locks on the file."""
    if driver.__name__.startswith("pysqlite3"):
        ours = Path(create_app.__globals__["__file__"]).parents[1]
        for file in ours.rglob("*.py"):
            if file.name != "sqlite.py":
                assert "import sqlite3" not in file.read_text(encoding="utf-8"), file


def test_the_store_of_another_kind_is_a_clear_error(store: Store) -> None:
    with pytest.raises(ValueError, match="postgresql://"):
        open_store("mysql://x", Path())
