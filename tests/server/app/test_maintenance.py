"""What the server does by itself, and that one chore's trouble is not the others'."""

from __future__ import annotations

import contextlib
import threading

import httpx
import pytest
from sqlalchemy import func, select

from server.app.maintenance import Chore, Maintenance, check_pages, chores
from server.jobs.pruning import prune_answers
from server.kit.clock import DAY, HOUR, FrozenClock
from server.kit.db import Store
from server.kit.schema import idempotency
from server.kit.sqlite import SqliteStore, driver
from tests.server.conftest import Staff


class Hands:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def kept(store: Store) -> int:
    return int(store.read(lambda tx: tx.execute(select(func.count()).select_from(idempotency)).scalar_one()))


def make(http: httpx.Client, staff: Staff, key: str, name: str = "n") -> httpx.Response:
    headers = {**staff.bearer("owner"), "Idempotency-Key": key}
    return http.post("/v1/tokens", headers=headers, json={"name": name, "role": "support"})


def test_answers_are_kept_for_a_day_and_then_let_go(
    http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock
) -> None:
    first = make(http, staff, "a")
    clock.advance(HOUR)
    make(http, staff, "b")
    clock.advance(DAY - HOUR - 1)
    assert prune_answers(store) == 0
    assert make(http, staff, "a").json()["id"] == first.json()["id"]
    clock.advance(1)
    assert prune_answers(store) == 1
    assert kept(store) == 1
    assert make(http, staff, "a").json()["id"] != first.json()["id"]


def test_a_key_is_bound_to_its_request_and_its_token(http: httpx.Client, staff: Staff, store: Store) -> None:
    first = make(http, staff, "a")
    other = make(http, staff, "a", name="another")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    elsewhere = http.post(
        "/v1/users",
        headers={**staff.bearer("owner"), "Idempotency-Key": "a"},
        json={"name": "n", "role": "support"},
    )
    assert elsewhere.status_code == 422, "another route with a body that cannot be"
    mine = http.post(
        "/v1/tokens",
        headers={**staff.bearer("admin"), "Idempotency-Key": "a"},
        json={"name": "n", "role": "support"},
    )
    assert mine.status_code == 201
    assert mine.json()["id"] != first.json()["id"]


def test_a_refused_request_keeps_nothing_and_may_be_tried_again(
    http: httpx.Client, staff: Staff, store: Store
) -> None:
    headers = {**staff.bearer("owner"), "Idempotency-Key": "a"}
    body = {"email": "support@example.com", "role": "readonly"}
    assert http.post("/v1/users", headers=headers, json=body).status_code == 409
    assert kept(store) == 0
    body["email"] = "new@example.com"
    assert http.post("/v1/users", headers=headers, json=body).status_code == 201


def test_many_answers_go_in_pieces(store: Store, clock: FrozenClock) -> None:
    rows = [
        {"token_id": "t", "key": str(n), "request_hash": "h", "status": 200, "body": "{}", "created_at": 0}
        for n in range(1_203)
    ]
    store.write(lambda tx: tx.execute(idempotency.insert(), rows).rowcount)
    assert prune_answers(store) == 1_203
    assert kept(store) == 0


def test_chores_come_when_they_are_due_and_fail_alone(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    hands = Hands()
    done: list[str] = []

    def broken(_store: Store) -> None:
        done.append("broken")
        raise LookupError("very-secret")

    maintenance = Maintenance(
        store,
        [
            Chore("broken", 10, broken),
            Chore("often", 2, lambda _: done.append("often")),
            Chore("seldom", 100, lambda _: done.append("seldom")),
        ],
        monotonic=hands,
    )
    maintenance.run_due()
    assert done == ["broken", "often", "seldom"]
    maintenance.run_due()
    assert len(done) == 3
    hands.now += 2
    maintenance.run_due()
    assert done[3:] == ["often"]
    hands.now += 8
    maintenance.run_due()
    assert done[4:] == ["broken", "often"]
    assert [record.message for record in caplog.records if record.name == "shopbell.app"] == [
        "request failed"
    ] * 2


def test_the_thread_begins_and_ends(store: Store) -> None:
    came = threading.Event()
    maintenance = Maintenance(store, [Chore("once", 1_000, lambda _: came.set())])
    maintenance.start()
    assert came.wait(10)
    maintenance.stop()
    assert not maintenance._thread.is_alive()


def test_damage_found_while_serving_is_told(
    http: httpx.Client, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    assert http.get("/healthz").json()["trouble"] is None
    assert not check_pages(store)
    if not isinstance(store, SqliteStore):
        return
    with contextlib.closing(driver.connect(store.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'order_day'").fetchone()[0]
    with store.path.open("r+b") as opened:
        opened.seek((root - 1) * page)
        opened.write(b"\xa5" * page)
    assert check_pages(store)
    answer = http.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["status"], "damaged" in answer.json()["trouble"]) == ("trouble", True)
    assert "the data file is not well" in caplog.text


def test_the_servers_own_chores_run_on_an_empty_shop(store: Store) -> None:
    for chore in chores():
        assert not chore.call(store)
