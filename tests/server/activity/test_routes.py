"""The log over HTTP, on the whole application."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.activity import service as activity
from server.contract.activity import Entry, Resolved
from server.contract.base import Page
from server.kit.access import Role
from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.schema import idempotency
from server.kit.tx import Tx
from tests.server.activity.making import GBP, START, make_order, told
from tests.server.conftest import Staff


@pytest.fixture
def order_id(store: Store) -> str:
    def unit(tx: Tx) -> str:
        made, _ = make_order(tx)
        activity.log(tx, "order.created", order_id=made, params={"amount": GBP, "via": "Stripe"})
        return made

    return store.write(unit)


class Shop:
    """The API as one caller uses it."""

    def __init__(self, http: httpx.Client, headers: dict[str, str]) -> None:
        self.http = http
        self.headers = headers

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        given = {} if body is None else {"json": body}
        return self.http.post(path, headers=self.headers | headers, **given)

    def feed(self, **params: Any) -> Page[Entry]:
        answered = self.get("/v1/activity", **params)
        assert answered.status_code == 200, answered.text
        return Page[Entry].model_validate_json(answered.content)


@pytest.fixture
def as_role(http: httpx.Client, staff: Staff) -> Any:
    return lambda role: Shop(http, staff.bearer(role))


@pytest.fixture
def owner(as_role: Any) -> Shop:
    found: Shop = as_role("owner")
    return found


@pytest.fixture
def program(as_role: Any) -> Shop:
    found: Shop = as_role("storefront")
    return found


def problem(answered: httpx.Response) -> tuple[int, str]:
    assert answered.headers["content-type"] == "application/problem+json"
    return answered.status_code, answered.json()["code"]


# -- reading


def test_pages_lead_to_each_other(owner: Shop, store: Store) -> None:
    ids = [told(store, "order.delivered", occurred_at=START - number) for number in range(7)]
    first = owner.feed(limit=3)
    assert [entry.id for entry in first.items] == ids[:3]
    assert first.prev is None
    second = owner.feed(limit=3, cursor=first.next)
    third = owner.feed(limit=3, cursor=second.next)
    assert [entry.id for entry in second.items + third.items] == ids[3:]
    assert third.next is None
    back = owner.feed(limit=3, cursor=third.prev)
    assert [entry.id for entry in back.items] == ids[3:6]
    oldest = owner.feed(limit=2, edge="oldest")
    assert [entry.id for entry in oldest.items] == ids[5:]


def test_a_page_is_50_unless_asked_otherwise(owner: Shop, store: Store) -> None:
    store.write(lambda tx: [activity.log(tx, "order.delivered") for _ in range(60)])
    assert len(owner.feed().items) == 50
    assert problem(owner.get("/v1/activity", limit=201)) == (422, "invalid_request")


def test_a_cursor_belongs_to_its_query(owner: Shop, store: Store) -> None:
    for number in range(3):
        told(store, "sync.failed", occurred_at=START - number)
    cursor = owner.feed(limit=1).next
    assert owner.feed(limit=1, cursor=cursor, tab="all", internal="false").items
    for other in (
        {"tab": "attention"},
        {"q": "x"},
        {"folded": "true"},
        {"category": "syncs"},
        {"internal": "true"},
    ):
        assert problem(owner.get("/v1/activity", limit=1, cursor=cursor, **other)) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "params",
    [
        {"tab": "some"},
        {"level": "fatal"},
        {"category": "Orders!"},
        {"type": "order created"},
        {"folded": "perhaps"},
        {"q": "x" * 201},
        {"q": " ".join("abcdefghi")},
        {"group": "x" * 201},
    ],
)
def test_a_filter_that_cannot_be_is_refused(owner: Shop, params: dict[str, str]) -> None:
    assert problem(owner.get("/v1/activity", **params)) == (422, "invalid_request")


@pytest.mark.parametrize("odd", ["\ufffd", "%", "\\", "'", "日本", "\U0001f9e6", "\x1b[31m"])
def test_odd_signs_find_nothing_and_break_nothing(owner: Shop, store: Store, odd: str) -> None:
    told(store, "order.delivered")
    for params in ({"q": odd}, {"group": odd}, {"q": odd, "tab": "attention"}):
        assert owner.feed(**params).items == []


@pytest.mark.parametrize(
    "path", ["/v1/activity/nothing", "/v1/orders/nothing/timeline", "/v1/activity/%F0%9F%A7%A6"]
)
def test_what_is_not_there_is_not_found(owner: Shop, path: str) -> None:
    assert problem(owner.get(path)) == (404, "not_found")


def test_the_attention_tab_folds_and_all_does_not(owner: Shop, store: Store) -> None:
    for _ in range(3):
        told(store, "sync.failed")
    (folded,) = owner.feed(tab="attention").items
    assert folded.group.count == 3
    assert len(owner.feed(tab="attention", folded="false").items) == 3
    assert len(owner.feed().items) == 3
    assert len(owner.feed(folded="true").items) == 1
    assert len(owner.feed(group=folded.group.key).items) == 3


def test_a_timeline_by_id_and_by_number(owner: Shop, order_id: str) -> None:
    for name in (order_id, "SS-260223-0046", "ss-260223-0046"):
        answered = owner.get(f"/v1/orders/{name}/timeline")
        page = Page[Entry].model_validate_json(answered.content)
        assert [entry.message for entry in page.items] == ["Order placed — £43.00 via Stripe"]
        assert (page.next, page.prev) == (None, None)


def test_one_entry(owner: Shop, store: Store) -> None:
    entry_id = told(store, "sync.failed", texts={"reason": "quota"})
    answered = owner.get(f"/v1/activity/{entry_id}")
    assert Entry.model_validate_json(answered.content).message == "Product sync failed: quota"


# -- a shop's own events


def test_a_program_writes_its_own_event(program: Shop, owner: Shop, order_id: str) -> None:
    body = {
        "type": "custom.gift.wrapped",
        "level": "warning",
        "message": "Out of blue paper",
        "category": "gifts",
        "order": "ss-260223-0046",
        "occurred_at": "2026-02-23T10:30:00.5+01:00",
    }
    answered = program.post("/v1/activity", body)
    assert answered.status_code == 201
    entry = Entry.model_validate_json(answered.content)
    assert (entry.type, entry.label, entry.level, entry.category) == (
        "custom.gift.wrapped",
        "Gift wrapped",
        "warning",
        "gifts",
    )
    assert entry.message == "Out of blue paper"
    assert entry.order is not None
    assert (entry.order.id, entry.order.number) == (order_id, "SS-260223-0046")
    assert (entry.actor.kind, entry.actor.name) == ("system", "storefront")
    assert entry.occurred_at.isoformat() == "2026-02-23T09:30:00.500000+00:00"
    assert {state.reason for state in entry.actions} == {"insufficient_permissions"}
    assert [found.id for found in owner.feed(tab="attention", category="gifts").items] == [entry.id]


def test_a_person_writes_as_themselves(owner: Shop) -> None:
    answered = owner.post("/v1/activity", {"type": "custom.note", "message": "Called back"})
    entry = Entry.model_validate_json(answered.content)
    assert (entry.actor.kind, entry.actor.name) == ("staff", "owner@example.com")
    assert entry.level == "info"


def test_an_event_with_a_key_is_written_once(program: Shop, owner: Shop) -> None:
    body = {"type": "custom.note", "message": "first", "dedupe_key": "k-1"}
    first = program.post("/v1/activity", body)
    again = program.post("/v1/activity", {**body, "message": "second"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(owner.feed().items) == 1
    other = program.post("/v1/activity", {**body, "dedupe_key": "k-2"})
    assert other.status_code == 201


def test_the_same_own_problem_folds(program: Shop, owner: Shop) -> None:
    for number in (17, 18):
        body = {"type": "custom.stock", "level": "error", "message": f"Socks {number} are out"}
        assert program.post("/v1/activity", body).status_code == 201
    body = {"type": "custom.stock", "level": "error", "message": "Hats are out"}
    assert program.post("/v1/activity", body).status_code == 201
    assert sorted(entry.group.count for entry in owner.feed(tab="attention").items) == [1, 2]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "order.created"}, "invalid_request"),
        ({"type": "custom."}, "invalid_request"),
        ({"type": "custom.Caps"}, "invalid_request"),
        ({"level": "fatal"}, "invalid_request"),
        ({"message": ""}, "invalid_request"),
        ({"message": "   \n"}, "invalid_request"),
        ({"message": "x" * 4097}, "invalid_request"),
        ({"message": 3}, "invalid_request"),
        ({"category": "Two words"}, "invalid_request"),
        ({"order": "SS-000000-0000"}, "invalid_request"),
        ({"occurred_at": "yesterday"}, "invalid_request"),
        ({"occurred_at": "2026-02-23T10:00:00"}, "invalid_request"),
        ({"occurred_at": "2026-02-30T10:00:00Z"}, "invalid_request"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "invalid_request"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "invalid_request"),
        ({"occurred_at": "2026-02-23T10:05:00.001Z"}, "occurred_at_in_future"),
        ({"occurred_at": "9999-12-31T23:59:59Z"}, "occurred_at_in_future"),
        ({"dedupe_key": ""}, "invalid_request"),
        ({"unknown": 1}, "invalid_request"),
    ],
)
def test_an_event_that_cannot_be_is_refused_and_not_written(
    program: Shop, owner: Shop, change: dict[str, Any], code: str
) -> None:
    body = {"type": "custom.note", "message": "x", **change}
    assert problem(program.post("/v1/activity", body)) == (422, code)
    assert owner.feed().items == []


def test_a_clock_five_minutes_ahead_is_taken(program: Shop) -> None:
    body = {"type": "custom.note", "message": "x", "occurred_at": "2026-02-23T10:05:00Z"}
    assert program.post("/v1/activity", body).status_code == 201


def test_an_event_that_cannot_be_written_is_not_acknowledged(
    program: Shop, owner: Shop, store: Store
) -> None:
    def broken(tx: Tx) -> None:
        if tx.dialect == "sqlite":
            tx.driver_sql(
                "CREATE TRIGGER broken BEFORE INSERT ON activity BEGIN SELECT RAISE(ROLLBACK, 'x'); END"
            )
        else:
            tx.driver_sql("ALTER TABLE activity ADD CONSTRAINT broken CHECK (type <> 'custom.note')")

    store.write(broken)
    answered = program.post("/v1/activity", {"type": "custom.note", "message": "x"})
    assert problem(answered) == (503, "unavailable")
    assert answered.headers["retry-after"] == "1"
    assert store.drops.total == 0, "who sent it knows"
    assert owner.feed().items == []


# -- resolving


def test_resolve_and_its_undo(owner: Shop, store: Store) -> None:
    entry_ids = [told(store, "sync.failed") for _ in range(3)]
    (shown,) = owner.feed(tab="attention").items
    late = told(store, "sync.failed")
    answered = owner.post(f"/v1/activity/{shown.id}/resolve", {"group": True, "seen": shown.group.seen})
    found = Resolved.model_validate_json(answered.content)
    assert (found.count, found.ids) == (3, entry_ids)
    assert found.entry is not None
    assert found.entry.resolved_by == "owner@example.com"
    assert [entry.id for entry in owner.feed(tab="attention").items] == [late]
    answered = owner.post(f"/v1/activity/{shown.id}/reopen", {"ids": found.ids})
    assert Resolved.model_validate_json(answered.content).ids == entry_ids
    assert owner.feed(tab="attention").items[0].group.count == 4


def test_resolve_of_those_that_a_search_shows(owner: Shop, store: Store) -> None:
    first, hidden, third = (told(store, "sync.failed") for _ in range(3))
    body = {"group": True, "seen": third, "ids": [first, third]}
    assert owner.post(f"/v1/activity/{third}/resolve", body).json()["ids"] == [first, third]
    assert [entry.id for entry in owner.feed(tab="attention").items] == [hidden]
    assert owner.post(f"/v1/activity/{third}/reopen", {"group": True}).json()["ids"] == [first, third]


def test_one_entry_without_a_body(owner: Shop, store: Store) -> None:
    entry_id, other = told(store, "sync.failed"), told(store, "sync.failed")
    assert owner.post(f"/v1/activity/{entry_id}/resolve").json()["ids"] == [entry_id]
    assert [entry.id for entry in owner.feed(tab="attention").items] == [other]
    assert owner.post(f"/v1/activity/{entry_id}/resolve").json()["count"] == 0
    assert owner.post(f"/v1/activity/{entry_id}/reopen").json()["ids"] == [entry_id]


def test_all_of_an_order(owner: Shop, store: Store, order_id: str) -> None:
    told(store, "order.cancelled", order_id=order_id)
    told(store, "order.cancelled")
    answered = owner.post("/v1/orders/SS-260223-0046/activity/resolve")
    assert (answered.json()["count"], answered.json()["entry"]) == (1, None)
    assert len(owner.feed(tab="attention").items) == 1
    assert problem(owner.post("/v1/orders/nothing/activity/resolve")) == (404, "not_found")


@pytest.mark.parametrize("act", ["resolve", "reopen"])
def test_refusals_of_resolving(owner: Shop, store: Store, act: str) -> None:
    quiet = told(store, "order.delivered")
    assert problem(owner.post(f"/v1/activity/{quiet}/{act}")) == (409, "not_resolvable")
    assert problem(owner.post(f"/v1/activity/nothing/{act}")) == (404, "not_found")
    assert problem(owner.post(f"/v1/activity/{quiet}/{act}", {"groups": True})) == (422, "invalid_request")


@pytest.mark.parametrize("act", ["resolve", "reopen"])
def test_at_most_500_are_named_at_once(owner: Shop, store: Store, act: str) -> None:
    entry_id = told(store, "sync.failed")
    answered = owner.post(f"/v1/activity/{entry_id}/{act}", {"ids": ["x"] * 501})
    assert problem(answered) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("role", "reads", "writes", "resolves"),
    [
        ("owner", True, True, True),
        ("admin", True, True, True),
        ("support", True, False, True),
        ("readonly", True, False, False),
        ("storefront", False, True, False),
    ],
)
def test_who_may_do_what(
    as_role: Any, store: Store, role: Role, reads: bool, writes: bool, resolves: bool
) -> None:
    entry_id = told(store, "sync.failed")
    shop: Shop = as_role(role)
    assert (shop.get("/v1/activity").status_code == 200) is reads
    assert (shop.post("/v1/activity", {"type": "custom.x", "message": "x"}).status_code == 201) is writes
    answered = shop.post(f"/v1/activity/{entry_id}/resolve")
    assert answered.status_code == (200 if resolves else 403)
    if not resolves:
        assert answered.json()["reason"] == "insufficient_permissions"


# -- once


def test_a_repeat_with_a_key_changes_nothing_and_keeps_no_names(
    owner: Shop, program: Shop, store: Store, clock: FrozenClock
) -> None:
    def unit(tx: Tx) -> str:
        made, _ = make_order(tx)
        found = activity.log(tx, "email.bounced", order_id=made)
        assert found is not None
        return found

    entry_id = store.write(unit)
    key = {"Idempotency-Key": "key-1"}
    first = owner.post(f"/v1/activity/{entry_id}/resolve", None, **key)
    assert first.json()["entry"]["message"] == "Email bounced: tom@example.com"
    owner.post(f"/v1/activity/{entry_id}/reopen")
    again = owner.post(f"/v1/activity/{entry_id}/resolve", None, **key)
    assert (again.json()["count"], again.json()["ids"]) == (1, [entry_id])
    assert len(owner.feed(tab="attention").items) == 1, "the repeat resolved nothing"

    body = {"type": "custom.note", "message": "Avery called"}
    first = program.post("/v1/activity", body, **key)
    again = program.post("/v1/activity", body, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert problem(program.post("/v1/activity", {**body, "message": "x"}, **key)) == (
        409,
        "idempotency_conflict",
    )
    kept = store.read(lambda tx: "".join(tx.execute(select(idempotency.c.body)).scalars()))
    assert "tom@" not in kept
    assert "Avery" not in kept
    assert entry_id in kept
