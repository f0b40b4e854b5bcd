"""Files: kept as they came, given back to be saved, never more than there is room for, nobody's but their owner's."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import httpx
import pytest

from server.content import files
from server.kit.db import Store
from server.settings import service as settings
from tests.server.conftest import Staff
from tests.server.orders.shop import Shop
from tests.support.signed_up import Customer, sign_up

CONTENT = b"<script>alert(1)</script>\x00\xff"


@pytest.fixture
def mary(store: Store) -> Customer:
    return sign_up(store, "mary@example.com")


@pytest.fixture
def owner(http: httpx.Client, staff: Staff) -> httpx.Client:
    http.headers.update(staff.bearer("owner"))
    return http


def body(content: bytes = CONTENT, **changed: Any) -> dict[str, Any]:
    fields = {"name": "page.html", "media_type": "text/html", "content": base64.b64encode(content).decode()}
    return fields | changed


def test_a_file_comes_back_as_it_came_and_only_to_be_saved(owner: httpx.Client) -> None:
    name = 'a "näme"\r\nSet-Cookie: x=1; ../page.html'
    found = owner.post("/v1/files", json=body(name=name)).json()
    assert (found["size"], found["sha256"]) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert owner.get(f"/v1/files/{found['id']}").json() == found
    given = owner.get(f"/v1/files/{found['id']}/content")
    assert given.content == CONTENT
    assert given.headers["content-type"] == "application/octet-stream", "a page is not shown as one"
    assert given.headers["x-content-type-options"] == "nosniff"
    assert given.headers["content-security-policy"].startswith("sandbox")
    assert given.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''a%20%22n%C3%A4me%22%0D%0ASet-Cookie%3A%20x%3D1%3B%20..%2Fpage.html"
    )
    assert "set-cookie" not in given.headers
    picture = owner.post("/v1/files", json=body(media_type="image/png")).json()
    assert owner.get(f"/v1/files/{picture['id']}/content").headers["content-type"] == "image/png"
    assert owner.get("/v1/files/none/content").status_code == 404


def test_the_largest_file_fits_and_one_byte_more_does_not(owner: httpx.Client) -> None:
    assert owner.post("/v1/files", json=body(b"x" * files.MOST)).status_code == 201
    over = owner.post("/v1/files", json=body(b"x" * (files.MOST + 1)))
    assert (over.status_code, over.json()["code"]) == (413, "payload_too_large")
    for bad in ("!!!!", "abc", "YQ==\n", "YQ"):
        assert owner.post("/v1/files", json=body() | {"content": bad}).status_code == 422, bad
    assert len(owner.get("/v1/files").json()["items"]) == 1


def test_there_is_room_for_so_much_and_no_more(
    http: httpx.Client, staff: Staff, mary: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_OF_ONE", 50)
    monkeypatch.setattr(files, "MOST_IN_ALL", 100)

    def keep(size: int, headers: dict[str, str], path: str = "/v1/files") -> httpx.Response:
        return http.post(path, json=body(b"x" * size), headers=headers)

    own = keep(50, mary.bearer, "/v1/my/files")
    assert own.status_code == 201
    full = keep(1, mary.bearer, "/v1/my/files")
    assert (full.status_code, full.json()["code"]) == (409, "storage_full")
    assert keep(50, staff.bearer("owner")).status_code == 201
    assert keep(1, staff.bearer("owner")).json()["code"] == "storage_full"
    assert http.delete(f"/v1/my/files/{own.json()['id']}", headers=mary.bearer).status_code == 200
    assert keep(50, staff.bearer("owner")).status_code == 201
    monkeypatch.setattr(files, "MOST_IN_ALL", 1_000)
    monkeypatch.setattr(files, "MOST_FILES", 2)
    assert keep(1, staff.bearer("owner")).json()["code"] == "storage_full"


def test_customers_see_their_own_files_alone(
    http: httpx.Client, store: Store, staff: Staff, mary: Customer
) -> None:
    eve = sign_up(store, "eve@example.com")
    mine = http.post("/v1/my/files", json=body(), headers=mary.bearer).json()["id"]
    about = http.post(
        "/v1/files", json=body(email="MARY@example.com"), headers=staff.bearer("storefront")
    ).json()
    listed = http.get("/v1/files", headers=mary.bearer).json()["items"]
    assert [one["id"] for one in listed] == [about["id"], mine]
    assert http.get("/v1/files", headers=eve.bearer).json()["items"] == []
    for path in (f"/v1/files/{mine}", f"/v1/files/{mine}/content"):
        assert http.get(path, headers=eve.bearer).status_code == 404
        assert http.get(path, headers=mary.bearer).status_code == 200
        assert http.get(path, headers=staff.bearer("readonly")).status_code == 200
    assert http.delete(f"/v1/my/files/{mine}", headers=eve.bearer).status_code == 404
    assert http.get(f"/v1/files/{mine}", headers=mary.bearer).status_code == 200
    assert http.delete(f"/v1/files/{mine}", headers=staff.bearer("support")).status_code == 200


def test_a_file_may_belong_to_an_order_of_its_owner(
    http: httpx.Client, store: Store, staff: Staff, mary: Customer
) -> None:
    order = Shop(store).order(customer={"email": "mary@example.com"})
    eve = sign_up(store, "eve@example.com")
    found = http.post("/v1/my/files", json=body(order=order.number), headers=mary.bearer).json()
    assert found["order"] == {"id": order.id, "number": order.number}
    for path, headers in (("/v1/my/files", eve.bearer), ("/v1/files", staff.bearer("owner"))):
        wanted = 422 if path == "/v1/my/files" else 201
        assert http.post(path, json=body(order=order.id), headers=headers).status_code == wanted
    assert http.post("/v1/my/files", json=body(ticket_id="none"), headers=mary.bearer).status_code == 422


def test_a_file_beside_a_ticket_goes_with_it(
    http: httpx.Client, store: Store, staff: Staff, mary: Customer
) -> None:
    """Nobody else puts one there, nobody where the shop wants none, and none is left pointing at nothing."""
    asked = {"title": "Where is my tee?", "description": "A week now.", "email": "mary@example.com"}
    owner = staff.bearer("owner")
    ticket = http.post("/v1/tickets", json=asked, headers=owner).json()["id"]
    beside = body(ticket_id=ticket)
    eve = sign_up(store, "eve@example.com")
    assert http.post("/v1/my/files", json=beside, headers=eve.bearer).status_code == 422
    kept = http.post("/v1/my/files", json=beside, headers=mary.bearer).json()
    assert kept["ticket_id"] == ticket
    store.write(lambda tx: settings.set_value(tx, "tickets.attachments", "off"))
    for path, headers in (("/v1/my/files", mary.bearer), ("/v1/files", owner)):
        refused = http.post(path, json=beside, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "attachments_disabled")
    assert http.post("/v1/my/files", json=body(), headers=mary.bearer).status_code == 201
    assert http.get(f"/v1/files/{kept['id']}", headers=mary.bearer).status_code == 200
    assert http.delete(f"/v1/tickets/{ticket}", headers=owner).status_code == 200
    assert http.get(f"/v1/files/{kept['id']}", headers=mary.bearer).status_code == 404
