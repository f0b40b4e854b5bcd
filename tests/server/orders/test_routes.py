"""Orders over HTTP, as a shop's own programs and its staff use them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.kit.db import Store
from server.kit.schema import idempotency
from tests.server.conftest import Staff

ORDER: dict[str, Any] = {
    "customer": {"email": "mary@example.com", "name": "Mary Example", "address": {"city": "London"}},
    "items": [{"name": "Wool socks", "quantity": 2, "unit_price": {"amount": 1200, "currency": "GBP"}}],
    "currency": "gbp",
    "shipping": 395,
}


@pytest.fixture
def program(http: httpx.Client, staff: Staff) -> httpx.Client:
    """The shop's own program: a storefront token."""
    http.headers.update(staff.bearer("storefront"))
    return http


def read(http: httpx.Client, staff: Staff, path: str) -> Any:
    answer = http.get(path, headers=staff.bearer("readonly"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_program_makes_an_order_and_moves_it(program: httpx.Client, staff: Staff) -> None:
    made = program.post("/v1/orders", json=ORDER)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["number"], told["payment_status"], told["fulfilment_status"]) == (
        "SS-260223-0001",
        "pending",
        "unfulfilled",
    )
    assert told["total"] == {"amount": 2795, "currency": "GBP"}
    moved = program.post(
        f"/v1/orders/{told['number']}/fulfilment",
        json={"status": "shipped", "carrier": "DHL", "occurred_at": "2026-02-23T09:00:00Z"},
    )
    assert moved.status_code == 200, moved.text
    assert moved.json()["times"]["shipped_at"] == "2026-02-23T09:00:00.000Z"
    again = program.post(f"/v1/orders/{told['id']}/fulfilment", json={"status": "submitted"})
    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"
    assert again.json()["code"] == "invalid_transition"
    assert read(program, staff, f"/v1/orders/{told['id']}")["fulfilment_status"] == "shipped"


def test_a_program_is_not_told_whose_order_it_is(program: httpx.Client, staff: Staff) -> None:
    made = program.post("/v1/orders", json=ORDER).json()
    moved = program.post(f"/v1/orders/{made['id']}/fulfilment", json={"status": "submitted"}).json()
    for told in (made, moved):
        assert told["customer"] is None
        assert told["address"] is None
    whole = read(program, staff, f"/v1/orders/{made['id']}")
    assert whole["customer"]["email"] == "mary@example.com"
    assert whole["address"]["city"] == "London"


def test_an_idempotency_key_makes_one_order(program: httpx.Client, staff: Staff) -> None:
    key = {"Idempotency-Key": "cart-7"}
    first = program.post("/v1/orders", json=ORDER, headers=key)
    again = program.post("/v1/orders", json=ORDER, headers=key)
    assert first.json() == again.json()
    assert again.status_code == 201
    other = program.post("/v1/orders", json=ORDER | {"shipping": 1}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert read(program, staff, "/v1/orders/counts")["all"] == 1


def test_nobodys_name_is_kept_with_the_answer_to_a_repeat(
    http: httpx.Client, staff: Staff, store: Store
) -> None:
    headers = staff.bearer("owner") | {"Idempotency-Key": "cart-8"}
    first = http.post("/v1/orders", json=ORDER, headers=headers).json()
    assert first["customer"]["email"] == "mary@example.com"
    step = {"status": "failed", "reason": "Mary moved"}
    http.post(f"/v1/orders/{first['id']}/fulfilment", json=step, headers=headers | {"Idempotency-Key": "f"})
    kept = store.read(lambda tx: tx.execute(select(idempotency.c.body)).scalars().all())
    assert len(kept) == 2
    assert not [body for body in kept if "mary" in body.lower() or "London" in body]
    again = http.post("/v1/orders", json=ORDER, headers=headers).json()
    assert again == first | {"customer": None, "address": None}


def test_pages_by_cursor(program: httpx.Client, staff: Staff) -> None:
    for _ in range(5):
        program.post("/v1/orders", json=ORDER)
    first = read(program, staff, "/v1/orders?limit=2")
    second = read(program, staff, f"/v1/orders?limit=2&cursor={first['next']}")
    third = read(program, staff, f"/v1/orders?limit=2&cursor={second['next']}")
    numbers = [row["number"][-4:] for page in (first, second, third) for row in page["items"]]
    assert numbers == ["0005", "0004", "0003", "0002", "0001"]
    assert third["next"] is None
    assert first["prev"] is None
    assert read(program, staff, f"/v1/orders?limit=2&cursor={third['prev']}") == second
    oldest = read(program, staff, "/v1/orders?limit=2&edge=oldest")
    assert [row["number"][-4:] for row in oldest["items"]] == ["0002", "0001"]


def test_pages_in_another_order(program: httpx.Client, staff: Staff) -> None:
    for price in (300, 100, 300, 200):
        item = ORDER["items"][0] | {"unit_price": price}
        program.post("/v1/orders", json=ORDER | {"items": [item]})

    def numbers(page: dict[str, Any]) -> list[str]:
        return [row["number"][-4:] for row in page["items"]]

    first = read(program, staff, "/v1/orders?sort=total&limit=3")
    assert numbers(first) == ["0003", "0001", "0004"]
    second = read(program, staff, f"/v1/orders?sort=total&limit=3&cursor={first['next']}")
    assert (numbers(second), second["next"]) == (["0002"], None)
    assert read(program, staff, f"/v1/orders?sort=total&limit=3&cursor={second['prev']}") == first
    assert numbers(read(program, staff, "/v1/orders?sort=oldest&limit=2")) == ["0001", "0002"]
    assert numbers(read(program, staff, "/v1/orders?sort=oldest&limit=2&edge=oldest")) == ["0003", "0004"]


def test_a_cursor_belongs_to_its_list(program: httpx.Client, staff: Staff) -> None:
    for _ in range(2):
        program.post("/v1/orders", json=ORDER)
    cursor = read(program, staff, "/v1/orders?limit=1")["next"]
    for query in ("status=unpaid", "q=mary", "status=all&q=x", "sort=oldest", "sort=total", "sort=attention"):
        answer = program.get(f"/v1/orders?cursor={cursor}&{query}", headers=staff.bearer("readonly"))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
    edited = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    answer = program.get(f"/v1/orders?cursor={edited}", headers=staff.bearer("readonly"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_the_search_is_literal(program: httpx.Client, staff: Staff) -> None:
    program.post("/v1/orders", json=ORDER)
    assert len(read(program, staff, "/v1/orders?q=MARY%40example")["items"]) == 1
    assert read(program, staff, "/v1/orders?q=%25")["items"] == []


@pytest.mark.parametrize(
    "query", ["status=lost", "limit=0", "limit=201", "limit=x", "q=" + "x" * 201, "edge=middle", "sort=name"]
)
def test_a_query_that_cannot_be_meant_is_refused(http: httpx.Client, staff: Staff, query: str) -> None:
    answer = http.get(f"/v1/orders?{query}", headers=staff.bearer("owner"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "changed",
    [
        {"items": []},
        {"currency": "pounds"},
        {"customer": {"email": "nobody"}},
        {"customer": {"name": "Mary"}},
        {"items": [{"name": "S", "quantity": 0, "unit_price": 1}]},
        {"items": [{"name": "S", "quantity": 1, "unit_price": 1.5}]},
        {"items": [{"name": "S", "quantity": 1, "unit_price": {"amount": 1, "currency": "EUR"}}]},
        {"items": [{"name": "S", "quantity": 100_000, "unit_price": 10**12}] * 200},
        {"total": 1},
    ],
)
def test_an_order_that_cannot_be_is_refused(
    program: httpx.Client, staff: Staff, changed: dict[str, Any]
) -> None:
    answer = program.post("/v1/orders", json=ORDER | changed)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text
    assert answer.json()["fields"]
    assert read(program, staff, "/v1/orders/counts")["all"] == 0


@pytest.mark.parametrize("body", [b"{", b'{"a":NaN}', b"[" * 100_000, b'{"currency":"\\ud800"}', b"\xff"])
def test_a_body_that_is_not_json_is_refused(program: httpx.Client, body: bytes) -> None:
    answer = program.post("/v1/orders", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("path", ["/v1/orders/x", "/v1/orders/SS-260223-0009", "/v1/orders/%25"])
def test_an_unknown_order_is_not_found(http: httpx.Client, staff: Staff, path: str) -> None:
    read_answer = http.get(path, headers=staff.bearer("owner"))
    step = http.post(f"{path}/fulfilment", json={"status": "shipped"}, headers=staff.bearer("owner"))
    for answer in (read_answer, step):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_actions_say_what_each_role_may_do_now(program: httpx.Client, staff: Staff) -> None:
    made = program.post("/v1/orders", json=ORDER).json()
    program.post(f"/v1/orders/{made['id']}/fulfilment", json={"status": "failed", "reason": "no yarn"})

    def actions(role: Any) -> dict[str, str | None]:
        answer = program.get(f"/v1/orders/{made['id']}", headers=staff.bearer(role)).json()
        return {one["name"]: None if one["allowed"] else one["reason"] for one in answer["actions"]}

    assert actions("support") == {
        "resolve_all": None,
        "submit": None,
        "process": None,
        "ship": None,
        "deliver": None,
        "fail": "invalid_transition",
        "cancel": None,
        "send_mail": "not_paid",
        "send_confirmation": "not_paid",
        "send_shipping": "not_shipped",
        "submit_to_provider": "not_paid",
        "retry": "not_paid",
        "refresh": "not_at_provider",
    }
    assert set(actions("readonly").values()) == {"insufficient_permissions"}


@pytest.mark.parametrize("role", ["owner", "admin", "support", "storefront", "readonly"])
def test_what_is_offered_is_what_is_done(program: httpx.Client, staff: Staff, role: Any) -> None:
    """Every step that an order offers goes through, every other one is refused for the reason it gave."""
    verbs = {
        "submit": "submitted",
        "process": "processing",
        "ship": "shipped",
        "deliver": "delivered",
        "fail": "failed",
        "cancel": "cancelled",
    }
    for start in (None, *verbs.values()):
        for name, status in verbs.items():
            made = program.post("/v1/orders", json=ORDER).json()
            path = f"/v1/orders/{made['id']}/fulfilment"
            if start:
                program.post(path, json={"status": start})
            offered = {
                one["name"]: one
                for one in program.get(
                    f"/v1/orders/{made['id']}",
                    headers=staff.bearer("owner" if role == "storefront" else role),
                ).json()["actions"]
            }[name]
            if status == start:
                continue  # the same state again is no step and no error
            answer = program.post(path, json={"status": status}, headers=staff.bearer(role))
            if offered["allowed"]:
                assert answer.status_code == 200, answer.text
            else:
                problem = answer.json()
                assert offered["reason"] in (problem["code"], problem.get("reason"))
