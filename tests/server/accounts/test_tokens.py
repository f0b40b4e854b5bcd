"""Tokens: how they look, whom they let in, and for how long."""

from __future__ import annotations

import re
import string

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from server.accounts import service
from server.accounts.models import token
from server.accounts.tokens import new_token, parse
from server.audit.models import audit
from server.kit.access import PERMISSIONS, RANK, Role
from server.kit.clock import DAY, HOUR, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from tests.server.conftest import Staff
from tests.support.waiting import until

FORM = re.compile(r"sbl_pat_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}")
BASE62 = string.digits + string.ascii_letters
ROLES: list[Role] = ["owner", "admin", "support", "readonly", "storefront"]


def test_a_token_has_its_form_and_is_taken_apart_again() -> None:
    made = new_token()
    assert FORM.fullmatch(made.text())
    assert parse(made.text()) == made
    assert made.secret not in repr(made)
    assert made.secret not in made.hash()
    assert made.matches(made.hash())
    assert not made.matches(new_token().hash())
    assert new_token().text() != made.text()


@given(st.integers(0, 53), st.sampled_from(BASE62 + "_-é"))
def test_one_wrong_letter_is_refused_before_the_database(place: int, letter: str) -> None:
    text = new_token().text()
    changed = text[:place] + letter + text[place + 1 :]
    assert (parse(changed) is None) == (changed != text)


@given(st.text(max_size=80))
def test_what_was_never_a_token_is_refused(text: str) -> None:
    assert parse(text) is None


def test_a_secret_stands_nowhere_in_the_store(store: Store, staff: Staff) -> None:
    secrets = [text[17:] for text in staff.tokens.values()]
    rows = store.read(lambda tx: [repr(tuple(row)) for row in tx.execute(select(token))])
    rows += store.read(lambda tx: [repr(tuple(row)) for row in tx.execute(select(audit))])
    assert len(rows) > 5
    assert not [row for row in rows for secret in secrets if secret[:32] in row]


@pytest.mark.parametrize("role", ROLES)
def test_a_token_lets_its_role_in(http: httpx.Client, staff: Staff, role: Role) -> None:
    me = http.get("/v1/me", headers=staff.bearer(role)).json()
    assert me["role"] == role
    assert set(me["permissions"]) == {name for name, roles in PERMISSIONS.items() if role in roles}
    assert (me["user"] is None) == (role == "storefront")
    assert me["token_expires_at"] == "2026-05-24T10:00:00.000Z"


def refusal(http: httpx.Client, authorization: str | None) -> tuple[int, str, str]:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = http.get("/v1/me", headers=headers)
    body = answer.json()
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    return answer.status_code, body["code"], body["reason"]


def test_each_reason_of_a_401_is_told_apart(http: httpx.Client, staff: Staff, clock: FrozenClock) -> None:
    good = staff.tokens["support"]
    stranger = new_token().text()
    other_secret = good[:17] + new_token().text()[17:]
    for bad in (stranger, other_secret, "x", good + "x", good[:-1]):
        assert refusal(http, f"Bearer {bad}") == (401, "unauthenticated", "wrong")
    for nothing in (None, "", "Basic b3duZXI6", good):
        assert refusal(http, nothing) == (401, "unauthenticated", "missing")
    identity = good.split("_")[2]
    assert http.delete(f"/v1/tokens/{identity}", headers=staff.bearer("support")).status_code == 200
    assert refusal(http, f"Bearer {good}") == (401, "unauthenticated", "revoked")
    clock.advance(90 * DAY - 1)
    assert http.get("/v1/me", headers=staff.bearer("owner")).status_code == 200
    clock.advance(1)
    assert refusal(http, f"Bearer {staff.tokens['owner']}") == (401, "unauthenticated", "expired")


def test_the_scheme_is_read_whatever_its_case(http: httpx.Client, staff: Staff) -> None:
    assert http.get("/v1/me", headers={"Authorization": f"bEaReR {staff.tokens['owner']}"}).status_code == 200


def test_the_secret_is_shown_once(http: httpx.Client, staff: Staff, store: Store) -> None:
    headers = {**staff.bearer("owner"), "Idempotency-Key": "once"}
    body = {"name": "till", "role": "storefront", "days": 10}
    first = http.post("/v1/tokens", headers=headers, json=body)
    again = http.post("/v1/tokens", headers=headers, json=body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert FORM.fullmatch(first.json()["token"])
    assert again.json() == {**first.json(), "token": None}
    assert http.get("/v1/me", headers={"Authorization": f"Bearer {first.json()['token']}"}).json()[
        "role"
    ] == ("storefront")
    listed = http.get("/v1/tokens?limit=200", headers=staff.bearer("owner")).json()["items"]
    assert [row["id"] for row in listed].count(first.json()["id"]) == 1
    assert all("token" not in row for row in listed)
    assert first.json()["expires_at"] == "2026-03-05T10:00:00.000Z"


@pytest.mark.parametrize("maker", ROLES)
@pytest.mark.parametrize("made", ROLES)
def test_no_token_makes_one_that_may_do_more(
    http: httpx.Client, staff: Staff, maker: Role, made: Role
) -> None:
    """Rank alone would let a reader make a storefront's token, and create orders with it."""
    answer = http.post("/v1/tokens", headers=staff.bearer(maker), json={"name": "n", "role": made})
    within = all(maker in roles for roles in PERMISSIONS.values() if made in roles)
    if maker == "storefront":
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    elif RANK[made] <= RANK[maker] and within:
        assert answer.status_code == 201
        me = http.get("/v1/me", headers={"Authorization": f"Bearer {answer.json()['token']}"}).json()
        assert me["role"] == made
        assert set(me["permissions"]) <= {name for name, roles in PERMISSIONS.items() if maker in roles}
    else:
        assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
            403,
            "insufficient_permissions",
            "role_above_yours",
        )


