"""Giving many accounts their roles at once: what may not be is left as it is, and told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.accounts import service
from server.accounts.models import user
from server.audit.models import audit
from server.kit.access import Role
from server.kit.db import Store
from tests.server.conftest import Staff
from tests.support.told import Topics


@pytest.fixture
def others(http: httpx.Client, staff: Staff, store: Store) -> dict[str, str]:
    """More accounts: another Admin, another supporter, a customer."""
    owner = staff.bearer("owner")
    found = {
        role: str(
            http.post(
                "/v1/users", headers=owner, json={"email": f"x{role}@example.com", "role": role}
            ).json()["id"]
        )
        for role in ("admin", "support")
    }
    made = http.post("/v1/customers", headers=staff.bearer("storefront"), json={"email": "c@example.com"})
    return found | {"customer": str(made.json()["id"])}


def sync(http: httpx.Client, staff: Staff, actor: Role, roles: dict[str, str]) -> dict[str, Any]:
    answer = http.put("/v1/users/roles", headers=staff.bearer(actor), json={"roles": roles})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def roles(store: Store) -> dict[str, str]:
    rows = store.read(lambda tx: tx.execute(select(user.c.id, user.c.role)).all())
    return {row.id: row.role for row in rows}


def test_an_admins_owner_and_admin_changes_are_dropped_and_the_others_made(
    http: httpx.Client, staff: Staff, store: Store, others: dict[str, str]
) -> None:
    ids, before = staff.users, roles(store)
    asked = {
        ids["owner"]: "support",
        others["admin"]: "support",
        others["support"]: "admin",
        ids["admin"]: "readonly",
        ids["support"]: "readonly",
        ids["readonly"]: "owner",
        others["customer"]: "support",
        "nobody": "support",
    }
    answer = sync(http, staff, "admin", asked)
    assert answer == {
        "changed": [ids["support"]],
        "dropped": {
            ids["owner"]: "cannot_demote_last_owner",
            others["admin"]: "target_is_staff",
            others["support"]: "target_is_staff",
            ids["admin"]: "target_is_staff",
            ids["readonly"]: "owner_role_protected",
            others["customer"]: "customer_account",
            "nobody": "not_found",
        },
    }
    assert roles(store) == before | {ids["support"]: "readonly"}


def test_an_owner_moves_admins_and_grants_no_owner(
    http: httpx.Client, staff: Staff, store: Store, others: dict[str, str]
) -> None:
    second = store.write(lambda tx: service.create_owner(tx, email="second@example.com", by="command"))
    answer = sync(
        http,
        staff,
        "owner",
        {
            staff.users["admin"]: "support",
            others["support"]: "admin",
            second: "readonly",
            others["admin"]: "owner",
        },
    )
    assert answer["changed"] == [staff.users["admin"], others["support"], second]
    assert answer["dropped"] == {others["admin"]: "owner_role_protected"}


def test_a_sync_never_takes_the_last_owner(http: httpx.Client, staff: Staff, store: Store) -> None:
    second = store.write(lambda tx: service.create_owner(tx, email="second@example.com", by="command"))
    answer = sync(http, staff, "owner", {second: "admin", staff.users["owner"]: "admin"})
    assert answer == {"changed": [second], "dropped": {staff.users["owner"]: "cannot_demote_last_owner"}}


def test_who_steps_down_on_the_way_goes_on_with_what_is_left(
    http: httpx.Client, staff: Staff, store: Store, others: dict[str, str]
) -> None:
    store.write(lambda tx: service.create_owner(tx, email="second@example.com", by="command"))
    answer = sync(
        http,
        staff,
        "owner",
        {staff.users["owner"]: "admin", others["admin"]: "support", others["support"]: "readonly"},
    )
    assert answer["changed"] == [staff.users["owner"], others["support"]]
    assert answer["dropped"] == {others["admin"]: "target_is_staff"}


def test_each_change_and_the_sync_are_recorded_and_told_once(
    http: httpx.Client, staff: Staff, store: Store, others: dict[str, str]
) -> None:
    told = Topics(store)
    told.new()
    sync(
        http,
        staff,
        "owner",
        {staff.users["support"]: "readonly", others["support"]: "support", "nobody": "admin"},
    )
    newest = select(audit.c.action, audit.c.metadata).order_by(audit.c.seq.desc()).limit(2)
    assert [tuple(row) for row in store.read(lambda tx: tx.execute(newest).all())] == [
        ("user.roles_synced", {"changed": 1, "dropped": 1}),
        ("user.role_changed", {"role_from": "support", "role_to": "readonly"}),
    ]
    events = [(each.event, each.data) for each in told.new("admin:")]
    assert events == [
        ("user_role_assigned", {"user_id": staff.users["support"], "role": "readonly"}),
        ("user_roles_synced", {"user_ids": [staff.users["support"]]}),
    ]


def test_a_sync_that_changes_nothing_leaves_no_trace(http: httpx.Client, staff: Staff, store: Store) -> None:
    told = Topics(store)
    told.new()
    count = len(store.read(lambda tx: tx.execute(select(audit.c.id)).all()))
    answer = sync(http, staff, "owner", {staff.users["support"]: "support", staff.users["owner"]: "owner"})
    assert answer == {"changed": [], "dropped": {}}
    assert len(store.read(lambda tx: tx.execute(select(audit.c.id)).all())) == count
    assert told.new() == []


@pytest.mark.parametrize("wrong", ["pirate", "storefront"])
def test_a_role_that_is_none_refuses_the_whole(
    http: httpx.Client, staff: Staff, store: Store, wrong: str
) -> None:
    before = roles(store)
    asked = {staff.users["support"]: "readonly", staff.users["readonly"]: wrong}
    answer = http.put("/v1/users/roles", headers=staff.bearer("owner"), json={"roles": asked})
    assert (answer.status_code, answer.json()["code"]) == (422, "role_not_found")
    assert roles(store) == before
    for method, path, body in (
        ("PATCH", f"/v1/users/{staff.users['support']}", {"role": wrong}),
        ("POST", "/v1/users", {"email": "n@example.com", "role": wrong}),
    ):
        answer = http.request(method, path, headers=staff.bearer("owner"), json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "role_not_found")
    assert roles(store) == before


@pytest.mark.parametrize("actor", ["support", "readonly", "storefront"])
def test_nobody_else_syncs(http: httpx.Client, staff: Staff, store: Store, actor: Role) -> None:
    before = roles(store)
    body = {"roles": {staff.users["readonly"]: "support"}}
    answer = http.put("/v1/users/roles", headers=staff.bearer(actor), json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert roles(store) == before
