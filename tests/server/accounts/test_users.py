"""Staff: one role each, the rules of rank, and always one active Owner."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import func, select

from server.accounts import service, users
from server.accounts.models import token, user
from server.audit.models import audit
from server.kit.access import Role
from server.kit.db import Store
from server.kit.problems import ProblemError
from tests.server.conftest import STAFF, Staff


def second_owner(store: Store) -> str:
    return store.write(lambda tx: service.create_owner(tx, email="second@example.com", by="command"))


def state(store: Store) -> list[tuple[object, ...]]:
    """All that a refused act must leave as it was."""
    said = select(user.c.id, user.c.role, user.c.active, user.c.deactivated_at).order_by(user.c.id)
    rows = store.read(lambda tx: tx.execute(said).all())
    tokens = store.read(
        lambda tx: tx.execute(select(token.c.id, token.c.revoked_at).order_by(token.c.id)).all()
    )
    entries = store.read(lambda tx: tx.execute(select(func.count()).select_from(audit)).scalar_one())
    return [*map(tuple, rows), *map(tuple, tokens), (entries,)]


def change(
    http: httpx.Client, staff: Staff, actor: Role, target: str, **what: object
) -> tuple[int, str | None, str | None]:
    answer = http.patch(f"/v1/users/{target}", headers=staff.bearer(actor), json=what)
    body = answer.json()
    return answer.status_code, body.get("code"), body.get("reason")


def test_staff_is_listed_newest_first(http: httpx.Client, staff: Staff) -> None:
    items = http.get("/v1/users", headers=staff.bearer("admin")).json()["items"]
    assert [item["role"] for item in items] == ["readonly", "support", "admin", "owner"]
    assert items[3]["email"] == "owner@example.com"
    first = http.get("/v1/users?limit=3", headers=staff.bearer("admin")).json()
    rest = http.get(f"/v1/users?limit=3&cursor={first['next']}", headers=staff.bearer("admin")).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == [item["id"] for item in items]
    assert rest["next"] is None
    back = http.get(f"/v1/users?limit=3&cursor={rest['prev']}", headers=staff.bearer("admin")).json()
    assert back["items"] == first["items"]


@pytest.mark.parametrize("role", ["admin", "support", "readonly"])
def test_the_owner_lets_people_in(http: httpx.Client, staff: Staff, role: str) -> None:
    answer = http.post(
        "/v1/users",
        headers=staff.bearer("owner"),
        json={"email": "new@example.com", "name": "New", "role": role},
    )
    assert answer.status_code == 201
    told = answer.json()
    actions = {action["name"]: action["allowed"] for action in told.pop("actions")}
    may = {name: actions[name] for name in ("set_role", "deactivate", "reactivate", "invite")}
    assert may == {"set_role": True, "deactivate": True, "reactivate": False, "invite": True}
    assert told == {
        "id": told["id"],
        "person_id": told["person_id"],
        "name": "New",
        "email": "new@example.com",
        "role": role,
        "active": True,
        "invited": False,
        "created_at": "2026-02-23T10:00:00.000Z",
        "last_seen_at": None,
    }


@pytest.mark.parametrize("actor", ["owner", "admin"])
def test_the_owners_role_cannot_be_granted(
    http: httpx.Client, staff: Staff, store: Store, actor: Role
) -> None:
    before = state(store)
    answer = http.post(
        "/v1/users", headers=staff.bearer(actor), json={"email": "n@example.com", "role": "owner"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "owner_role_protected")
    for target in ("admin", "support", "readonly"):
        got = change(http, staff, actor, staff.users[target], role="owner")
        assert got == (403, "owner_role_protected", None)
    assert state(store) == before


def test_an_admin_lets_in_only_below(http: httpx.Client, staff: Staff, store: Store) -> None:
    admin = staff.bearer("admin")
    before = state(store)
    answer = http.post("/v1/users", headers=admin, json={"email": "n@example.com", "role": "admin"})
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
        403,
        "insufficient_permissions",
        "target_is_staff",
    )
    assert state(store) == before
    assert (
        http.post("/v1/users", headers=admin, json={"email": "n@example.com", "role": "support"}).status_code
        == 201
    )


def test_an_email_belongs_to_one_member_of_staff(http: httpx.Client, staff: Staff, store: Store) -> None:
    before = state(store)
    answer = http.post(
        "/v1/users", headers=staff.bearer("owner"), json={"email": "SUPPORT@Example.com", "role": "readonly"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert state(store) == before


@pytest.mark.parametrize(
    "body", [{"email": "nobody", "role": "support"}, {"email": "a@b"}, {"role": "support"}, []]
)
def test_a_user_that_cannot_be_is_refused(http: httpx.Client, staff: Staff, body: object) -> None:
    answer = http.post("/v1/users", headers=staff.bearer("owner"), json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_an_admin_touches_neither_admins_nor_owners(http: httpx.Client, staff: Staff, store: Store) -> None:
    other = http.post(
        "/v1/users", headers=staff.bearer("owner"), json={"email": "n@example.com", "role": "admin"}
    ).json()["id"]
    second_owner(store)
    before = state(store)
    for what in ({"active": False}, {"role": "support"}):
        assert change(http, staff, "admin", other, **what) == (
            403,
            "insufficient_permissions",
            "target_is_staff",
        )
        assert change(http, staff, "admin", staff.users["owner"], **what) == (
            403,
            "insufficient_permissions",
            "target_is_owner",
        )
    assert change(http, staff, "admin", staff.users["support"], role="admin") == (
        403,
        "insufficient_permissions",
        "target_is_staff",
    )
    assert change(http, staff, "admin", staff.users["admin"], role="support")[0] == 403
    assert state(store) == before


def test_the_last_owner_stays_whoever_asks(http: httpx.Client, staff: Staff, store: Store) -> None:
    owner = staff.users["owner"]
    before = state(store)
    assert change(http, staff, "owner", owner, active=False) == (403, "cannot_deactivate_self", None)
    assert change(http, staff, "owner", owner, role="admin") == (409, "cannot_demote_last_owner", None)
    assert change(http, staff, "admin", owner, active=False) == (409, "cannot_deactivate_last_owner", None)
    assert change(http, staff, "admin", owner, role="support") == (409, "cannot_demote_last_owner", None)
    assert state(store) == before


def test_deactivated_owners_do_not_count(http: httpx.Client, staff: Staff, store: Store) -> None:
    other = second_owner(store)
    assert change(http, staff, "owner", other, active=False)[0] == 200
    before = state(store)
    assert change(http, staff, "owner", staff.users["owner"], role="admin") == (
        409,
        "cannot_demote_last_owner",
        None,
    )
    assert (
        change(http, staff, "admin", staff.users["owner"], active=False)[1] == "cannot_deactivate_last_owner"
    )
    assert state(store) == before
    assert change(http, staff, "owner", other, role="support")[0] == 200, (
        "an inactive Owner is not the last one"
    )


def test_with_another_active_owner_one_may_step_down(http: httpx.Client, staff: Staff, store: Store) -> None:
    second_owner(store)
    assert change(http, staff, "owner", staff.users["owner"], role="support")[0] == 200
    assert http.get("/v1/me", headers=staff.bearer("owner")).json()["role"] == "support"


def test_a_live_session_is_refused_at_the_next_request(http: httpx.Client, staff: Staff) -> None:
    for _ in range(3):
        assert http.get("/v1/me", headers=staff.bearer("support")).status_code == 200
    assert change(http, staff, "owner", staff.users["support"], active=False)[0] == 200
    answer = http.get("/v1/me", headers=staff.bearer("support"))
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked")
    assert change(http, staff, "owner", staff.users["support"], active=True)[0] == 200
    answer = http.get("/v1/me", headers=staff.bearer("support"))
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked"), "what was revoked stays revoked"


def test_deactivating_revokes_all_tokens_and_leaves_others(
    http: httpx.Client, staff: Staff, store: Store
) -> None:
    extra = http.post(
        "/v1/tokens", headers=staff.bearer("support"), json={"name": "two", "role": "readonly"}
    ).json()
    change(http, staff, "owner", staff.users["support"], active=False)
    rows = store.read(lambda tx: tx.execute(select(token.c.user_id, token.c.revoked_at)).all())
    assert {row.user_id for row in rows if row.revoked_at is not None} == {staff.users["support"]}
    answer = http.get("/v1/me", headers={"Authorization": f"Bearer {extra['token']}"})
    assert answer.json()["reason"] == "revoked"


def test_changing_nothing_changes_nothing(http: httpx.Client, staff: Staff, store: Store) -> None:
    before = state(store)
    for what in ({}, {"role": "support"}, {"active": True}, {"role": "support", "active": True}):
        assert change(http, staff, "owner", staff.users["support"], **what)[0] == 200
    assert change(http, staff, "owner", staff.users["owner"], role="owner")[0] == 200
    assert state(store) == before


def test_an_unknown_user_is_not_found(http: httpx.Client, staff: Staff) -> None:
    assert change(http, staff, "owner", "nobody", active=False) == (404, "not_found", None)


def test_somebody_deactivated_meanwhile_acts_no_more(store: Store, staff: Staff) -> None:
    """The token was looked at before; the transaction looks again."""
    caller = staff.principal("admin")
    store.write(
        lambda tx: users.change(
            tx, staff.users["admin"], role=None, active=False, caller=staff.principal("owner")
        )
    )
    before = state(store)
    for act in (
        lambda tx: users.change(tx, staff.users["support"], role=None, active=False, caller=caller),
        lambda tx: users.create_user(tx, email="x@example.com", name=None, role="support", caller=caller),
        lambda tx: service.request_token(tx, role="support", name="n", days=1, caller=caller),
        lambda tx: service.revoke(tx, staff.tokens["support"].split("_")[2], caller=caller),
    ):
        with pytest.raises(ProblemError) as caught:
            store.write(act)
        assert (caught.value.status, caught.value.reason) == (401, "revoked")
    assert state(store) == before


def test_somebody_demoted_meanwhile_acts_as_what_is_left(store: Store, staff: Staff) -> None:
    caller = staff.principal("admin")
    store.write(
        lambda tx: users.change(
            tx, staff.users["admin"], role="support", active=None, caller=staff.principal("owner")
        )
    )
    with pytest.raises(ProblemError) as caught:
        store.write(
            lambda tx: users.change(tx, staff.users["readonly"], role=None, active=False, caller=caller)
        )
    assert caught.value.code == "insufficient_permissions"


def test_every_role_is_one_of_ours(store: Store, staff: Staff) -> None:
    rows = store.read(lambda tx: tx.execute(select(user.c.role)).scalars().all())
    assert sorted(rows) == sorted(STAFF)


def test_the_first_owner_is_the_oldest_active_one(store: Store, staff: Staff) -> None:
    other = second_owner(store)
    assert store.read(service.first_owner) == staff.users["owner"]
    store.write(
        lambda tx: users.change(
            tx, staff.users["owner"], role="admin", active=None, caller=staff.principal("owner")
        )
    )
    assert store.read(service.first_owner) == other
    assert store.read(lambda tx: users.find_by_email(tx, " SECOND@example.com ")) == other
    assert store.read(lambda tx: users.find_by_email(tx, "nobody@example.com")) is None


def test_a_user_whose_person_is_gone_is_still_shown(store: Store, staff: Staff) -> None:
    """Names come from the vault; a row without one is shown without a name."""
    rows = store.read(lambda tx: tx.execute(select(user)).all())
    shown = store.read(lambda tx: users.shown(tx, rows))
    assert len(shown) == len(STAFF)
    assert store.read(lambda tx: users.names(tx, [None, "nobody"])) == {}