@pytest.mark.parametrize(
    "body", [{"days": 0}, {"days": 367}, {"days": "1"}, {"name": ""}, {"role": "root"}, {"x": 1}]
)
def test_a_token_that_cannot_be_is_refused(http: httpx.Client, staff: Staff, body: dict[str, object]) -> None:
    answer = http.post(
        "/v1/tokens", headers=staff.bearer("owner"), json={"name": "n", "role": "support", **body}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["fields"][0]["field"] == next(iter(body))


def test_one_sees_ones_own_tokens_and_chiefs_see_all(http: httpx.Client, staff: Staff) -> None:
    def names(role: Role) -> set[str]:
        items = http.get("/v1/tokens?limit=200", headers=staff.bearer(role)).json()["items"]
        return {item["name"] for item in items}

    assert names("support") == {"support"}
    assert names("readonly") == {"readonly"}
    assert names("admin") == names("owner") == set(ROLES)


def test_anothers_token_is_not_there_for_those_who_may_not_manage(http: httpx.Client, staff: Staff) -> None:
    for target in ("owner", "readonly", "storefront"):
        identity = staff.tokens[target].split("_")[2]
        answer = http.delete(f"/v1/tokens/{identity}", headers=staff.bearer("support"))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for role in ROLES:
        assert http.get("/v1/me", headers=staff.bearer(role)).status_code == 200


def test_an_admin_revokes_below_and_not_above(http: httpx.Client, staff: Staff, store: Store) -> None:
    admin = staff.bearer("admin")
    for target in ("support", "readonly", "storefront"):
        identity = staff.tokens[target].split("_")[2]
        assert http.delete(f"/v1/tokens/{identity}", headers=admin).status_code == 200
    owners = staff.tokens["owner"].split("_")[2]
    answer = http.delete(f"/v1/tokens/{owners}", headers=admin)
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
        403,
        "insufficient_permissions",
        "target_is_owner",
    )
    assert http.get("/v1/me", headers=staff.bearer("owner")).status_code == 200


def test_revoking_twice_keeps_the_first_time(http: httpx.Client, staff: Staff, clock: FrozenClock) -> None:
    identity = staff.tokens["readonly"].split("_")[2]
    first = http.delete(f"/v1/tokens/{identity}", headers=staff.bearer("owner")).json()
    clock.advance(HOUR)
    again = http.delete(f"/v1/tokens/{identity}", headers=staff.bearer("owner")).json()
    assert first["revoked_at"] == again["revoked_at"] == "2026-02-23T10:00:00.000Z"


def test_use_is_kept_by_the_hour(http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock) -> None:
    identity = staff.tokens["support"].split("_")[2]

    def used() -> int | None:
        return store.read(
            lambda tx: tx.execute(select(token.c.last_used_at).where(token.c.id == identity)).scalar()
        )

    started = clock.now()
    for _ in range(3):
        assert http.get("/v1/me", headers=staff.bearer("support")).status_code == 200
        until(lambda: used() == started, "the use to be noted")
        clock.advance(10 * 60_000)
    clock.advance(HOUR)
    assert http.get("/v1/me", headers=staff.bearer("support")).status_code == 200
    until(lambda: used() == clock.now(), "the later use to be noted")


def test_a_demoted_user_takes_the_tokens_along(http: httpx.Client, staff: Staff) -> None:
    """The token was made as an Admin's; it may do no more than its user may now."""
    http.patch(f"/v1/users/{staff.users['admin']}", headers=staff.bearer("owner"), json={"role": "readonly"})
    me = http.get("/v1/me", headers=staff.bearer("admin")).json()
    assert (me["role"], me["user"]["role"]) == ("readonly", "readonly")
    assert http.get("/v1/settings", headers=staff.bearer("admin")).status_code == 403


def test_a_token_without_end_or_name_is_never_made(store: Store, staff: Staff) -> None:
    for wrong in ({"days": 0}, {"days": 367}, {"name": " "}, {"name": "x" * 81}, {"role": "storefront"}):
        given = {"role": "support", "name": "n", "days": 1, **wrong}
        with pytest.raises(ProblemError) as caught:
            store.write(
                lambda tx, given=given: service.make_token(tx, user_id=staff.users["owner"], **given)  # type: ignore[misc]
            )
        assert caught.value.code == "invalid_request"


def test_bad_tokens_are_slowed_and_good_ones_are_not(http: httpx.Client, staff: Staff) -> None:
    statuses = [
        http.get("/v1/me", headers={"Authorization": f"Bearer {new_token().text()}"}).status_code
        for _ in range(25)
    ]
    assert statuses[:20] == [401] * 20
    assert statuses[20:] == [429] * 5
    answer = http.get("/v1/me", headers={"Authorization": "Bearer guess"})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    assert http.get("/v1/me").json()["reason"] == "missing"
    assert http.get("/v1/me", headers=staff.bearer("readonly")).status_code == 200
