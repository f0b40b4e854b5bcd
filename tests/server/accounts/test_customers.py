"""Customers with accounts: the same person as the guest before, sessions of their own, and never any staff."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from server.accounts import customers, users
from server.accounts.models import oauth_link, token, user
from server.audit.models import audit
from server.kit.clock import DAY, HOUR, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.schema import idempotency
from server.people import service as people
from server.people.models import person
from tests.server.conftest import Staff
from tests.support.told import Topics
from tests.support.waiting import until


def sign_up(http: httpx.Client, staff: Staff, email: str = "mary@example.com", **more: str) -> dict[str, Any]:
    answer = http.post("/v1/customers", headers=staff.bearer("storefront"), json={"email": email, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def sign_in(http: httpx.Client, staff: Staff, user_id: str, **body: int) -> str:
    answer = http.post(f"/v1/customers/{user_id}/sessions", headers=staff.bearer("storefront"), json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def actions(store: Store) -> list[str]:
    newest = select(audit.c.action).order_by(audit.c.seq.desc())
    return list(store.read(lambda tx: tx.execute(newest).scalars().all()))


def test_a_guest_who_signs_up_is_the_same_person(http: httpx.Client, staff: Staff, store: Store) -> None:
    guest = store.write(lambda tx: people.find_or_create_customer(tx, email="Mary@Example.com", name="Mary"))
    told = Topics(store)
    told.new()
    made = sign_up(http, staff, "mary@EXAMPLE.com", name="Another", phone="+44 1")
    assert (made["person_id"], made["role"], made["name"]) == (guest, "user", "Mary")
    assert (made["active"], made["invited"]) == (True, False)
    kept = store.read(lambda tx: people.people(tx, [guest]))[guest]
    assert (kept.email, kept.phone) == ("Mary@Example.com", "+44 1")
    (event,) = [each for each in told.new("admin:users") if each.event == "user_created"]
    assert event.data == {"user_id": made["id"], "role": "user"}
    assert actions(store)[0] == "user.registered"


def test_a_member_of_staff_with_the_same_email_is_somebody_else(
    http: httpx.Client, staff: Staff, store: Store
) -> None:
    made = sign_up(http, staff, "support@example.com")
    assert made["person_id"] != store.read(lambda tx: users.person_of(tx, staff.users["support"]))
    assert made["id"] != staff.users["support"]


def test_an_email_signs_up_once(http: httpx.Client, staff: Staff, store: Store) -> None:
    sign_up(http, staff)
    before = actions(store)
    answer = http.post(
        "/v1/customers", headers=staff.bearer("storefront"), json={"email": "MARY@example.com", "name": "New"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "email_already_registered")
    assert actions(store) == before
    names = store.read(lambda tx: tx.execute(select(person.c.name)).scalars().all())
    assert "New" not in names


def test_two_sign_ups_at_once_make_one_account(store: Store, staff: Staff) -> None:
    start = threading.Barrier(2, timeout=10)

    def act() -> str:
        start.wait()
        try:
            store.write(
                lambda tx: customers.register(
                    tx, email="m@example.com", name=None, phone=None, caller=staff.principal("storefront")
                )
            )
        except ProblemError as refusal:
            return refusal.code
        return "made"

    with ThreadPoolExecutor(2) as pool:
        results = sorted(future.result(20) for future in [pool.submit(act), pool.submit(act)])
    assert results == ["email_already_registered", "made"]


def test_a_session_reaches_its_own_customer(http: httpx.Client, staff: Staff, clock: FrozenClock) -> None:
    made = sign_up(http, staff)
    session = sign_in(http, staff, made["id"], days=2)
    me = http.get("/v1/me", headers=bearer(session)).json()
    assert (me["role"], me["user"]["id"], me["user"]["email"]) == ("user", made["id"], "mary@example.com")
    assert me["permissions"] == sorted(
        {"me.read", "tickets.own", "content.read", "content.own", "events.follow"}
    )
    assert http.get("/v1/orders", headers=bearer(session)).status_code == 403
    clock.advance(2 * DAY)
    assert http.get("/v1/me", headers=bearer(session)).json()["reason"] == "expired"


def test_ending_the_sessions_ends_all_of_them_and_nobody_elses(http: httpx.Client, staff: Staff) -> None:
    mary, tom = sign_up(http, staff), sign_up(http, staff, "tom@example.com")
    marys = [sign_in(http, staff, mary["id"]) for _ in range(2)]
    toms = sign_in(http, staff, tom["id"])
    front = staff.bearer("storefront")
    assert http.delete(f"/v1/customers/{mary['id']}/sessions", headers=front).json()["id"] == mary["id"]
    for session in marys:
        assert http.get("/v1/me", headers=bearer(session)).json()["reason"] == "revoked"
    assert http.get("/v1/me", headers=bearer(toms)).status_code == 200
    assert http.delete(f"/v1/customers/{mary['id']}/sessions", headers=front).status_code == 200, "and again"


def test_the_shops_front_cannot_come_in_as_staff(http: httpx.Client, staff: Staff, store: Store) -> None:
    """Nor touch a member of staff's sessions and links: there is no such customer."""
    front = staff.bearer("storefront")
    tokens = store.read(lambda tx: tx.execute(select(func.count()).select_from(token)).scalar_one())
    for user_id in staff.users.values():
        for method, path, body in (
            ("POST", "sessions", {}),
            ("DELETE", "sessions", None),
            ("POST", "oauth-links", {"provider": "github", "subject": "1"}),
            ("DELETE", "oauth-links/nothing", None),
        ):
            answer = http.request(method, f"/v1/customers/{user_id}/{path}", headers=front, json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert http.get("/v1/me", headers=staff.bearer("owner")).status_code == 200
    assert tokens == store.read(lambda tx: tx.execute(select(func.count()).select_from(token)).scalar_one())


def test_nobody_makes_a_customers_token_for_themselves(http: httpx.Client, staff: Staff) -> None:
    for role in ("owner", "admin", "support"):
        answer = http.post("/v1/tokens", headers=staff.bearer(role), json={"name": "n", "role": "user"})
        assert (answer.status_code, answer.json()["reason"]) == (403, "role_above_yours")


def test_who_signs_in_as_a_customer_is_recorded_unless_it_is_the_shop_itself(
    http: httpx.Client, staff: Staff, store: Store
) -> None:
    made = sign_up(http, staff)
    before = len(actions(store))
    sign_in(http, staff, made["id"])
    assert len(actions(store)) == before
    http.post(f"/v1/customers/{made['id']}/sessions", headers=staff.bearer("admin"), json={})
    http.delete(f"/v1/customers/{made['id']}/sessions", headers=staff.bearer("admin"))
    assert actions(store)[:2] == ["session.ended", "session.impersonated"]
    row = store.read(
        lambda tx: tx.execute(select(audit).where(audit.c.action == "session.impersonated")).one()
    )
    assert (row.actor_user_id, row.target_user_id) == (staff.users["admin"], made["id"])


def test_a_shut_account_gets_no_session_and_keeps_none(http: httpx.Client, staff: Staff) -> None:
    made = sign_up(http, staff)
    session = sign_in(http, staff, made["id"])
    owner, front = staff.bearer("owner"), staff.bearer("storefront")
    assert http.patch(f"/v1/users/{made['id']}", headers=owner, json={"active": False}).status_code == 200
    assert http.get("/v1/me", headers=bearer(session)).json()["reason"] == "revoked"
    answer = http.post(f"/v1/customers/{made['id']}/sessions", headers=front, json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "account_inactive")
    link = {"provider": "github", "subject": "1"}
    answer = http.post(f"/v1/customers/{made['id']}/oauth-links", headers=front, json=link)
    assert (answer.status_code, answer.json()["code"]) == (409, "account_inactive")


def test_a_session_and_a_deactivation_at_once_leave_no_way_in(store: Store, staff: Staff) -> None:
    """Whichever came first: no token stands that the deactivation did not end."""
    made = store.write(
        lambda tx: customers.register(
            tx, email="m@example.com", name=None, phone=None, caller=staff.principal("storefront")
        )
    )

    def open_one(start: threading.Barrier) -> str:
        start.wait()
        try:
            store.write(
                lambda tx: customers.open_session(tx, made, days=1, caller=staff.principal("storefront"))
            )
        except ProblemError as refusal:
            return refusal.code
        return "open"

    def shut(start: threading.Barrier) -> None:
        start.wait()
        store.write(
            lambda tx: users.change(tx, made, role=None, active=False, caller=staff.principal("owner"))
        )

    standing = (
        select(func.count()).select_from(token).where(token.c.user_id == made, token.c.revoked_at.is_(None))
    )
    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            start = threading.Barrier(2, timeout=10)
            opened, done = pool.submit(open_one, start), pool.submit(shut, start)
            done.result(20)
            assert opened.result(20) in ("open", "account_inactive")
            assert store.read(lambda tx: tx.execute(standing).scalar_one()) == 0
            store.write(
                lambda tx: users.change(tx, made, role=None, active=True, caller=staff.principal("owner"))
            )


def test_somebody_about_to_be_erased_neither_signs_up_nor_is_let_in_again(
    http: httpx.Client, staff: Staff, store: Store
) -> None:
    made = sign_up(http, staff)
    guest = store.write(lambda tx: people.find_or_create_customer(tx, email="guest@example.com"))

    def hide(tx: Any) -> None:
        users.lock(tx, made["id"])
        tx.execute(update(person).where(person.c.id.in_([guest, made["person_id"]])).values(hidden_at=tx.now))

    store.write(hide)
    front, owner = staff.bearer("storefront"), staff.bearer("owner")
    for answer in (
        http.post("/v1/customers", headers=front, json={"email": "guest@example.com"}),
        http.post("/v1/customers", headers=front, json={"email": "mary@example.com"}),
        http.patch(f"/v1/users/{made['id']}", headers=owner, json={"active": True}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "deletion_scheduled")
    assert http.post(f"/v1/customers/{made['id']}/sessions", headers=front, json={}).status_code == 409


def test_a_link_belongs_to_one_account(http: httpx.Client, staff: Staff, store: Store) -> None:
    mary, tom = sign_up(http, staff), sign_up(http, staff, "tom@example.com")
    front = staff.bearer("storefront")
    link = {"provider": "github", "subject": "mary-at-github"}
    first = http.post(f"/v1/customers/{mary['id']}/oauth-links", headers=front, json=link)
    assert first.status_code == 201
    assert "mary-at-github" not in first.text
    again = http.post(f"/v1/customers/{mary['id']}/oauth-links", headers=front, json=link)
    assert (again.status_code, again.json()) == (200, first.json())
    taken = http.post(f"/v1/customers/{tom['id']}/oauth-links", headers=front, json=link)
    assert (taken.status_code, taken.json()["code"]) == (409, "oauth_already_linked")
    where = f"/v1/customers/{{}}/oauth-links/{first.json()['id']}"
    assert http.delete(where.format(tom["id"]), headers=front).status_code == 404
    assert http.delete(where.format(mary["id"]), headers=front).json() == first.json()
    assert store.read(lambda tx: tx.execute(select(oauth_link)).all()) == []
    assert http.post(f"/v1/customers/{tom['id']}/oauth-links", headers=front, json=link).status_code == 201
    rows = store.read(lambda tx: tx.execute(select(audit.c.metadata)).scalars().all())
    assert {"provider": "github"} in rows
    assert "mary-at-github" not in str(rows)


def test_customers_are_no_staff(http: httpx.Client, staff: Staff, store: Store) -> None:
    made = sign_up(http, staff)
    owner = staff.bearer("owner")
    listed = http.get("/v1/users", headers=owner).json()["items"]
    assert made["id"] not in {row["id"] for row in listed}
    assert [row["id"] for row in http.get("/v1/users?role=user", headers=owner).json()["items"]] == [
        made["id"]
    ]
    assert store.read(lambda tx: users.find_by_email(tx, "mary@example.com")) is None
    for role in ("owner", "admin", "support", "readonly"):
        answer = http.patch(f"/v1/users/{made['id']}", headers=owner, json={"role": role})
        assert answer.json()["code"] in ("customer_account", "owner_role_protected"), role
    for user_id in staff.users.values():
        answer = http.patch(f"/v1/users/{user_id}", headers=owner, json={"role": "user"})
        assert (answer.status_code, answer.json()["code"]) == (409, "customer_account")
    answer = http.post("/v1/users", headers=owner, json={"email": "new@example.com", "role": "user"})
    assert (answer.status_code, answer.json()["code"]) == (409, "customer_account")
    answer = http.post(f"/v1/users/{made['id']}/invitation", headers=owner)
    assert (answer.status_code, answer.json()["code"]) == (409, "customer_account")
    roles = store.read(lambda tx: tx.execute(select(user.c.role).where(user.c.id == made["id"])).scalar_one())
    assert roles == "user"


@pytest.mark.parametrize("role", ["owner", "admin", "support", "readonly"])
def test_accounts_are_listed_by_their_role(http: httpx.Client, staff: Staff, role: str) -> None:
    listed = http.get(f"/v1/users?role={role}", headers=staff.bearer("readonly")).json()["items"]
    assert [row["role"] for row in listed] == [role]
    assert http.get("/v1/users?role=pirate", headers=staff.bearer("owner")).status_code == 422


def test_who_was_seen_is_kept_by_the_hour(
    http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock
) -> None:
    made = sign_up(http, staff)
    session = sign_in(http, staff, made["id"])

    def seen() -> int | None:
        found: int | None = store.read(
            lambda tx: tx.execute(select(user.c.last_seen_at).where(user.c.id == made["id"])).scalar_one()
        )
        return found

    assert seen() is None
    first = clock.now()
    http.get("/v1/me", headers=bearer(session))
    until(lambda: seen() == first, "the visit to be noted")
    clock.advance(HOUR // 2)
    second = sign_in(http, staff, made["id"])
    http.get("/v1/me", headers=bearer(second))
    until(
        lambda: store.read(
            lambda tx: tx.execute(
                select(func.count()).select_from(token).where(token.c.last_used_at == clock.now())
            ).scalar_one()
        ),
        "the other session's use to be noted",
    )
    assert seen() == first, "within the hour"
    clock.advance(HOUR)
    http.get("/v1/me", headers=bearer(session))
    until(lambda: seen() == clock.now(), "the later visit to be noted")


def test_a_repeat_keeps_nobodys_name_and_no_secret(http: httpx.Client, staff: Staff, store: Store) -> None:
    front = staff.bearer("storefront") | {"Idempotency-Key": "one"}
    body = {"email": "secret.mary@example.com", "name": "Secret Mary"}
    first = http.post("/v1/customers", headers=front, json=body)
    again = http.post("/v1/customers", headers=front, json=body)
    assert (first.json()["email"], again.json()["email"]) == ("secret.mary@example.com", None)
    assert again.json()["id"] == first.json()["id"]
    path = f"/v1/customers/{first.json()['id']}/sessions"
    front = staff.bearer("storefront") | {"Idempotency-Key": "two"}
    session = http.post(path, headers=front, json={}).json()
    assert http.post(path, headers=front, json={}).json() == session | {"token": None}
    kept = str(store.read(lambda tx: tx.execute(select(idempotency.c.body)).scalars().all())).lower()
    assert "secret" not in kept
    assert session["token"].lower() not in kept
