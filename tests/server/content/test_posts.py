"""Posts and comments: whose they are, who may touch them, and what is left of them after an erasure."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.schema import idempotency
from tests.server.conftest import Staff
from tests.support.signed_up import Customer, sign_up

POST = {"title": "Ten ways to darn", "body": "Begin with the heel."}


@pytest.fixture
def mary(store: Store) -> Customer:
    return sign_up(store, "mary@example.com", "Mary Example")


@pytest.fixture
def owner(http: httpx.Client, staff: Staff) -> httpx.Client:
    http.headers.update(staff.bearer("owner"))
    return http


def made(client: httpx.Client, path: str = "/v1/posts", **how: Any) -> dict[str, Any]:
    body = POST | how.pop("json", {})
    answer = client.post(path, json=body, **how)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_post_is_found_by_its_id_and_slug(owner: httpx.Client) -> None:
    found = made(owner, json={"email": "Mary@Example.com"})
    assert found["slug"] == "ten-ways-to-darn"
    assert found["author"]["email"] == "Mary@Example.com"
    for key in (found["id"], found["slug"]):
        assert owner.get(f"/v1/posts/{key}").json() == found
    assert made(owner)["slug"].startswith("ten-ways-to-darn-"), "another one is called so"
    assert owner.get("/v1/posts/none").status_code == 404


def test_nothing_personal_gets_into_a_slug(owner: httpx.Client) -> None:
    found = made(owner, json={"title": "Ask mary@example.com or +44 20 7946 0000"})
    assert found["slug"] == "ask-or"
    assert made(owner, json={"title": "020 7946 0000"})["slug"] == "post"


def test_who_names_nobody(http: httpx.Client, staff: Staff, mary: Customer) -> None:
    by_support = made(http, headers=staff.bearer("support"))
    assert by_support["author"]["email"] == "support@example.com"
    nobody = http.post("/v1/posts", json=POST, headers=staff.bearer("storefront"))
    assert (nobody.status_code, nobody.json()["fields"][0]["field"]) == (422, "email")
    own = made(http, "/v1/my/posts", headers=mary.bearer)
    assert own["author"] == {"id": None, "name": "Mary Example", "email": None, "phone": None, "erased": None}
    other = http.post("/v1/my/posts", json=POST | {"email": "eve@example.com"}, headers=mary.bearer)
    assert other.status_code == 422


def test_customers_touch_only_what_is_their_own(
    http: httpx.Client, store: Store, staff: Staff, mary: Customer
) -> None:
    eve = sign_up(store, "eve@example.com")
    post = made(http, "/v1/my/posts", headers=mary.bearer)
    path = f"/v1/my/posts/{post['id']}"
    for refused in (
        http.patch(path, json={"title": "mine"}, headers=eve.bearer),
        http.delete(path, headers=eve.bearer),
    ):
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert http.patch(f"/v1/posts/{post['id']}", json={"title": "x"}, headers=eve.bearer).status_code == 403
    assert http.get("/v1/my/posts", headers=eve.bearer).json()["items"] == []
    (listed,) = http.get("/v1/my/posts", headers=mary.bearer).json()["items"]
    assert listed["id"] == post["id"]
    assert http.get(f"/v1/posts/{post['id']}", headers=eve.bearer).json()["actions"] == [
        {"name": "change", "allowed": False, "reason": "insufficient_permissions"},
        {"name": "delete", "allowed": False, "reason": "insufficient_permissions"},
        {"name": "comment", "allowed": True, "reason": None},
    ]
    changed = http.patch(path, json={"title": "Eleven ways"}, headers=mary.bearer).json()
    assert (changed["title"], changed["body"], changed["slug"]) == ("Eleven ways", POST["body"], post["slug"])

    comment = http.post(f"{path}/comments", json={"body": "Nice."}, headers=eve.bearer).json()
    theirs = f"{path}/comments/{comment['id']}"
    assert http.delete(theirs, headers=mary.bearer).status_code == 404, (
        "it stands under hers, but is not hers"
    )
    elsewhere = made(http, headers=staff.bearer("owner"))["id"]
    assert (
        http.delete(f"/v1/my/posts/{elsewhere}/comments/{comment['id']}", headers=eve.bearer).status_code
        == 404
    )
    assert http.delete(theirs, headers=eve.bearer).status_code == 200
    assert http.delete(path, headers=mary.bearer).status_code == 200
    assert http.get(f"/v1/posts/{post['id']}", headers=mary.bearer).status_code == 404


def test_comments_are_counted_and_paged(owner: httpx.Client, clock: FrozenClock) -> None:
    post = made(owner)
    path = f"/v1/posts/{post['slug']}/comments"
    for n in range(5):
        clock.advance(MINUTE)
        said = owner.post(path, json={"body": f"No. {n}", "email": "eve@example.com"})
        assert (said.status_code, said.json()["author"]["email"]) == (201, "eve@example.com")
    page = owner.get(path, params={"limit": 3}).json()
    rest = owner.get(path, params={"limit": 3, "cursor": page["next"]}).json()
    assert [one["body"][-1] for one in (*page["items"], *rest["items"])] == list("43210")
    assert owner.get(f"/v1/posts/{post['id']}").json()["comments"] == 5
    owner.delete(f"{path}/{page['items'][0]['id']}")
    assert owner.get("/v1/posts").json()["items"][0]["comments"] == 4
    assert owner.get("/v1/posts/none/comments").status_code == 404
    assert owner.post(path, json={"body": ""}).status_code == 422
    assert owner.post(path, json={"body": "x" * 10_001}).status_code == 422


def test_a_search_is_literal(owner: httpx.Client) -> None:
    made(owner, json={"title": "100% wool"})
    made(owner, json={"title": "1000 sheep"})
    found = owner.get("/v1/posts", params={"q": "100%"}).json()["items"]
    assert [one["title"] for one in found] == ["100% wool"]


def test_what_is_kept_for_a_repeat_holds_nobodys_words(owner: httpx.Client, store: Store) -> None:
    key = {"Idempotency-Key": "once"}
    first = owner.post("/v1/posts", json=POST | {"email": "mary@example.com"}, headers=key)
    again = owner.post("/v1/posts", json=POST | {"email": "mary@example.com"}, headers=key)
    assert again.json()["id"] == first.json()["id"]
    kept = store.read(lambda tx: tx.execute(select(idempotency.c.body)).scalar_one())
    assert not any(word in kept for word in ("mary", "heel", "darn"))
