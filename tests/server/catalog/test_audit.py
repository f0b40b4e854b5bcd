"""What staff do to the catalogue and to orders is written down once, when it was done; the shop's programs are not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.audit.models import audit
from server.kit.db import Store
from tests.server.conftest import Staff

ORDER = {
    "customer": {"email": "mary@example.com"},
    "items": [{"name": "Socks", "quantity": 1, "unit_price": 1250}],
    "currency": "GBP",
}


@pytest.fixture
def owner(http: httpx.Client, staff: Staff) -> httpx.Client:
    http.headers.update(staff.bearer("owner"))
    return http


def written(store: Store) -> list[tuple[str, str | None, dict[str, Any]]]:
    """Action, thing and facts of what the wrapper wrote."""
    mine = select(audit).where(audit.c.module.in_(("shop", "billing"))).order_by(audit.c.seq)
    rows = store.read(lambda tx: tx.execute(mine).all())
    for row in rows:
        assert row.metadata.pop("actor_role") == row.actor_role == "owner"
    return [(row.action, row.resource_id, row.metadata) for row in rows]


def test_the_catalogue(owner: httpx.Client, store: Store, staff: Staff) -> None:
    category = owner.post("/v1/categories", json={"slug": "feet", "name": "For feet"}).json()["id"]
    owner.patch("/v1/categories/feet", json={"slug": "toes", "name": "For toes"})
    key = owner.post("/v1/products", json={"slug": "socks", "name": "Socks"}).json()["id"]
    owner.patch("/v1/products/socks", json={"name": "Wool socks"})
    owner.put("/v1/products/socks/options", json={"options": []})
    for _ in range(2):
        owner.post("/v1/products/changes", json={"ids": [key], "available": False})
    assert owner.patch("/v1/products/none", json={"name": "x"}).status_code == 404
    assert owner.post("/v1/products", json={"slug": "socks", "name": "x"}).status_code == 409
    owner.delete("/v1/products/socks")
    owner.delete("/v1/categories/toes")
    front = staff.bearer("storefront")
    assert owner.post("/v1/products", json={"slug": "hat", "name": "Hat"}, headers=front).status_code == 201
    assert written(store) == [
        ("shop.category_created", category, {}),
        ("shop.category_updated", category, {}),
        ("shop.product_created", key, {}),
        ("shop.product_updated", key, {}),
        ("shop.product_updated", key, {}),
        ("shop.products_status_changed", None, {"count": 1, "status": "unavailable"}),
        ("shop.product_deleted", key, {}),
        ("shop.category_deleted", category, {}),
    ]


def test_orders(owner: httpx.Client, store: Store, staff: Staff) -> None:
    order = owner.post("/v1/orders", json=ORDER).json()
    path = f"/v1/orders/{order['number']}/fulfilment"
    for step in ("submitted", "submitted", "cancelled"):
        owner.post(path, json={"status": step, "reason": None})
    assert owner.post(path, json={"status": "shipped"}).status_code == 409
    assert owner.post("/v1/orders", json=ORDER, headers=staff.bearer("storefront")).status_code == 201
    about = {"order_number": order["number"], "amount": 1250, "currency": "GBP"}
    assert written(store) == [
        ("billing.order_created", order["id"], about),
        (
            "billing.order_updated",
            order["id"],
            about | {"status_from": "unfulfilled", "status_to": "submitted"},
        ),
        (
            "billing.order_cancelled",
            order["id"],
            about | {"status_from": "submitted", "status_to": "cancelled"},
        ),
    ]
