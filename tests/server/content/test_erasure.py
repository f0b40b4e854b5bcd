"""What is left of posts, comments and files when somebody is erased: their place, and not one word of theirs."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from server.kit.db import Store
from server.kit.tx import Tx
from server.people.erasure import GONE
from server.people.models import person
from tests.server.conftest import Staff
from tests.support.erasing import erase, everything
from tests.support.signed_up import sign_up

TABLES = ("post", "post_comment", "file", "file_body", "idempotency")
CANARY = "zanzibar"


@pytest.fixture
def owner(http: httpx.Client, staff: Staff) -> httpx.Client:
    http.headers.update(staff.bearer("owner"))
    return http


def post(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/v1{path}", json=body, headers={"Idempotency-Key": str(abs(hash(str(body))))})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_not_one_word_is_left_and_others_stay(owner: httpx.Client, store: Store) -> None:
    mary = sign_up(store, "mary.q@example.com", "Mary Quill")
    who, eve = {"email": "MARY.Q@example.com"}, {"email": "eve@example.com"}
    hers = post(owner, "/posts", title=f"About {CANARY}", body=f"{CANARY}!", **who)
    others = post(owner, "/posts", title="Ask mary.q@example.com", body="Or Mary Quill.", **eve)
    post(owner, f"/posts/{hers['id']}/comments", body="Thank you, Mary Quill!", **eve)
    post(owner, f"/posts/{others['id']}/comments", body="I wrote to mary.q@example.com.", **eve)
    post(owner, f"/posts/{others['id']}/comments", body=f"I am {CANARY}.", **who)
    content = base64.b64encode(CANARY.encode()).decode()
    kept = post(owner, "/files", name=f"{CANARY}.png", media_type=f"image/{CANARY}", content=content, **who)
    sha256 = kept["sha256"]

    done = erase(store, mary.person_id)
    assert {key: done[key] for key in done if "post" in key or "file" in key} == {
        "anonymise posts": 1,
        "anonymise post comments": 1,
        "delete contents of files": 1,
        "anonymise files": 1,
        "anonymise mentions in post": 1,
        "anonymise mentions in post comment": 2,
    }
    mark = store.read(lambda tx: mark_of(tx, mary.person_id))
    left = everything(store, *TABLES)
    for trace in (CANARY, "mary.q@example.com", "Thank you, Mary", "mary-q", sha256, str(CANARY.encode())):
        assert trace.lower() not in left.lower(), trace

    gone = owner.get(f"/v1/posts/{hers['id']}").json()
    assert (gone["title"], gone["body"], gone["slug"]) == (GONE, GONE, f"post-{hers['id']}")
    assert (gone["author_deleted"], gone["author"]["erased"], gone["author"]["id"]) == (True, mark, None)
    assert gone["comments"] == 1
    refused = owner.patch(f"/v1/posts/{hers['id']}", json={"title": "x"})
    assert (refused.status_code, refused.json()["code"]) == (409, "author_deleted")
    said = owner.get(f"/v1/posts/{others['id']}/comments").json()["items"]
    assert [(one["body"], one["author_deleted"]) for one in said] == [
        (GONE, True),
        (f"I wrote to ⟨erased {mark}⟩.", False),
    ]
    assert owner.get(f"/v1/posts/{others['id']}").json()["title"] == f"Ask ⟨erased {mark}⟩"
    file = owner.get(f"/v1/files/{kept['id']}").json()
    assert (file["name"], file["sha256"], file["owner"]["erased"]) == (None, None, mark)
    assert file["anonymized_at"] is not None
    assert owner.get(f"/v1/files/{kept['id']}/content").status_code == 404
    assert owner.delete(f"/v1/posts/{hers['id']}").status_code == 200


def mark_of(tx: Tx, person_id: str) -> str:
    found: str = tx.execute(person.select().where(person.c.id == person_id)).one().mark
    return found
