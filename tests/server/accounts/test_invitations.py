"""Invitations: shown once, kept as a hash, good for a week and one use; every bad code is answered alike."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Table, func, select

from server.accounts import invitations, users
from server.accounts.models import invitation, token
from server.app import App
from server.audit.models import audit
from server.kit.clock import DAY, SECOND, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.schema import idempotency, topic_event
from server.kit.tx import Tx
from tests.server.conftest import Staff


@pytest.fixture
def new(http: httpx.Client, staff: Staff) -> str:
    """A member of staff who was let in and has no token."""
    body = {"email": "new@example.com", "name": "New", "role": "support"}
    return str(http.post("/v1/users", headers=staff.bearer("owner"), json=body).json()["id"])


def invite(http: httpx.Client, staff: Staff, user_id: str) -> dict[str, Any]:
    answer = http.post(f"/v1/users/{user_id}/invitation", headers=staff.bearer("owner"))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def accept(http: httpx.Client, code: str, **headers: str) -> httpx.Response:
    return http.post("/v1/invitations/accept", json={"code": code}, headers=headers)


def row(http: httpx.Client, staff: Staff, user_id: str) -> dict[str, Any]:
    listed = http.get("/v1/users", headers=staff.bearer("owner")).json()["items"]
    found: dict[str, Any] = next(each for each in listed if each["id"] == user_id)
    return found


def rows_of(tx: Tx, table: Table) -> list[Any]:
    return list(tx.execute(select(table)).all())


def test_the_whole_way_in(http: httpx.Client, staff: Staff, store: Store, new: str) -> None:
    assert row(http, staff, new)["invited"] is False
    made = invite(http, staff, new)
    assert (made["user"]["id"], made["user"]["invited"]) == (new, True)
    assert made["expires_at"] == "2026-03-02T10:00:00.000Z"
    assert row(http, staff, new)["invited"] is True
    fetched = accept(http, made["code"])
    assert fetched.status_code == 201
    me = http.get("/v1/me", headers={"Authorization": f"Bearer {fetched.json()['token']}"}).json()
    assert (me["user"]["id"], me["role"], me["user"]["invited"]) == (new, "support", False)
    entries = store.read(
        lambda tx: tx.execute(
            select(audit.c.action, audit.c.actor_user_id, audit.c.target_user_id).order_by(audit.c.seq.desc())
        ).all()
    )
    assert [tuple(entry) for entry in entries[:2]] == [
        ("invitation.accepted", new, new),
        ("user.invited", staff.users["owner"], new),
    ]


@pytest.mark.parametrize("typed", ["{lower}", "  {code} ", "{spaced}"])
def test_a_code_may_be_typed_in_any_way(http: httpx.Client, staff: Staff, new: str, typed: str) -> None:
    code = invite(http, staff, new)["code"]
    text = typed.format(code=code, lower=code.lower(), spaced=code.replace("-", " "))
    assert accept(http, text).status_code == 201


def test_only_the_hash_is_kept(http: httpx.Client, staff: Staff, store: Store, new: str) -> None:
    headers = staff.bearer("owner") | {"Idempotency-Key": "one"}
    made = http.post(f"/v1/users/{new}/invitation", headers=headers).json()
    again = http.post(f"/v1/users/{new}/invitation", headers=headers)
    assert (again.status_code, again.json()["code"], again.json()["user"]["id"]) == (201, None, new)
    assert accept(http, made["code"]).status_code == 201, "the repeat did not make another"
    for table in (invitation, audit, topic_event, idempotency):
        written = str(store.read(partial(rows_of, table=table)))
        assert made["code"] not in written
        assert made["code"].replace("-", "") not in written
        assert "new@example.com" not in written


def test_every_code_that_is_not_good_is_answered_alike(
    app: App, http: httpx.Client, staff: Staff, clock: FrozenClock, new: str
) -> None:
    app.state.invitation_limit.burst = 100
    answers = [accept(http, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")]
    used = invite(http, staff, new)["code"]
    accept(http, used)
    answers.append(accept(http, used))
    replaced = invite(http, staff, new)["code"]
    invite(http, staff, new)
    answers.append(accept(http, replaced))
    back = invite(http, staff, new)["code"]
    http.delete(f"/v1/users/{new}/invitation", headers=staff.bearer("owner"))
    answers.append(accept(http, back))
    late = invite(http, staff, new)["code"]
    clock.advance(7 * DAY)
    answers.append(accept(http, late))
    shut = invite(http, staff, new)["code"]
    for active in (False, True):
        http.patch(f"/v1/users/{new}", headers=staff.bearer("owner"), json={"active": active})
        answers.append(accept(http, shut))
    assert [answer.status_code for answer in answers] == [403] * 7
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "invitation_refused"


def test_a_code_is_good_to_the_last_moment(
    http: httpx.Client, staff: Staff, clock: FrozenClock, new: str
) -> None:
    code = invite(http, staff, new)["code"]
    clock.advance(7 * DAY - 1)
    assert accept(http, code).status_code == 201


def test_a_refused_code_makes_no_token(http: httpx.Client, staff: Staff, store: Store, new: str) -> None:
    code = invite(http, staff, new)["code"]
    http.patch(f"/v1/users/{new}", headers=staff.bearer("owner"), json={"active": False})
    assert accept(http, code).status_code == 403
    assert row(http, staff, new)["invited"] is False
    mine = select(func.count()).select_from(token).where(token.c.user_id == new)
    assert store.read(lambda tx: tx.execute(mine).scalar_one()) == 0


def test_guessing_is_slowed_down_by_address(http: httpx.Client, staff: Staff, new: str) -> None:
    code = invite(http, staff, new)["code"]
    tried = [accept(http, f"{n:08}", **{"X-Forwarded-For": "203.0.113.5"}) for n in range(12)]
    assert [answer.status_code for answer in tried] == [403] * 10 + [429] * 2
    assert tried[-1].json()["code"] == "rate_limited"
    assert 0 < int(tried[-1].headers["Retry-After"]) <= 12
    assert accept(http, code, **{"X-Forwarded-For": "203.0.113.5"}).status_code == 429
    assert accept(http, code, **{"X-Forwarded-For": "203.0.113.6"}).status_code == 201, (
        "others are not held up"
    )


def test_two_who_use_one_code_at_once_get_one_token(store: Store, staff: Staff) -> None:
    def make() -> str:
        def unit(tx: Any) -> str:
            caller = staff.principal("owner")
            made = users.create_user(
                tx, email=f"{tx.new_id()}@example.com", name=None, role="support", caller=caller
            )
            return invitations.invite(tx, made, caller).code

        return store.write(unit)

    def use(code: str, start: threading.Barrier) -> str:
        start.wait()
        try:
            store.write(lambda tx: invitations.accept(tx, code))
        except ProblemError as refusal:
            return refusal.code
        return "in"

    with ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            code, start = make(), threading.Barrier(2, timeout=10)
            results = sorted(
                future.result(20) for future in [pool.submit(use, code, start) for _ in range(2)]
            )
            assert results == ["in", "invitation_refused"]


def test_a_role_that_was_changed_meanwhile_is_the_one_that_comes_in(
    http: httpx.Client, staff: Staff, new: str
) -> None:
    code = invite(http, staff, new)["code"]
    http.patch(f"/v1/users/{new}", headers=staff.bearer("owner"), json={"role": "readonly"})
    assert accept(http, code).json()["role"] == "readonly"


def test_taking_back_what_is_not_there_changes_nothing(
    http: httpx.Client, staff: Staff, store: Store, new: str
) -> None:
    count = select(func.count()).select_from(audit)
    before = store.read(lambda tx: tx.execute(count).scalar_one())
    answer = http.delete(f"/v1/users/{new}/invitation", headers=staff.bearer("owner"))
    assert (answer.status_code, answer.json()["invited"]) == (200, False)
    assert store.read(lambda tx: tx.execute(count).scalar_one()) == before
    assert http.post("/v1/users/nobody/invitation", headers=staff.bearer("owner")).status_code == 404
    assert http.delete("/v1/users/nobody/invitation", headers=staff.bearer("owner")).status_code == 404


def test_the_code_stays_out_of_what_is_printed_of_it() -> None:
    assert "SECRET" not in repr(invitations.Made("SECRET", SECOND))
