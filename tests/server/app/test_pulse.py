"""The poll: cheap while nothing changes, and never behind what this server committed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from server.accounts import service as accounts
from server.app import App
from server.kit import topics
from server.kit.clock import DAY, HOUR, FrozenClock
from server.kit.db import Store, open_store
from server.kit.sqlite import SqliteStore
from server.kit.tx import Tx
from server.settings import service as settings
from tests.server.conftest import Staff
from tests.support.waiting import until

T = TypeVar("T")
READERS = ("owner", "admin", "support", "readonly")


def poll(http: httpx.Client, staff: Staff, etag: str | None = None, **headers: str) -> httpx.Response:
    given = {**staff.bearer("support"), **({"If-None-Match": etag} if etag else {}), **headers}
    return http.get("/v1/pulse", headers=given)


def settled(http: httpx.Client, staff: Staff, app: App) -> str:
    """The ETag once nothing is being written behind the requests any more."""
    poll(http, staff)
    until(lambda: not app.state.services.noting, "the use of the token to be noted")
    return str(poll(http, staff).headers["etag"])


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time that the store was read."""
    seen: list[str] = []
    read = store.read

    def counted(unit: Callable[[Tx], T]) -> T:
        seen.append(getattr(unit, "__qualname__", "unit"))
        return read(unit)

    monkeypatch.setattr(store, "read", counted)
    return seen


def test_the_pulse_tells_counts_counters_and_the_shop(http: httpx.Client, staff: Staff, store: Store) -> None:
    store.write(lambda tx: settings.set_value(tx, "shop.name", "Petals"))
    answer = poll(http, staff)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "private, no-cache"
    body = answer.json()
    assert body == {
        "attention": 0,
        "tickets": 0,
        "topics": store.read(topics.counters),
        "shop": {"name": "Petals", "environment": "live", "currency": "GBP", "time_zone": "UTC"},
        "activity_dropped": 0,
        "now": "2026-02-23T10:00:00.000Z",
    }
    assert {"access", "people", "settings"} <= set(body["topics"])


def test_unchanged_is_304_without_a_body_and_without_asking_the_store(
    http: httpx.Client, staff: Staff, store: Store, app: App, asked: list[str]
) -> None:
    etag = settled(http, staff, app)
    if isinstance(store, SqliteStore):
        asked.clear()
    for _ in range(10):
        answer = poll(http, staff, etag)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    if isinstance(store, SqliteStore):
        assert asked == []


def test_the_time_of_the_answer_does_not_break_the_etag(
    http: httpx.Client, staff: Staff, app: App, clock: FrozenClock
) -> None:
    etag = settled(http, staff, app)
    clock.advance(5_000)
    again = poll(http, staff)
    assert again.headers["etag"] == etag
    assert again.json()["now"] == "2026-02-23T10:00:05.000Z"
    assert poll(http, staff, etag).status_code == 304


def test_every_answer_tells_the_time(http: httpx.Client, staff: Staff, app: App, clock: FrozenClock) -> None:
    """By the short way and the long one, changed or not."""
    assert poll(http, staff).headers["shopbell-now"] == "2026-02-23T10:00:00.000Z"
    etag = settled(http, staff, app)
    clock.advance(5_250)
    for query in ("", "?long"):
        for given in (etag, '"another"'):
            headers = {**staff.bearer("support"), "If-None-Match": given}
            answer = http.get(f"/v1/pulse{query}", headers=headers)
            assert answer.status_code == (304 if given == etag else 200)
            assert answer.headers.get_list("shopbell-now") == ["2026-02-23T10:00:05.250Z"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '{} , W/"x"', "*"])
def test_the_etag_is_known_in_every_form(http: httpx.Client, staff: Staff, app: App, form: str) -> None:
    etag = settled(http, staff, app)
    assert poll(http, staff, form.format(etag)).status_code == 304
    assert poll(http, staff, '"another"').status_code == 200


def test_every_commit_of_this_server_is_seen_at_once(
    http: httpx.Client, staff: Staff, store: Store, app: App
) -> None:
    etag = settled(http, staff, app)
    for number in range(20):
        store.write(lambda tx: tx.touch("orders"))
        answer = poll(http, staff, etag)
        assert answer.status_code == 200
        assert answer.json()["topics"]["orders"] == number + 1
        assert answer.headers["etag"] != etag
        etag = answer.headers["etag"]


