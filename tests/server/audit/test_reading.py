"""Reading the audit log: filters, totals and pages of the same rows, and nothing that is not one's own."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import httpx
import pytest

from server.kit.access import Role
from server.kit.clock import MINUTE, FrozenClock, parse_instant, rfc3339
from server.kit.db import Store
from tests.server.audit.entries import write
from tests.server.conftest import START, Staff

NOON = parse_instant(START)


def ask(
    http: httpx.Client, staff: Staff, query: str = "", role: Role = "owner", status: int = 200
) -> dict[str, Any]:
    answer = http.get(f"/v1/audit{query}", headers=staff.bearer(role))
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def log(store: Store, staff: Staff) -> dict[str, dict[str, Any]]:
    """Six entries that differ in each thing that is filtered by, newer ones last, after the staff's own."""
    made: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = [
        {"action": "post.created", "module": "content", "resource_type": "post", "resource_id": "p1"},
        {
            "action": "post.deleted",
            "module": "content",
            "resource_type": "post",
            "resource_id": "p2",
            "mode": "cron",
        },
        {"action": "postal.created", "module": "mail", "resource_type": "post", "resource_id": "P3_50%"},
        {
            "action": "billing.invoice_voided",
            "module": "billing",
            "resource_type": "invoice",
            "resource_id": "p1",
        },
        {"action": "post.created", "module": "content", "mode": "script"},
        {
            "action": "user.updated",
            "module": "access",
            "mode": "auto",
            "resource_type": "user",
            "resource_id": "u1",
        },
    ]
    for n, row in enumerate(rows):
        row |= {
            "inserted_at": NOON + (n + 1) * MINUTE,
            "actor_user_id": staff.users["support" if n % 2 else "admin"],
            "target_user_id": staff.users["readonly"] if n > 2 else None,
        }
        row["id"] = write(store, **row)
        made[str(row["id"])] = row
    return made


def filters(staff: Staff) -> dict[str, tuple[str, Any]]:
    """Each filter by its name: what is asked, and which rows fit."""
    return {
        "module": ("content", lambda row: row["module"] == "content"),
        "mode": ("manual", lambda row: row.get("mode", "manual") == "manual"),
        "action": ("post.*", lambda row: row["action"].startswith("post.")),
        "actor": (staff.users["admin"], lambda row: row["actor_user_id"] == staff.users["admin"]),
        "resource_type": ("post", lambda row: row.get("resource_type") == "post"),
        "resource_id": ("p1", lambda row: row.get("resource_id") == "p1"),
        "target": (staff.users["readonly"], lambda row: row["target_user_id"] == staff.users["readonly"]),
        "since": (rfc3339(NOON + 1 * MINUTE), lambda row: row["inserted_at"] >= NOON + 1 * MINUTE),
        "until": (rfc3339(NOON + 5 * MINUTE), lambda row: row["inserted_at"] <= NOON + 5 * MINUTE),
        "q": ("P1", lambda row: "p1" in row["action"] or "p1" in row.get("resource_id", "").lower()),
    }


def found(http: httpx.Client, query: dict[str, str], staff: Staff) -> list[str]:
    answer = http.get("/v1/audit", params=query, headers=staff.bearer("owner"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["items"])
    return [item["id"] for item in answer.json()["items"]]


def test_each_filter_alone_and_all_of_them_together(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]]
) -> None:
    known = filters(staff)
    after = {"since": rfc3339(NOON + 1)}  # without what the staff's own beginning wrote
    for many in (1, 2, len(known)):
        for names in combinations(known, many):
            query = after | {name: known[name][0] for name in names}
            fitting = [i for i, row in log.items() if all(known[name][1](row) for name in names)]
            assert found(http, query, staff) == fitting[::-1], names


def test_an_action_is_meant_exactly_or_by_its_beginning(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]]
) -> None:
    for action, many in (
        ("post.created", 2),
        ("post.*", 3),
        ("post", 0),
        ("post*", 0),
        ("*", 0),
        ("POST.*", 0),
    ):
        assert len(found(http, {"action": action}, staff)) == many, action


