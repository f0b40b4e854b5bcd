"""Mails that come back: told by the mail service, believed when it brings the token, noted once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.activity.models import activity
from server.app import App
from server.contract.orders import Order
from server.kit.clock import HOUR
from server.kit.db import Store
from tests.server.conftest import Staff
from tests.server.mail.desk import Desk
from tests.support.serving import in_process

TOKEN = "bounce-token-of-the-tests-0123456789"
PATH = "/webhooks/mail/bounces"


@pytest.fixture
def http(app: App, desk: Desk) -> Iterator[httpx.Client]:
    """The mail service, with the shop's token."""
    desk.set({"mail.bounce_token": TOKEN})
    with in_process(app) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


@pytest.fixture
def order(desk: Desk) -> Order:
    """An order whose confirmation was sent."""
    made = desk.paid()
    desk.work()
    return made


def bounces(store: Store) -> list[Any]:
    told = select(activity).where(activity.c.type == "email.bounced").order_by(activity.c.seq)
    return store.read(lambda tx: list(tx.execute(told).all()))


def told(http: httpx.Client, **body: Any) -> None:
    answer = http.post(PATH, json=body)
    assert (answer.status_code, answer.json()) == (200, {"received": True}), answer.text


def test_a_mail_that_came_back_is_known_by_its_id(
    http: httpx.Client, desk: Desk, order: Order, staff: Staff
) -> None:
    message_id = desk.post.taken[0].message["Message-ID"]
    desk.clock.advance(HOUR)
    told(
        http,
        message_id=message_id.strip("<>"),
        kind="hard",
        reason="No such user",
        occurred_at="2026-02-23T10:30:00Z",
        event_id="evt_1",
    )
    (row,) = desk.mails()
    assert (row.bounce, row.bounced_at and row.bounced_at.isoformat()) == (
        "hard",
        "2026-02-23T10:30:00+00:00",
    )
    (entry,) = bounces(desk.store)
    assert (entry.order_id, entry.level) == (order.id, "warning")
    assert desk.shop.texts(order) == ["No such user"]
    said = http.get("/v1/activity?q=bounced", headers=staff.bearer("owner")).json()
    assert "Email bounced: mary@example.com (hard)" in str(said)
    assert "mary" not in str(entry.params)


@pytest.mark.parametrize("email", ["mary@example.com", "MARY@Example.COM"])
def test_or_by_its_address(http: httpx.Client, desk: Desk, order: Order, email: str) -> None:
    told(http, email=email, kind="soft")
    assert desk.mails()[0].bounce == "soft"
    assert bounces(desk.store)[0].order_id == order.id


def test_told_twice_it_is_one_bounce(http: httpx.Client, desk: Desk, order: Order) -> None:
    message_id = desk.post.taken[0].message["Message-ID"]
    for _ in range(2):
        told(http, message_id=message_id, event_id="evt_1")
    assert len(bounces(desk.store)) == 1
    first = desk.mails()[0].bounced_at
    desk.clock.advance(HOUR)
    for _ in range(2):
        told(http, message_id=message_id, kind="complaint", event_id="evt_2")
    assert len(bounces(desk.store)) == 2
    assert desk.mails()[0].bounced_at == first, "the first time stands"


def test_without_an_id_the_same_words_are_the_same_bounce(
    http: httpx.Client, desk: Desk, order: Order
) -> None:
    for _ in range(3):
        told(http, email="mary@example.com", occurred_at="2026-02-23T09:59:00Z")
    told(http, email="mary@example.com", occurred_at="2026-02-23T09:59:30Z")
    assert len(bounces(desk.store)) == 2


def test_about_somebody_unknown_it_is_nothing(http: httpx.Client, desk: Desk, order: Order) -> None:
    told(http, email="stranger@example.com")
    told(http, message_id="<nobody@example.com>")
    told(http, message_id="' OR 1=1 --")
    assert bounces(desk.store) == []
    assert desk.mails()[0].bounced_at is None


def test_about_somebody_who_was_never_written_to(http: httpx.Client, desk: Desk) -> None:
    order = desk.shop.order()
    told(http, email="mary@example.com")
    (entry,) = bounces(desk.store)
    assert order.customer is not None
    assert (entry.person_id, entry.order_id) == (order.customer.id, None)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer ä",
    ],
)
def test_without_the_token_nothing_is_believed(
    http: httpx.Client, desk: Desk, order: Order, header: str | None
) -> None:
    del http.headers["Authorization"]
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    for body in ({"email": "mary@example.com"}, {"email": 7}, None):
        answer = http.post(PATH, json=body, headers=headers)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert TOKEN not in answer.text
    assert bounces(desk.store) == []


def test_a_staff_token_opens_nothing_here(http: httpx.Client, staff: Staff) -> None:
    answer = http.post(PATH, json={"email": "mary@example.com"}, headers=staff.bearer("owner"))
    assert answer.status_code == 401


def test_a_shop_without_a_token_takes_none(http: httpx.Client, desk: Desk) -> None:
    desk.set({"mail.bounce_token": ""})
    answer = http.post(PATH, json={"email": "mary@example.com"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "mail.bounce_token" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "hard"},
        {"email": "mary@example.com", "kind": "very"},
        {"email": "mary@example.com", "occurred_at": "yesterday"},
        {"email": "mary@example.com", "subject": "x"},
        {"message_id": 7},
    ],
)
def test_what_is_no_bounce_is_refused(
    http: httpx.Client, desk: Desk, order: Order, body: dict[str, Any]
) -> None:
    answer = http.post(PATH, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert bounces(desk.store) == []


def test_who_keeps_guessing_waits_and_the_mail_service_does_not(http: httpx.Client) -> None:
    bounce = {"email": "tom@example.com", "kind": "hard"}
    guesses = [
        http.post(PATH, json=bounce, headers={"Authorization": f"Bearer {guess:032}"}) for guess in range(21)
    ]
    assert [answer.status_code for answer in guesses] == [401] * 20 + [429]
    assert guesses[-1].json()["code"] == "rate_limited"
    assert int(guesses[-1].headers["Retry-After"]) >= 1
    told(http, **bounce)
