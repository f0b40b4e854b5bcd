"""Carts over HTTP: the way of a shop's front from the first product to the order, and the night's work."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.accounts.models import token
from server.audit.models import audit
from server.jobs.runner import Runner
from server.jobs.service import enqueue
from server.kit.clock import DAY, FrozenClock
from server.kit.db import Store
from server.kit.schema import idempotency
from tests.server.carts.till import SESSION, Till
from tests.server.conftest import Staff


@pytest.fixture
def front(http: httpx.Client, staff: Staff) -> httpx.Client:
    http.headers.update(staff.bearer("storefront"))
    return http


def cart(client: httpx.Client, **who: Any) -> dict[str, Any]:
    answer = client.post("/v1/shop-carts", json=who or {"session": SESSION})
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_from_the_first_product_to_the_order(
    front: httpx.Client, till: Till, staff: Staff, store: Store
) -> None:
    first = front.post("/v1/shop-carts", json={"session": SESSION})
    assert (first.status_code, first.json()["state"], first.json()["expires_at"] is not None) == (
        201,
        "active",
        True,
    )
    assert front.post("/v1/shop-carts", json={"session": SESSION}).status_code == 200
    path = f"/v1/shop-carts/{first.json()['id']}"
    line = {"product_id": till.socks, "variant_id": till.small, "specs": {"engraving": "Zanzibar"}}
    added = front.post(f"{path}/lines", json=line | {"quantity": 2})
    assert added.status_code == 201
    assert added.json()["subtotal"] == {"amount": 2500, "currency": "GBP"}
    other = front.post(f"{path}/lines", json=line | {"specs": None}).json()["lines"][1]["id"]
    assert front.patch(f"{path}/lines/{other}", json={"quantity": 4}).json()["lines"][1]["quantity"] == 4
    assert len(front.delete(f"{path}/lines/{other}").json()["lines"]) == 1
    empty = front.post(f"{path}/convert", json={"email": "guest@example.com"})
    assert (empty.status_code, empty.json()["code"]) == (409, "no_shipping_method")
    chosen = {"shipping_method": "post", "shipping": {"amount": 395, "currency": "GBP"}}
    assert front.patch(path, json=chosen | {"payment_option": "card"}).status_code == 200, (
        "cards are taken where webhooks are"
    )
    body, key = {"email": "guest@example.com"}, {"Idempotency-Key": "convert"}
    done = front.post(f"{path}/convert", json=body, headers=key)
    again = front.post(f"{path}/convert", json=body, headers=key)
    assert (done.status_code, done.json()["state"], done.json()["total"]["amount"]) == (
        200,
        "converted",
        2895,
    )
    assert again.json()["order"] == done.json()["order"]
    late = front.post(f"{path}/convert", json=body)
    assert (late.status_code, late.json()["code"]) == (409, "cart_not_active")

    number = done.json()["order"]["number"]
    assert done.json()["customer"] is None, "a front may not read people"
    owner = staff.bearer("owner")
    found = front.get("/v1/shop-carts", params={"order": number}, headers=owner).json()["items"]
    assert [(one["customer"]["email"], one["lines"][0]["specs"]) for one in found] == [
        ("guest@example.com", {"engraving": "Zanzibar"})
    ]
    order = front.get(f"/v1/orders/{number}", headers=owner).json()
    assert (order["total"]["amount"], order["payment_status"]) == (2895, "pending")
    written = store.read(
        lambda tx: tx.execute(select(audit).where(audit.c.action == "shop.order_converted")).all()
    )
    assert [(one.module, one.resource_id, one.metadata["order_number"]) for one in written] == [
        ("shop", order["id"], number)
    ]
    kept = str(store.read(lambda tx: tx.execute(select(idempotency.c.body)).all()))
    assert "Zanzibar" not in kept
    assert "guest@" not in kept


def test_who_may(front: httpx.Client, till: Till, staff: Staff) -> None:
    del till
    for role, wanted in (("admin", 201), ("support", 403), ("readonly", 403)):
        body = {"email": f"{role}@customers.example.com"}
        answer = front.post("/v1/shop-carts", json=body, headers=staff.bearer(role))  # type: ignore[arg-type]
        assert answer.status_code == wanted


def test_merging_and_clearing(front: httpx.Client, till: Till) -> None:
    guest, hers = cart(front), cart(front, email="mary@example.com")
    line = {"product_id": till.socks, "variant_id": till.small}
    for one in (guest, hers):
        front.post(f"/v1/shop-carts/{one['id']}/lines", json=line)
    merged = front.post(f"/v1/shop-carts/{guest['id']}/merge", json={"into": hers["id"]})
    assert (merged.json()["id"], [one["quantity"] for one in merged.json()["lines"]]) == (hers["id"], [2])
    assert front.get(f"/v1/shop-carts/{guest['id']}").json()["state"] == "merged"
    assert front.delete(f"/v1/shop-carts/{hers['id']}/lines").json()["lines"] == []
    assert front.get("/v1/shop-carts/none").status_code == 404


def test_what_a_front_sends_is_checked(front: httpx.Client, till: Till) -> None:
    key = cart(front)["id"]
    for specs in ({"colour": 1.5}, {"colour": ["red"]}, {"": "x"}, {"colour": {"a": 1}}, "red"):
        body = {"product_id": till.socks, "variant_id": till.small, "specs": specs}
        assert front.post(f"/v1/shop-carts/{key}/lines", json=body).status_code == 422, specs
    assert front.post("/v1/shop-carts", json={"session": "short"}).status_code == 422


def test_the_night_lets_go_of_guests_carts(
    front: httpx.Client, till: Till, store: Store, clock: FrozenClock
) -> None:
    key = cart(front)["id"]
    till.add(key)
    clock.advance(30 * DAY)
    store.write(lambda tx: tx.execute(token.update().values(expires_at=None)).rowcount)
    store.write(lambda tx: enqueue(tx, "shop_carts.expire").id)
    runner = Runner(store, monotonic=lambda: 0.0, vary=lambda: 0.5)
    assert runner.drain() >= 1
    found = front.get(f"/v1/shop-carts/{key}").json()
    assert (found["state"], found["lines"]) == ("expired", [])