def test_both_ends_of_a_time_belong_to_it(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]]
) -> None:
    third = list(log)[2]
    at = rfc3339(NOON + 3 * MINUTE)
    assert found(http, {"since": at, "until": at}, staff) == [third]
    zoned = "2026-02-23T12:03:00+02:00"
    assert found(http, {"since": zoned, "until": zoned}, staff) == [third]
    answer = http.get(f"/v1/audit?since={zoned}&until={zoned}", headers=staff.bearer("owner"))
    assert [item["id"] for item in answer.json()["items"]] == [third], "a plus that came as a space"


@pytest.mark.parametrize(
    ("q", "many"), [("%", 1), ("_50", 1), ("p3_50%", 1), ("p_", 0), ("'", 0), ("VOIDED", 1), (" ", 6)]
)
def test_searching_is_literal(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]], q: str, many: int
) -> None:
    assert len(found(http, {"q": q, "since": rfc3339(NOON + 1)}, staff)) == many


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "until=2026-02-23",
        "page=one",
        "per_page=0",
        "per_page=201",
        "limit=0",
        f"q={'x' * 201}",
    ],
)
def test_what_cannot_be_meant_is_refused(http: httpx.Client, staff: Staff, query: str) -> None:
    assert ask(http, staff, f"?{query}", status=422)["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("page", "answered"), [(-5, 1), (0, 1), (1, 1), (2, 2), (3, 3), (4, 3), (99_999, 3), (10**18, 3)]
)
def test_a_page_out_of_range_is_the_nearest_there_is(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]], page: int, answered: int
) -> None:
    query = f"?action=post.*&per_page=1&page={page}"
    body = ask(http, staff, query)
    fitting = [i for i, row in log.items() if row["action"].startswith("post.")][::-1]
    assert [item["id"] for item in body["items"]] == fitting[answered - 1 : answered]
    told = {name: body[name] for name in ("total", "page", "per_page", "total_pages")}
    assert told == {"total": 3, "page": answered, "per_page": 1, "total_pages": 3}


@pytest.mark.parametrize("page", [0, 1, 99_999])
def test_nothing_is_one_empty_page(http: httpx.Client, staff: Staff, page: int) -> None:
    body = ask(http, staff, f"?action=none.*&page={page}")
    assert (body["items"], body["total"], body["page"], body["total_pages"]) == ([], 0, 1, 1)
    assert (body["next"], body["prev"]) == (None, None)


@pytest.mark.parametrize("many", [1, 2, 3, 4, 6, 7])
def test_pages_by_number_and_by_cursor_are_the_same(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]], many: int
) -> None:
    """Filters and the total go along from page to page, and a cursor goes on from a numbered page."""
    scope = f"since={rfc3339(NOON + 1)}&per_page={many}"
    first = ask(http, staff, f"?{scope}&page=1")
    pages = [ask(http, staff, f"?{scope}&page={n + 1}") for n in range(first["total_pages"])]
    assert [item["id"] for page in pages for item in page["items"]] == list(log)[::-1]
    body, seen = first, [first]
    while body["next"]:
        body = ask(http, staff, f"?{scope}&cursor={body['next']}")
        seen.append(body)
    assert [page["items"] for page in seen] == [page["items"] for page in pages]
    assert {page["total"] for page in seen} == {6}
    while body["prev"]:
        body = ask(http, staff, f"?{scope}&cursor={body['prev']}")
        assert body["total"] == 6
    assert body["items"] == first["items"]


def test_a_cursor_belongs_to_its_filters_and_its_reader(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]]
) -> None:
    cursor = ask(http, staff, "?action=post.*&per_page=1")["next"]
    assert ask(http, staff, f"?action=post.created&cursor={cursor}", status=400)["code"] == "invalid_cursor"
    assert ask(http, staff, f"?cursor={cursor}", status=400)["code"] == "invalid_cursor"
    assert ask(http, staff, f"?action=post.*&cursor={cursor}", "support", 400)["code"] == "invalid_cursor"
    assert ask(http, staff, f"?action=post.*&cursor={cursor}", "admin")["total"] == 3


