"""What is told when the catalogue changes: each change once, to the right topics, with ids and nothing else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from server.kit.db import Store
from tests.server.conftest import Staff
from tests.support.told import Told, Topics

SOCKS: dict[str, Any] = {
    "slug": "wool-socks",
    "name": "Wool socks",
    "variants": [{"name": "S", "stock": 3}, {"name": "M"}],
}


@pytest.fixture
def owner(http: httpx.Client, staff: Staff) -> httpx.Client:
    http.headers.update(staff.bearer("owner"))
    return http


@pytest.fixture
def told(store: Store, owner: httpx.Client) -> Topics:
    del owner  # first everybody is let in
    topics = Topics(store)
    topics.new()
    return topics


def made(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/v1/products", json=SOCKS | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def product(event: str, product_id: str) -> Told:
    topics = frozenset({"shop:products", f"shop:products:{product_id}"})
    return Told(event, {"product_id": product_id}, topics)


def stock(product_id: str, variant_id: str, change: int) -> Told:
    data = {"product_id": product_id, "variant_id": variant_id, "change": change}
    return Told("inventory_updated", data, frozenset({"shop:inventory", f"shop:products:{product_id}"}))


def test_a_product_is_made_changed_and_taken_away(owner: httpx.Client, told: Topics) -> None:
    found = made(owner)
    key, small = found["id"], found["items"][0]["id"]
    assert told.new("shop:") == [product("product_created", key), stock(key, small, 3)]
    owner.patch("/v1/products/wool-socks", json={"name": "Woollen socks"})
    assert told.new("shop:") == [product("product_updated", key)]
    owner.put("/v1/products/wool-socks/options", json={"options": [{"key": "engraving"}]})
    assert told.new("shop:") == [product("product_updated", key)]
    owner.delete("/v1/products/wool-socks")
    assert told.new("shop:") == [stock(key, small, -3), product("product_deleted", key)]


def test_what_is_refused_is_not_told(owner: httpx.Client, told: Topics) -> None:
    small = made(owner)["items"][0]["id"]
    told.new()
    assert owner.post("/v1/products", json=SOCKS).status_code == 409
    assert owner.patch("/v1/products/wool-socks", json={"category": "none"}).status_code == 422
    assert owner.delete("/v1/products/none").status_code == 404
    assert owner.post(f"/v1/variants/{small}/stock", json={"change": -4}).status_code == 409
    assert owner.post("/v1/products/changes", json={"ids": ["none"], "available": False}).status_code == 404
    assert told.new("shop:") == []


def test_stock_is_told_with_its_sign_wherever_it_moves(owner: httpx.Client, told: Topics) -> None:
    found = made(owner)
    key, (small, medium) = found["id"], (one["id"] for one in found["items"])
    told.new()

    def move(variant: str, **body: int) -> list[Told]:
        assert owner.post(f"/v1/variants/{variant}/stock", json=body).status_code == 200
        return told.new("shop:")

    assert move(small, change=-2) == [stock(key, small, -2)]
    assert move(small, change=5) == [stock(key, small, 5)]
    assert move(small, stock=1) == [stock(key, small, -5)]
    assert move(small, stock=1) == [], "it stood there already"
    assert move(medium, stock=4) == [stock(key, medium, 4)]
    variants = [{"id": medium, "name": "M", "stock": 6}, {"name": "L", "stock": 2}]
    after = owner.patch("/v1/products/wool-socks", json={"variants": variants}).json()["items"]
    assert told.new("shop:inventory") == [
        Told(one.event, one.data, frozenset({"shop:inventory"}))
        for one in (stock(key, small, -1), stock(key, medium, 2), stock(key, after[1]["id"], 2))
    ]


def test_many_at_once_reach_the_list_and_each_open_product(owner: httpx.Client, told: Topics) -> None:
    one, two, three = (made(owner, slug=f"socks-{n}")["id"] for n in range(3))
    owner.patch("/v1/products/socks-2", json={"available": False})
    told.new()
    body = {"ids": [three, two, one, two], "available": False}
    assert owner.post("/v1/products/changes", json=body).json() == {"changed": [one, two]}
    event, status = "products_bulk_status_changed", {"status": "unavailable"}
    assert told.new("shop:") == [
        Told(event, {"ids": [one, two], **status}, frozenset({"shop:products"})),
        Told(event, {"ids": [one], **status}, frozenset({f"shop:products:{one}"})),
        Told(event, {"ids": [two], **status}, frozenset({f"shop:products:{two}"})),
    ]
    assert owner.post("/v1/products/changes", json=body).json() == {"changed": []}
    assert told.new("shop:") == []
    assert owner.get("/v1/products/socks-0").json()["available"] is False
    half = owner.post("/v1/products/changes", json={"ids": [one, "none"], "available": True})
    assert (half.status_code, owner.get("/v1/products/socks-0").json()["available"]) == (404, False)


def test_categories(owner: httpx.Client, told: Topics) -> None:
    key = owner.post("/v1/categories", json={"slug": "feet", "name": "For feet"}).json()["id"]
    owner.patch("/v1/categories/feet", json={"slug": "toes", "name": "For toes"})
    owner.delete("/v1/categories/toes")
    assert told.new("shop:") == [
        Told(f"category_{what}", {"category_id": key}, frozenset({"shop:categories"}))
        for what in ("created", "updated", "deleted")
    ]


def test_options_are_kept_and_said_once_each(owner: httpx.Client) -> None:
    made(owner)
    options = [
        {"key": "colour", "required": True, "choices": ["red", 1, "1", True]},
        {"key": "engraving", "required": False, "choices": []},
    ]
    answer = owner.put("/v1/products/wool-socks/options", json={"options": options[::-1]})
    assert answer.json()["options"] == options
    assert owner.get("/v1/products/wool-socks").json()["options"] == options
    twice = owner.put("/v1/products/wool-socks/options", json={"options": [options[0]] * 2})
    assert twice.status_code == 422
    assert owner.put("/v1/products/none/options", json={"options": []}).status_code == 404
