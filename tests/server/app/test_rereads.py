"""A list that nobody changed is answered again without the store; the moment anybody commits, it is read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from server.accounts import service as accounts
from server.app import App, rereads
from server.kit.clock import DAY, FrozenClock
from server.kit.db import Store, open_store
from server.kit.tx import Tx
from tests.server.conftest import Staff
from tests.support.waiting import until

T = TypeVar("T")
FEED = "/v1/activity?limit=10"


@pytest.fixture
def reads(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each unit that the store was asked to read."""
    seen: list[str] = []
    read = store.read

    def counted(unit: Callable[[Tx], T]) -> T:
        seen.append(getattr(unit, "__qualname__", "unit"))
        return read(unit)

    monkeypatch.setattr(store, "read", counted)
    return seen


def _note(http: httpx.Client, staff: Staff, text: str) -> None:
    body = {"type": "custom.note.left", "message": text}
    assert http.post("/v1/activity", json=body, headers=staff.bearer("owner")).status_code == 201


def _messages(http: httpx.Client, staff: Staff, path: str = FEED) -> list[str]:
    response = http.get(path, headers=staff.bearer("owner"))
    assert response.status_code == 200
    return [item["message"] for item in response.json()["items"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_same_question_is_answered_again_without_the_store(
    http: httpx.Client, staff: Staff, reads: list[str], app: App
) -> None:
    _note(http, staff, "one")
    until(lambda: not app.state.services.noting, "the use of the token to be noted, which is a commit too")
    first = http.get(FEED, headers=staff.bearer("owner"))
    asked = len(reads)
    again = http.get(FEED, headers=staff.bearer("owner"))
    assert again.content == first.content
    assert again.headers == first.headers
    assert len(reads) == asked
    _messages(http, staff, "/v1/activity?limit=11")  # another question
    assert len(reads) > asked


def test_a_commit_of_this_server_is_seen_at_once(http: httpx.Client, staff: Staff) -> None:
    _note(http, staff, "one")
    assert _messages(http, staff) == ["one"]
    assert _messages(http, staff) == ["one"]
    _note(http, staff, "two")
    assert set(_messages(http, staff)) == {"one", "two"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_commit_of_another_program_on_the_file_is_seen_in_a_moment(
    http: httpx.Client, staff: Staff, database_url: str, clock: FrozenClock
) -> None:
    _note(http, staff, "one")
    assert _messages(http, staff) == ["one"]
    other = open_store(database_url, Path(), clock)
    other.write(lambda tx: tx.driver_sql("DELETE FROM activity"))
    other.close()
    until(lambda: _messages(http, staff) == [], "the other program's commit to be seen")


def test_each_role_is_answered_for_itself(http: httpx.Client, staff: Staff) -> None:
    _note(http, staff, "one")
    body = {"type": "custom.stock.low", "level": "warning", "message": "low"}
    http.post("/v1/activity", json=body, headers=staff.bearer("owner"))
    allowed = {}
    for role in ("owner", "readonly", "owner", "readonly"):
        items = http.get("/v1/activity?tab=attention", headers=staff.bearer(role)).json()["items"]
        allowed[role] = {action["name"]: action["allowed"] for action in items[0]["actions"]}
    assert allowed["owner"]["resolve"] is True
    assert allowed["readonly"]["resolve"] is False
    assert http.get(FEED, headers=staff.bearer("storefront")).status_code == 403


def test_a_token_that_ended_is_refused_what_was_just_answered(
    http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock
) -> None:
    _messages(http, staff)
    _messages(http, staff)
    clock.advance(91 * DAY)
    assert http.get(FEED, headers=staff.bearer("owner")).status_code == 401
    clock.advance(-91 * DAY)
    _messages(http, staff)
    token_id = staff.tokens["support"].split("_")[2]
    assert http.get(FEED, headers=staff.bearer("support")).status_code == 200
    store.write(lambda tx: accounts.revoke(tx, token_id, caller=staff.principal("owner")))
    assert http.get(FEED, headers=staff.bearer("support")).status_code == 401


def test_a_refusal_is_not_kept(http: httpx.Client, staff: Staff) -> None:
    path = "/v1/orders/SS-260223-0001"
    assert http.get(path, headers=staff.bearer("owner")).status_code == 404
    order = {
        "customer": {"email": "tom@example.com"},
        "items": [{"name": "Tee", "quantity": 1, "unit_price": 2400}],
        "currency": "GBP",
    }
    assert http.post("/v1/orders", json=order, headers=staff.bearer("owner")).status_code == 201
    assert http.get(path, headers=staff.bearer("owner")).status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_when_much_is_kept_the_oldest_goes_and_the_newest_is_kept(
    http: httpx.Client, staff: Staff, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _note(http, staff, "one")
    size = len(http.get(FEED, headers=staff.bearer("owner")).content)
    monkeypatch.setattr(rereads, "_MOST_BYTES", 3 * size)
    paths = [f"{FEED}&new={number}" for number in range(9)]
    for path in paths:
        _messages(http, staff, path)
    asked = len(reads)
    _messages(http, staff, paths[-1])
    assert len(reads) == asked
    _messages(http, staff, paths[0])
    assert len(reads) > asked