def test_a_commit_of_another_process_is_seen_soon(
    http: httpx.Client, staff: Staff, app: App, database_url: str, clock: FrozenClock
) -> None:
    etag = settled(http, staff, app)
    other = open_store(database_url, Path(), clock)
    other.write(lambda tx: tx.touch("orders"))
    other.close()
    until(lambda: poll(http, staff, etag).status_code == 200, "the other's commit to be seen", seconds=2)


def test_a_commit_that_changes_no_count_is_still_304(
    http: httpx.Client, staff: Staff, store: Store, app: App
) -> None:
    etag = settled(http, staff, app)
    identity = staff.tokens["owner"].split("_")[2]
    store.write(lambda tx: accounts.note_use(tx, identity))
    assert poll(http, staff, etag).status_code == 304


def test_dropped_entries_show_although_nothing_was_committed(
    http: httpx.Client, staff: Staff, store: Store, app: App
) -> None:
    etag = settled(http, staff, app)
    store.drops.add([("OperationalError", "order.created")], store.clock.now())
    answer = poll(http, staff, etag)
    assert answer.json()["activity_dropped"] == 1
    assert http.get("/healthz").json()["activity_dropped"] == 1
    assert http.get("/healthz").json()["activity_dropped_by_reason"] == {"OperationalError": 1}


def test_a_token_revoked_is_refused_at_the_next_poll(http: httpx.Client, staff: Staff, app: App) -> None:
    etag = settled(http, staff, app)
    assert poll(http, staff, etag).status_code == 304
    identity = staff.tokens["support"].split("_")[2]
    assert http.delete(f"/v1/tokens/{identity}", headers=staff.bearer("owner")).status_code == 200
    answer = poll(http, staff, etag)
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked")


def test_a_user_deactivated_is_refused_at_the_next_poll(http: httpx.Client, staff: Staff, app: App) -> None:
    etag = settled(http, staff, app)
    http.patch(f"/v1/users/{staff.users['support']}", headers=staff.bearer("owner"), json={"active": False})
    assert poll(http, staff, etag).json()["reason"] == "revoked"


def test_a_token_that_expires_between_two_polls_is_refused(
    http: httpx.Client, staff: Staff, app: App, clock: FrozenClock
) -> None:
    clock.advance(90 * DAY - 1)
    etag = settled(http, staff, app)
    assert poll(http, staff, etag).status_code == 304
    clock.advance(1)
    assert poll(http, staff, etag).json()["reason"] == "expired"


def test_a_poller_is_noted_as_using_its_token_every_hour(
    http: httpx.Client, staff: Staff, store: Store, app: App, clock: FrozenClock
) -> None:
    etag = settled(http, staff, app)
    for _ in range(3):
        clock.advance(HOUR)
        assert poll(http, staff, etag).status_code == 304
        until(lambda: not app.state.services.noting, "the use to be noted")
        items = http.get("/v1/tokens", headers=staff.bearer("support")).json()["items"]
        assert items[0]["last_used_at"] == http.get("/v1/pulse", headers=staff.bearer("owner")).json()["now"]


def test_only_staff_may_poll(http: httpx.Client, staff: Staff, app: App) -> None:
    etag = settled(http, staff, app)
    for role in READERS:
        assert http.get("/v1/pulse", headers=staff.bearer(role)).status_code == 200  # type: ignore[arg-type]
    for _ in range(2):
        answer = http.get("/v1/pulse", headers={**staff.bearer("storefront"), "If-None-Match": etag})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert http.get("/v1/pulse", headers={"If-None-Match": etag}).status_code == 401


def test_the_short_way_and_the_long_way_say_the_same(
    http: httpx.Client, staff: Staff, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(http, staff, app)
    short = poll(http, staff)
    long = poll(http, staff, **{"Sec-Fetch-Site": "none"})  # needs a closer look
    assert short.content == long.content
    assert short.headers["etag"] == long.headers["etag"]
    assert short.headers["cache-control"] == long.headers["cache-control"]
    assert http.get("/v1/pulse?x=1", headers=staff.bearer("support")).content == short.content
    answer = http.post("/v1/pulse", headers=staff.bearer("support"))
    assert answer.status_code == 405


def test_the_pulse_on_the_wire(wire: httpx.Client, staff: Staff, app: App) -> None:
    etag = settled(wire, staff, app)
    for _ in range(3):
        answer = poll(wire, staff, etag)
        assert (answer.status_code, answer.content) == (304, b"")
