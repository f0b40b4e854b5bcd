"""What a row says may be done is what the server does: every caller, every account, every action."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import event, select, update

from server.accounts import actions as offered
from server.accounts import service, users
from server.accounts.models import user
from server.kit.access import Principal, Role
from server.kit.db import Store
from server.kit.tx import Tx
from server.people.models import person
from tests.server.conftest import Staff

CALLERS: tuple[Role, ...] = ("owner", "admin", "support", "readonly")
TRIES: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "deactivate": ("PATCH", "/v1/users/{id}", {"active": False}),
    "reactivate": ("PATCH", "/v1/users/{id}", {"active": True}),
    "invite": ("POST", "/v1/users/{id}/invitation", None),
}


@pytest.fixture
def everybody(http: httpx.Client, staff: Staff, store: Store) -> dict[str, str]:
    """Accounts of every kind by what they are."""
    owner = staff.bearer("owner")
    found: dict[str, str] = {
        f"the {role}": staff.users[role] for role in ("owner", "admin", "support", "readonly")
    }
    for name, role in (
        ("another admin", "admin"),
        ("a shut supporter", "support"),
        ("a locked reader", "readonly"),
    ):
        made = http.post(
            "/v1/users", headers=owner, json={"email": f"{name.replace(' ', '.')}@example.com", "role": role}
        )
        found[name] = made.json()["id"]
    http.patch(f"/v1/users/{found['a shut supporter']}", headers=owner, json={"active": False})
    customer = http.post(
        "/v1/customers", headers=staff.bearer("storefront"), json={"email": "c@example.com"}
    ).json()
    found["a customer"] = customer["id"]

    def lock(tx: Tx) -> None:
        users.lock(tx, found["a locked reader"])
        mine = select(user.c.person_id).where(user.c.id == found["a locked reader"]).scalar_subquery()
        tx.execute(update(person).where(person.c.id == mine).values(hidden_at=tx.now))

    store.write(lock)
    return found


def accounts(tx: Tx) -> list[Any]:
    """What there is to change about accounts; when somebody was seen is none of it."""
    said = select(user.c.id, user.c.role, user.c.active, user.c.deactivated_at).order_by(user.c.id)
    return list(tx.execute(said).all())


def rows(http: httpx.Client, bearer: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Every account as this caller sees it, by id."""
    listed = http.get("/v1/users?limit=200", headers=bearer).json()["items"]
    listed += http.get("/v1/users?role=user", headers=bearer).json()["items"]
    return {row["id"]: {action["name"]: action for action in row["actions"]} for row in listed}


def refused(answer: httpx.Response) -> str | None:
    """The reason as a row gives it: the finer one where it says to whom."""
    if answer.is_success:
        return None
    body: dict[str, str] = answer.json()
    if body["code"] == "forbidden":
        return "insufficient_permissions"
    return body["reason"] if body.get("reason") in ("target_is_owner", "target_is_staff") else body["code"]


@pytest.mark.parametrize("second_owner", [False, True])
@pytest.mark.parametrize("caller", CALLERS)
def test_a_row_offers_exactly_what_the_server_does(
    http: httpx.Client,
    staff: Staff,
    store: Store,
    everybody: dict[str, str],
    caller: Role,
    second_owner: bool,
) -> None:
    if second_owner:
        everybody["another owner"] = store.write(
            lambda tx: service.create_owner(tx, email="second@example.com", by="command")
        )
    bearer = staff.bearer(caller)
    wrong = []
    for name, user_id in everybody.items():
        for action, (method, path, body) in TRIES.items():
            said = rows(http, bearer)[user_id][action]
            before = store.read(accounts)
            answer = http.request(method, path.format(id=user_id), headers=bearer, json=body)
            got = refused(answer)
            after = store.read(accounts)
            if body is not None and answer.is_success and after == before:
                if said["allowed"]:  # asked for again what is so already: no mistake, but nothing to offer
                    wrong.append((name, action, said, answer.text))
            elif (said["allowed"], said["reason"]) != (got is None, got):
                wrong.append((name, action, said, answer.text))
            restore(store, before)
    assert wrong == []


def restore(store: Store, before: Any) -> None:
    """Accounts as they were, and every token good again."""

    def unit(tx: Tx) -> None:
        for row in before:
            tx.execute(
                update(user)
                .where(user.c.id == row.id)
                .values(role=row.role, active=row.active, deactivated_at=row.deactivated_at)
            )
        tx.touch("access")

    store.write(unit)


