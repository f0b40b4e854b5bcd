"""The mails over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from server.kit.clock import SECOND
from tests.server.conftest import Staff
from tests.server.mail.desk import Desk


@pytest.fixture
def http(http: httpx.Client, staff: Staff) -> httpx.Client:
    """Somebody of the support."""
    http.headers.update(staff.bearer("support"))
    return http


def get(http: httpx.Client, path: str) -> Any:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def actions(http: httpx.Client, number: str) -> dict[str, str | None]:
    found = get(http, f"/v1/orders/{number}")["actions"]
    return {
        one["name"]: None if one["allowed"] else one["reason"]
        for one in found
        if one["name"].startswith("send")
    }


def test_m_sends_once_more_after_the_window(http: httpx.Client, desk: Desk) -> None:
    order = desk.paid()
    desk.work()
    asked = http.post(f"/v1/orders/{order.number}/mails", json={"kind": "confirmation"})
    assert asked.status_code == 202, asked.text
    job = asked.json()["job"]
    assert asked.json()["new"] is True
    assert (job["kind"], job["state"], job["outside"]) == ("mail.send", "waiting", True)
    assert job["held_until"] == "2026-02-23T10:00:05.000Z"
    assert job["asked_by"] == "support@example.com"
    again = http.post(f"/v1/orders/{order.number}/mails", json={"kind": "confirmation"})
    assert (again.status_code, again.json()["new"], again.json()["job"]["id"]) == (202, False, job["id"])
    desk.work(5 * SECOND)
    listed = get(http, f"/v1/orders/{order.id}/mails")["mails"]
    assert [(row["kind"], row["state"], row["to"]) for row in listed] == [
        ("confirmation", "sent", "mary@example.com"),
        ("confirmation", "sent", "mary@example.com"),
    ]
    assert listed[0]["sent_at"] == "2026-02-23T10:00:05.000Z"


def test_z_takes_it_back(http: httpx.Client, desk: Desk) -> None:
    order = desk.paid()
    desk.work()
    asked = http.post(f"/v1/orders/{order.id}/mails", json={"kind": "confirmation"}).json()
    undone = http.post(f"/v1/jobs/{asked['job']['id']}/cancel")
    assert (undone.status_code, undone.json()["state"]) == (200, "cancelled")
    desk.work(60 * SECOND)
    assert get(http, f"/v1/orders/{order.id}/mails")["mails"][0]["state"] == "cancelled"
    assert len(desk.post.taken) == 1


def test_what_is_offered_is_what_is_done(http: httpx.Client, desk: Desk, staff: Staff) -> None:
    order = desk.shop.order()

    def tried(kind: str) -> tuple[int, str | None]:
        answer = http.post(f"/v1/orders/{order.id}/mails", json={"kind": kind, "hold_seconds": 0})
        return answer.status_code, answer.json().get("code")

    def both() -> dict[str, tuple[int, str | None]]:
        return {kind: tried(kind) for kind in ("confirmation", "shipping")}

    expected = {"send_mail": "not_paid", "send_confirmation": "not_paid", "send_shipping": "not_shipped"}
    assert actions(http, order.number) == expected
    assert both() == {"confirmation": (409, "not_paid"), "shipping": (409, "not_shipped")}
    desk.shop.pay(order)
    assert actions(http, order.number) == expected | {"send_mail": None, "send_confirmation": None}
    assert both() == {"confirmation": (202, None), "shipping": (409, "not_shipped")}
    desk.shop.step(order.id, "shipped")
    assert set(actions(http, order.number).values()) == {None}
    assert both() == {"confirmation": (202, None), "shipping": (202, None)}
    http.headers.update(staff.bearer("readonly"))
    assert set(actions(http, order.number).values()) == {"insufficient_permissions"}
    assert both() == {"confirmation": (403, "forbidden"), "shipping": (403, "forbidden")}
    http.headers.update(staff.bearer("support"))
    desk.erase(desk.shop.get(order.id))
    assert set(actions(http, order.number).values()) == {"no_address"}
    assert both() == {"confirmation": (409, "no_address"), "shipping": (409, "no_address")}


@pytest.mark.parametrize(
    "body", [{}, {"kind": "recovery"}, {"kind": "confirmation", "hold_seconds": 61}, {"to": "x"}]
)
def test_what_cannot_be_meant_is_refused(http: httpx.Client, desk: Desk, body: dict[str, Any]) -> None:
    order = desk.paid()
    answer = http.post(f"/v1/orders/{order.id}/mails", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_unknown_ones(http: httpx.Client) -> None:
    assert http.get("/v1/orders/SS-260223-0009/mails").status_code == 404
    assert http.post("/v1/orders/x/mails", json={"kind": "shipping"}).status_code == 404
    assert http.get("/v1/mails/x").status_code == 404


def test_all_mails_in_pages(http: httpx.Client, desk: Desk) -> None:
    for _ in range(5):
        desk.paid()
        desk.clock.advance(1)
    first = get(http, "/v1/mails?limit=2")
    second = get(http, f"/v1/mails?limit=2&cursor={first['next']}")
    third = get(http, f"/v1/mails?limit=2&cursor={second['next']}")
    ids = [row["id"] for page in (first, second, third) for row in page["items"]]
    assert ids == [row.id for row in reversed(desk.mails())]
    assert third["next"] is None
    assert get(http, f"/v1/mails?limit=2&cursor={third['prev']}") == second
    wrong = http.get(f"/v1/orders?cursor={first['next']}")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_cursor")


def test_a_kept_mail_can_be_read(http: httpx.Client, desk: Desk) -> None:
    desk.set({"mail.adapter": "outbox"})
    desk.paid()
    desk.work()
    (row,) = get(http, "/v1/mails")["items"]
    whole = get(http, f"/v1/mails/{row['id']}")
    assert whole["state"] == "kept"
    assert whole["subject"].startswith("Your order SS-260223-0001")
    assert whole["text"].endswith("-- \nWool & Co\n")


def test_a_sent_mail_is_not_kept(http: httpx.Client, desk: Desk) -> None:
    desk.paid()
    desk.work()
    (row,) = get(http, "/v1/mails")["items"]
    whole = get(http, f"/v1/mails/{row['id']}")
    assert (whole["state"], whole["subject"], whole["text"]) == ("sent", None, None)


def test_the_test_mail_over_http(http: httpx.Client, desk: Desk, staff: Staff) -> None:
    http.headers.update(staff.bearer("owner"))
    answer = http.post("/v1/settings/tests/mail")
    assert answer.status_code == 200, answer.text
    assert answer.json()["ok"] is True
    assert len(desk.post.taken) == 1
