"""The first Owner, by the one-time code of the server's console."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import func, select

from server.accounts import service, setup
from server.accounts.models import setup_code, token, user
from server.app import create_app
from server.kit.clock import MINUTE, FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.problems import ProblemError
from tests.support.serving import in_process

EMAIL = {"email": "first@example.com", "name": "First"}


@pytest.fixture
def fresh(store: Store, config: ServerConfig) -> Iterator[httpx.Client]:
    """The application of a shop without an Owner."""
    with in_process(create_app(store, config)) as client:
        yield client


def offered(store: Store) -> str:
    code = store.write(setup.new_code)
    assert code is not None
    return code


def count(store: Store) -> tuple[int, int]:
    return store.read(
        lambda tx: (
            tx.execute(select(func.count()).select_from(user)).scalar_one(),
            tx.execute(select(func.count()).select_from(token)).scalar_one(),
        )
    )


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    return answer.status_code, answer.json()["code"], answer.json().get("reason")


def test_until_an_owner_exists_nothing_answers_but_health_and_setup(
    fresh: httpx.Client, store: Store
) -> None:
    for method, path in [
        ("GET", "/v1/me"),
        ("GET", "/v1/pulse"),
        ("POST", "/v1/tokens"),
        ("GET", "/v1/openapi.json"),
        ("POST", "/webhooks/stripe"),
        ("GET", "/nothing/like/it"),
    ]:
        answer = fresh.request(method, path)
        assert refusal(answer) == (503, "unavailable", "no_owner"), path
        assert answer.headers["retry-after"]
    assert fresh.get("/healthz").json()["status"] == "ok"
    offered(store)
    assert fresh.post("/v1/setup", json={"code": "x" * 29, **EMAIL}).status_code == 403


def test_the_code_makes_the_owner_once(fresh: httpx.Client, store: Store) -> None:
    code = offered(store)
    answer = fresh.post("/v1/setup", json={"code": code.lower().replace("-", " ").replace(" ", ""), **EMAIL})
    assert answer.status_code == 201
    me = fresh.get("/v1/me", headers={"Authorization": f"Bearer {answer.json()['token']}"}).json()
    assert (me["role"], me["user"]["email"], me["user"]["name"]) == ("owner", "first@example.com", "First")
    assert refusal(fresh.post("/v1/setup", json={"code": code, **EMAIL})) == (
        409,
        "conflict",
        "already_set_up",
    )
    assert store.write(setup.new_code) is None, "no code again once an Owner is there"
    assert count(store) == (1, 1)


def test_a_code_is_good_for_five_tries(fresh: httpx.Client, store: Store) -> None:
    code = offered(store)
    for _ in range(5):
        assert refusal(fresh.post("/v1/setup", json={"code": "0" * 25, **EMAIL})) == (
            403,
            "setup_refused",
            "wrong",
        )
    assert refusal(fresh.post("/v1/setup", json={"code": code, **EMAIL})) == (403, "setup_refused", "used_up")
    assert count(store) == (0, 0)
    again = offered(store)
    assert again != code
    assert fresh.post("/v1/setup", json={"code": again, **EMAIL}).status_code == 201


def test_the_fifth_try_may_still_be_right(fresh: httpx.Client, store: Store) -> None:
    code = offered(store)
    for _ in range(4):
        fresh.post("/v1/setup", json={"code": "0" * 25, **EMAIL})
    assert fresh.post("/v1/setup", json={"code": code, **EMAIL}).status_code == 201


def test_a_code_is_good_for_half_an_hour(fresh: httpx.Client, store: Store, clock: FrozenClock) -> None:
    code = offered(store)
    clock.advance(30 * MINUTE)
    assert refusal(fresh.post("/v1/setup", json={"code": code, **EMAIL})) == (403, "setup_refused", "expired")
    assert count(store) == (0, 0)


def test_without_a_code_there_is_no_way_in(fresh: httpx.Client, store: Store) -> None:
    assert refusal(fresh.post("/v1/setup", json={"code": "0" * 25, **EMAIL})) == (
        403,
        "setup_refused",
        "no_code",
    )


def test_a_malformed_request_uses_up_no_try(fresh: httpx.Client, store: Store) -> None:
    offered(store)
    for body in ({"code": "x"}, {"code": "\u0130" * 20, "email": "nobody"}):
        assert fresh.post("/v1/setup", json=body).status_code == 422
    assert store.read(lambda tx: tx.execute(select(setup_code.c.attempts)).scalar()) == 0
    assert refusal(fresh.post("/v1/setup", json={"code": "\u0130" * 20, **EMAIL}))[2] == "wrong"


def test_the_code_has_128_bits_and_only_its_hash_is_stored(store: Store) -> None:
    code = offered(store)
    letters = code.replace("-", "")
    assert len(letters) == 25
    assert 36**25 > 2**128
    row = store.read(lambda tx: tx.execute(select(setup_code)).one())
    assert letters not in repr(row)
    assert code not in repr(row)


def test_a_code_used_twice_at_once_makes_one_owner(store: Store) -> None:
    code = offered(store)
    start = threading.Barrier(8, timeout=10)

    def use(number: int) -> str:
        start.wait()
        try:
            made = store.write(lambda tx: setup.use_code(tx, code, email=f"{number}@example.com", name=None))
        except ProblemError as refused:
            return refused.code
        return made if isinstance(made, str) else "made"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(use, range(8)))
    assert results.count("made") == 1
    assert results.count("conflict") == 7
    assert count(store) == (1, 1)


def test_an_owner_made_by_hand_ends_the_setup(fresh: httpx.Client, store: Store) -> None:
    code = offered(store)
    store.write(lambda tx: service.create_owner(tx, email="other@example.com"))
    assert refusal(fresh.post("/v1/setup", json={"code": code, **EMAIL})) == (
        409,
        "conflict",
        "already_set_up",
    )
    assert fresh.get("/v1/me").json()["reason"] == "missing", "the shop is open now"
