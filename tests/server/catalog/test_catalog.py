"""The catalogue over HTTP: products, variants, stock, categories."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from server.kit.clock import MINUTE, FrozenClock
from tests.server.conftest import Staff

SOCKS = {
    "slug": "wool-socks",
    "name": "Wool socks",
    "description": "Warm.",
    "image_url": "https://shop.example/socks.jpg",
    "variants": [
        {"name": "S", "sku": "WS-S", "price": {"amount": 1250, "currency": "GBP"}, "stock": 3},
        {"name": "M", "sku": "WS-M", "price": {"amount": 1350, "currency": "GBP"}},
    ],
}


@pytest.fixture
def owner(http: httpx.Client, staff: Staff) -> httpx.Client:
    http.headers.update(staff.bearer("owner"))
    return http


def made(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/v1/products", json=SOCKS | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_product_is_made_and_read_by_id_and_slug(owner: httpx.Client) -> None:
    found = made(owner)
    assert owner.get(f"/v1/products/{found['id']}").json() == found
    assert owner.get("/v1/products/wool-socks").json() == found
    assert [(one["name"], one["stock"]) for one in found["items"]] == [("S", 3), ("M", None)]
    assert found["variants"] == 2
    assert found["available"] is True
    assert found["url"] is None, "nobody said where the shop is"
    assert owner.get("/v1/products/no-such").status_code == 404
    assert owner.get("/v1/products/%F0%9F%A7%A6").status_code == 404


def test_a_storefront_may_keep_the_catalogue_and_support_only_reads(http: httpx.Client, staff: Staff) -> None:
    for role, wanted in (("storefront", 201), ("support", 403), ("readonly", 403), ("admin", 201)):
        body = SOCKS | {"slug": f"socks-{role}"}
        answer = http.post("/v1/products", json=body, headers=staff.bearer(role))  # type: ignore[arg-type]
        assert answer.status_code == wanted


def test_a_slug_is_taken_once(owner: httpx.Client) -> None:
    made(owner)
    again = owner.post("/v1/products", json=SOCKS)
    assert (again.status_code, again.json()["code"]) == (409, "slug_taken")
    made(owner, slug="linen-socks")
    moved = owner.patch("/v1/products/linen-socks", json={"slug": "wool-socks"})
    assert (moved.status_code, moved.json()["code"]) == (409, "slug_taken")


def test_a_providers_product_stands_there_once(owner: httpx.Client) -> None:
    made(owner, provider="printify", provider_product_id="p1")
    again = owner.post(
        "/v1/products", json=SOCKS | {"slug": "other", "provider": "printify", "provider_product_id": "p1"}
    )
    assert (again.status_code, again.json()["code"]) == (409, "provider_product_taken")
    lone = owner.post("/v1/products", json=SOCKS | {"slug": "other", "provider_product_id": "p1"})
    assert lone.status_code == 422


def test_what_is_left_out_of_a_change_stays(owner: httpx.Client) -> None:
    before = made(owner)
    after = owner.patch("/v1/products/wool-socks", json={"name": "Woollen socks"}).json()
    assert after == before | {"name": "Woollen socks"}
    gone = owner.patch("/v1/products/wool-socks", json={"description": None, "available": False}).json()
    assert (gone["description"], gone["available"], gone["items"]) == (None, False, before["items"])
    assert owner.patch("/v1/products/nothing", json={"name": "x"}).status_code == 404


def test_variants_keep_their_identity(owner: httpx.Client) -> None:
    found = made(owner)
    small = found["items"][0]
    after = owner.patch(
        "/v1/products/wool-socks",
        json={"variants": [{"name": "L"}, {"id": small["id"], "name": "Small", "stock": 9}]},
    ).json()["items"]
    assert [one["name"] for one in after] == ["L", "Small"]
    assert after[1]["id"] == small["id"]
    foreign = made(owner, slug="others")["items"][0]["id"]
    for bad in ([{"id": foreign, "name": "x"}], [{"id": small["id"], "name": "x"}] * 2):
        answer = owner.patch("/v1/products/wool-socks", json={"variants": bad})
        assert answer.status_code == 422
    assert owner.get("/v1/products/wool-socks").json()["items"] == after


def test_stock_is_set_and_moved_but_never_below_nothing(owner: httpx.Client) -> None:
    small, medium = made(owner)["items"]

    def move(variant: dict[str, Any], **body: int) -> httpx.Response:
        return owner.post(f"/v1/variants/{variant['id']}/stock", json=body)

    assert move(small, change=-2).json()["stock"] == 1
    low = move(small, change=-2)
    assert (low.status_code, low.json()["code"]) == (409, "stock_too_low")
    assert move(medium, change=1).json()["code"] == "stock_not_counted"
    assert move(medium, stock=4).json()["stock"] == 4
    assert move(small).status_code == 422
    assert move(small, stock=1, change=1).status_code == 422
    assert owner.post("/v1/variants/none/stock", json={"stock": 1}).status_code == 404
    assert [one["stock"] for one in owner.get("/v1/products/wool-socks").json()["items"]] == [1, 4]


def test_a_list_is_paged_and_filtered(owner: httpx.Client, clock: FrozenClock) -> None:
    owner.post("/v1/categories", json={"slug": "feet", "name": "For feet"})
    for n in range(5):
        clock.advance(MINUTE)
        made(owner, slug=f"socks-{n}", name=f"Socks {n}", category="feet" if n % 2 else None)
    first = owner.get("/v1/products", params={"limit": "2"}).json()
    assert [row["slug"] for row in first["items"]] == ["socks-4", "socks-3"]
    assert [row["variants"] for row in first["items"]] == [2, 2]
    second = owner.get("/v1/products", params={"limit": "2", "cursor": first["next"]}).json()
    assert [row["slug"] for row in second["items"]] == ["socks-2", "socks-1"]
    feet = owner.get("/v1/products", params={"category": "feet"}).json()["items"]
    assert [row["slug"] for row in feet] == ["socks-3", "socks-1"]
    assert feet[0]["category"]["name"] == "For feet"
    assert [r["slug"] for r in owner.get("/v1/products", params={"q": "SOCKS 3"}).json()["items"]] == [
        "socks-3"
    ]
    assert owner.get("/v1/products", params={"q": "%"}).json()["items"] == []
    owner.patch("/v1/products/socks-0", json={"available": False})
    out = owner.get("/v1/products", params={"available": "false"}).json()["items"]
    assert [row["slug"] for row in out] == ["socks-0"]


def test_categories_come_and_go_and_products_stay(owner: httpx.Client) -> None:
    assert owner.post("/v1/categories", json={"slug": "feet", "name": "For feet"}).status_code == 201
    assert owner.post("/v1/categories", json={"slug": "feet", "name": "x"}).json()["code"] == "slug_taken"
    made(owner, category="feet")
    assert owner.post("/v1/products", json=SOCKS | {"slug": "x", "category": "nope"}).status_code == 422
    renamed = owner.patch("/v1/categories/feet", json={"slug": "toes", "name": "For toes"})
    assert renamed.json()["slug"] == "toes"
    assert owner.get("/v1/products/wool-socks").json()["category"]["slug"] == "toes"
    assert owner.delete("/v1/categories/toes").json() == {"removed": True}
    assert owner.delete("/v1/categories/toes").status_code == 404
    assert owner.get("/v1/products/wool-socks").json()["category"] is None
    assert owner.get("/v1/categories").json()["items"] == []


def test_a_product_that_is_taken_away(owner: httpx.Client) -> None:
    found = made(owner)
    assert owner.delete("/v1/products/wool-socks").json() == {"removed": True}
    assert owner.get(f"/v1/products/{found['id']}").status_code == 404
    assert owner.delete("/v1/products/wool-socks").status_code == 404
    answer = owner.post(f"/v1/variants/{found['items'][0]['id']}/stock", json={"stock": 1})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"slug": "Wool Socks"},
        {"slug": ""},
        {"name": ""},
        {"image_url": "javascript:alert(1)"},
        {"variants": [{"name": "S", "stock": -1}]},
        {"variants": [{"name": "S", "price": {"amount": 1.5, "currency": "GBP"}}]},
        {"colour": "red"},
    ],
)
def test_nonsense_is_refused(owner: httpx.Client, change: dict[str, Any]) -> None:
    assert owner.post("/v1/products", json=SOCKS | change).status_code == 422
    assert owner.get("/v1/products").json()["items"] == []
