"""The audit log stands or falls with the act, names nobody, and outlives everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, func, select

from server.accounts.models import token, user
from server.audit import service
from server.audit.models import audit
from server.kit.access import Principal
from server.kit.db import Store
from server.kit.tx import Tx
from server.people.models import person
from tests.server.conftest import Staff

OWNER = Principal("tok12345", "laptop", "owner", "user-1")


def entries(store: Store) -> Sequence[Any]:
    """All entries, newest first."""
    newest = select(audit).order_by(audit.c.inserted_at.desc(), audit.c.id.desc())
    return store.read(lambda tx: tx.execute(newest).all())


def test_an_entry_holds_who_did_what_to_what(store: Store) -> None:
    entry = store.write(
        lambda tx: service.record(
            tx,
            "token.created",
            caller=OWNER,
            resource_type="token",
            resource_id="abc",
            target_user_id="user-2",
            metadata={"role": "support", "days": 90},
        )
    )
    (row,) = entries(store)
    assert row.id == entry
    assert (row.action, row.actor_user_id, row.actor_role, row.token_id) == (
        "token.created",
        "user-1",
        "owner",
        "tok12345",
    )
    assert (row.resource_type, row.resource_id, row.target_user_id) == ("token", "abc", "user-2")
    assert row.metadata == {"role": "support", "days": 90}


def test_somebody_with_the_machine_has_no_user(store: Store) -> None:
    store.write(lambda tx: service.record(tx, "owner.created", caller=None, metadata={"by": "init"}))
    (row,) = entries(store)
    assert (row.actor_user_id, row.actor_role, row.token_id) == (None, None, None)


@pytest.mark.parametrize(
    ("action", "metadata"),
    [
        ("token.stolen", {}),
        ("token.created", {"name": "laptop"}),
        ("token.created", {"role": "somebody@example.com"}),
        ("token.created", {"role": "Olive Owner"}),
        ("token.created", {"role": "x" * 81}),
        ("user.role_changed", {"role_from": "admin\n"}),
    ],
)
def test_what_an_entry_must_not_hold_fails_the_act(
    store: Store, action: str, metadata: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=action):
        store.write(lambda tx: service.record(tx, action, caller=OWNER, metadata=metadata))
    assert store.read(lambda tx: tx.execute(select(func.count()).select_from(audit)).scalar_one()) == 0


def test_an_act_that_fails_leaves_no_entry(store: Store) -> None:
    def unit(tx: Tx) -> None:
        service.record(tx, "owner.created", caller=None)
        raise LookupError

    with pytest.raises(LookupError):
        store.write(unit)
    assert entries(store) == []


def test_a_whole_life_of_the_accounts_names_nobody(http: httpx.Client, staff: Staff, store: Store) -> None:
    owner = staff.bearer("owner")
    made = http.post(
        "/v1/users", headers=owner, json={"email": "x@example.com", "name": "Xeno", "role": "admin"}
    )
    who = made.json()["id"]
    http.patch(f"/v1/users/{who}", headers=owner, json={"role": "support"})
    secret = http.post("/v1/tokens", headers=owner, json={"name": "my laptop", "role": "support"}).json()
    http.delete(f"/v1/tokens/{secret['id']}", headers=owner)
    http.patch(f"/v1/users/{who}", headers=owner, json={"active": False})
    http.patch(f"/v1/users/{who}", headers=owner, json={"active": True})
    rows = entries(store)
    actions = [row.action for row in rows][:6]
    assert actions == [
        "user.reactivated",
        "user.deactivated",
        "token.revoked",
        "token.created",
        "user.role_changed",
        "user.created",
    ]
    for row in rows:
        text = repr(tuple(row))
        for word in ("@", "Xeno", "Olive", "laptop", secret["token"], secret["token"][17:49]):
            assert word not in text
        assert row.target_user_id is None or row.target_user_id in {*staff.users.values(), who}


def test_entries_outlive_everybody_they_name(http: httpx.Client, staff: Staff, store: Store) -> None:
    before = http.get("/v1/audit?limit=200", headers=staff.bearer("owner")).json()["items"]
    assert before[0]["target_name"] is None  # the storefront's token belongs to nobody
    assert before[1]["target_name"] == "readonly@example.com"

    def forget(tx: Tx) -> None:
        gone = (user.c.id != staff.users["owner"]) & (user.c.role != "owner")
        tx.execute(delete(token).where(token.c.user_id.in_(select(user.c.id).where(gone))))
        people = tx.execute(select(user.c.person_id).where(gone)).scalars().all()
        tx.execute(delete(user).where(gone))
        tx.execute(delete(person).where(person.c.id.in_(people)))

    store.write(forget)
    after = http.get("/v1/audit?limit=200", headers=staff.bearer("owner")).json()["items"]
    assert [entry["id"] for entry in after] == [entry["id"] for entry in before]
    assert after[1]["target_name"] is None
    assert after[1]["target_user_id"] == staff.users["readonly"]


def test_the_log_is_paged(http: httpx.Client, staff: Staff) -> None:
    owner = staff.bearer("owner")
    everything = http.get("/v1/audit?limit=200", headers=owner).json()["items"]
    seen = []
    cursor: str | None = ""
    while cursor is not None:
        page = http.get(f"/v1/audit?limit=2{cursor and '&cursor=' + cursor}", headers=owner).json()
        seen += page["items"]
        cursor = page["next"]
    assert seen == everything
    assert len(seen) == 9
    refused = http.get(
        "/v1/users?cursor=" + http.get("/v1/audit?limit=2", headers=owner).json()["next"], headers=owner
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")