def test_entries_that_come_meanwhile_make_no_cursor_skip(
    http: httpx.Client, staff: Staff, store: Store, log: dict[str, dict[str, Any]]
) -> None:
    body = ask(http, staff, "?action=post.*&per_page=2")
    write(store, action="post.created", inserted_at=NOON + 60 * MINUTE)
    rest = ask(http, staff, f"?action=post.*&per_page=2&cursor={body['next']}")
    assert len(rest["items"]) == 1
    assert rest["total"] == 4, "the total is of now"


def test_others_see_what_they_did_themselves_and_nothing_else(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]]
) -> None:
    everything = {item["id"] for item in ask(http, staff)["items"]}
    assert everything == {item["id"] for item in ask(http, staff, role="admin")["items"]}
    assert everything > set(log)
    mine = {i for i, row in log.items() if row["actor_user_id"] == staff.users["support"]}
    body = ask(http, staff, role="support")
    assert {item["id"] for item in body["items"]} == mine
    assert (body["total"], body["total_pages"]) == (len(mine), 1)
    assert ask(http, staff, role="readonly")["total"] == 0, "being the one concerned opens nothing"
    assert ask(http, staff, f"?actor={staff.users['admin']}", role="support")["total"] == 0
    assert ask(http, staff, "?q=p", role="readonly")["items"] == []
    assert ask(http, staff, "/choices", role="readonly") == {
        "modules": [], "modes": [], "actions": [], "resource_types": []
    }  # fmt: skip


def test_one_entry_is_there_for_who_may_see_it_and_for_nobody_else(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]]
) -> None:
    for entry_id, row in log.items():
        for role in ("owner", "admin", "support", "readonly"):
            may = role in ("owner", "admin") or row["actor_user_id"] == staff.users[role]
            body = ask(http, staff, f"/{entry_id}", role=role, status=200 if may else 404)
            assert body.get("id") == (entry_id if may else None)
            assert may or body["code"] == "not_found"
    assert ask(http, staff, "/nothing", status=404) == ask(
        http, staff, f"/{next(iter(log))}", "readonly", 404
    )


def test_a_token_of_a_lower_role_sees_no_more_than_that_role(
    http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]]
) -> None:
    made = http.post(
        "/v1/tokens", headers=staff.bearer("admin"), json={"name": "small", "role": "readonly"}
    ).json()
    body = http.get("/v1/audit", headers={"Authorization": f"Bearer {made['token']}"}).json()
    assert {item["actor"]["user_id"] for item in body["items"]} == {staff.users["admin"]}


def test_choices_are_what_there_is(http: httpx.Client, staff: Staff, log: dict[str, dict[str, Any]]) -> None:
    known = ask(http, staff, "/choices")
    assert known["modules"] == ["access", "billing", "content", "mail"]
    assert known["modes"] == ["auto", "cron", "manual", "script"]
    assert known["resource_types"] == ["invoice", "post", "token", "user"]
    assert {"post.created", "owner.created", "token.created"} < set(known["actions"])
    assert known["actions"] == sorted(known["actions"])
    mine = ask(http, staff, "/choices", role="support")
    assert mine == {
        "modules": ["access", "billing", "content"],
        "modes": ["auto", "cron", "manual"],
        "actions": ["billing.invoice_voided", "post.deleted", "user.updated"],
        "resource_types": ["invoice", "post", "user"],
    }


def test_the_clock_of_the_log_is_the_stores(
    http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock
) -> None:
    clock.advance(MINUTE)
    http.patch(
        f"/v1/users/{staff.users['support']}", headers=staff.bearer("owner"), json={"role": "readonly"}
    )
    newest = ask(http, staff)["items"][0]
    assert (newest["action"], newest["at"]) == ("user.role_changed", rfc3339(NOON + MINUTE))
    assert newest["summary"] == "Changed the role of support@example.com from support to readonly"
    assert newest["changes"] == ["role: support → readonly"]
    assert (newest["module"], newest["mode"], newest["actor"]["name"]) == (
        "access",
        "manual",
        "owner@example.com",
    )