@pytest.mark.parametrize("caller", CALLERS)
def test_a_role_can_be_set_where_the_row_says_so(
    http: httpx.Client, staff: Staff, everybody: dict[str, str], caller: Role
) -> None:
    """``set_role`` says whether there is any other role to which the caller may move the account."""
    bearer = staff.bearer(caller)
    for name, user_id in everybody.items():
        said = rows(http, bearer)[user_id]["set_role"]
        tried = []
        for role in ("admin", "support", "readonly"):
            now = http.get("/v1/users?limit=200", headers=bearer).json()["items"]
            if role not in {row["role"] for row in now if row["id"] == user_id}:
                answer = http.patch(f"/v1/users/{user_id}", headers=bearer, json={"role": role})
                tried.append(refused(answer))
        if said["allowed"]:
            assert None in tried, name
        else:
            assert set(tried) == {said["reason"]}, name


@pytest.mark.parametrize("second_owner", [False, True])
@pytest.mark.parametrize("caller", CALLERS)
def test_who_may_be_deleted_is_what_the_plan_says(
    http: httpx.Client,
    staff: Staff,
    store: Store,
    everybody: dict[str, str],
    caller: Role,
    second_owner: bool,
) -> None:
    """The plan's protections are the deletion's own checks; an account's row asks them for a whole page at once."""
    if second_owner:
        everybody["another owner"] = store.write(
            lambda tx: service.create_owner(tx, email="second@example.com", by="command")
        )
    bearer = staff.bearer(caller)
    seen = rows(http, bearer)
    for name, user_id in everybody.items():
        person_id = store.read(partial(users.person_of, user_id=user_id))
        said = seen[user_id]["delete"]
        shown = http.get(f"/v1/people/{person_id}", headers=bearer).json()["actions"]
        on_person = next((action for action in shown if action["name"] == "delete"), None)
        if caller in ("owner", "admin"):
            assert on_person in (None, said), name
        else:
            assert on_person is None or not (on_person["allowed"] or said["allowed"]), name
        plan = http.post(f"/v1/people/{person_id}/deletion/plan", headers=bearer, json={})
        if plan.status_code == 403:
            assert said["reason"] == "insufficient_permissions", name
        else:
            refusals = [
                each["reason"] if each.get("reason", "role") not in (None, "role") else each["code"]
                for each in plan.json()["protections"]
            ]
            assert refusals[:1] == ([] if said["allowed"] else [said["reason"]]), name


def test_no_action_is_left_untried() -> None:
    assert {*TRIES, "set_role", "delete"} == set(offered.names())


def test_a_storefront_sees_no_action_that_it_may_not_take(http: httpx.Client, staff: Staff) -> None:
    made = http.post("/v1/customers", headers=staff.bearer("storefront"), json={"email": "c@example.com"})
    assert {action["allowed"] for action in made.json()["actions"]} == {False}


def test_a_page_asks_as_little_for_many_as_for_one(http: httpx.Client, staff: Staff, store: Store) -> None:
    owner = Principal("t", "t", "owner", staff.users["owner"])

    def statements() -> int:
        seen: list[str] = []

        def unit(tx: Tx) -> None:
            listen = (tx.conn, "before_cursor_execute", lambda *given: seen.append(given[2]))
            event.listen(*listen)
            users.shown(tx, tx.execute(select(user)).all(), owner)
            event.remove(*listen)

        store.read(unit)
        return len(seen)

    few = statements()
    for n in range(10):
        http.post(
            "/v1/users", headers=staff.bearer("owner"), json={"email": f"{n}@example.com", "role": "support"}
        )
    assert statements() == few


def test_a_caller_who_was_shut_out_meanwhile_sees_nothing(staff: Staff, store: Store) -> None:
    """The role is asked for in the same transaction as the rows."""

    def unit(tx: Tx) -> list[bool]:
        users.change(tx, staff.users["admin"], role="readonly", active=None, caller=staff.principal("owner"))
        (row,) = users.shown(
            tx, tx.execute(select(user).where(user.c.role == "support")).all(), staff.principal("admin")
        )
        return [action.allowed for action in row.actions]

    assert not any(store.write(unit))
