"""Every route lets in exactly the roles of its permission: role by route, generated from the application itself."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, get_args

import httpx
import pytest
from fastapi import Response
from sqlalchemy import update

from server.accounts.models import token
from server.accounts.tokens import new_token
from server.app import App, create_app
from server.app.assembly import UndeclaredRouteError, check_routes, route_table
from server.kit.access import PERMISSIONS, RANK, Principal, Role
from server.kit.clock import DAY, FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.pages import is_page
from server.kit.tx import Tx
from server.kit.web import Open, Permit, answer, open_to_all, permit, router
from tests.server.conftest import Staff

ROLES: tuple[Role, ...] = get_args(Role)
NEVER_ENDS = "/v1/events"
CUSTOMERS = {
    "/v1/me": {"GET"},
    "/v1/events": {"GET"},
    "/v1/my/tickets": {"GET", "POST"},
    "/v1/my/tickets/{ticket}": {"GET"},
    "/v1/my/tickets/{ticket}/comments": {"POST"},
}
"""All that a customer's session reaches besides what anybody may read of the shop's contents."""


@pytest.fixture
def tokens(http: httpx.Client, staff: Staff) -> dict[Role, str]:
    """A token of every role there is: the staff's, and the session of a customer who signed up."""
    front = staff.bearer("storefront")
    customer = http.post("/v1/customers", headers=front, json={"email": "c@example.com"}).json()
    session = http.post(f"/v1/customers/{customer['id']}/sessions", headers=front, json={})
    return {**staff.tokens, "user": session.json()["token"]}


def ask(http: httpx.Client, method: str, path: str, token: str | None) -> httpx.Response:
    """A request that reaches the route and can do nothing there: unknown ids, an empty body."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    path = re.sub(r"\{[^}]*\}", "nothing", path)
    if path == NEVER_ENDS:
        path += "?topics=no%20topic"  # refused once it is known that the role may follow at all
    path += "?topics=nothing" if path == "/v1/events" else ""  # refused like this; a stream would have no end
    body: dict[str, str] | None = {} if method in ("POST", "PUT", "PATCH") else None
    return http.request(method, path, headers=headers, json=body)


def test_every_route_declares_whom_it_lets_in(app: App) -> None:
    table = route_table(app)
    assert len(table) >= 15
    assert all(what is not None for _, _, what in table)
    for _, path, what in table:
        if isinstance(what, Permit):
            assert what.permission in PERMISSIONS
        else:
            assert isinstance(what, Open)
            assert len(what.why) > 10, f"{path} is open without a reason"


def test_the_open_routes_are_known_by_name(app: App) -> None:
    """A new one is a decision: it belongs in this list and in docs/security.md."""
    opened = {path for _, path, what in route_table(app) if isinstance(what, Open)}
    customers = {
        "/orders",
        "/orders/find",
        "/orders/sent",
        "/orders/open/{token}",
        "/orders/leave",
        "/orders/{number}",
        "/unsubscribe/{token}",
        "/cart",
        "/cart/{token}",
    }
    assert {path for path in opened if is_page(path)} == customers
    opened -= customers
    webhooks = {"stripe", "printify/{connection}", "printful/{connection}", "mail/bounces"}
    others = {"/healthz", "/v1/setup", "/v1/invitations/accept", "/v1/openapi.json", "/v1/docs"}
    assert opened == others | {f"/webhooks/{sender}" for sender in webhooks}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_its_routes_and_no_other(
    app: App, http: httpx.Client, tokens: dict[Role, str], role: Role
) -> None:
    app.state.invitation_limit.burst = 1_000
    wrong = []
    for method, path, what in route_table(app):
        answered = ask(http, method, path, tokens[role])
        if answered.status_code >= 500 and not (answered.status_code == 503 and isinstance(what, Open)):
            wrong.append((method, path, answered.status_code, answered.text))
        if isinstance(what, Open):
            continue
        assert isinstance(what, Permit)
        refused = (answered.status_code, answered.json().get("code")) == (403, "forbidden")
        if refused == (role in PERMISSIONS[what.permission]) or answered.status_code == 401:
            wrong.append((method, path, answered.status_code, answered.text))
    assert wrong == []


def test_every_role_has_a_token_here_and_every_permission_somebody(tokens: dict[Role, str]) -> None:
    assert set(tokens) == set(ROLES) == set(RANK)
    assert {permission: roles for permission, roles in PERMISSIONS.items() if not roles} == {}


def test_a_customer_reaches_nothing_but_what_is_theirs(
    app: App, http: httpx.Client, tokens: dict[Role, str]
) -> None:
    """By name: a route that lets customers in is a decision, and belongs in the list above."""
    reached: dict[str, set[str]] = {}
    for method, path, what in route_table(app):
        if isinstance(what, Open):
            continue
        answered = ask(http, method, path, tokens["user"])
        if (answered.status_code, answered.json().get("code")) == (403, "forbidden"):
            continue
        assert isinstance(what, Permit)
        if what.permission not in ("content.read", "content.own"):
            reached.setdefault(path, set()).add(method)
    assert reached == CUSTOMERS


@pytest.mark.parametrize("role", ["admin", "support", "readonly", "user"])
def test_somebody_deactivated_reaches_nothing(
    app: App, http: httpx.Client, staff: Staff, tokens: dict[Role, str], role: Role
) -> None:
    """Nor does the account itself open anything while its tokens still stand: both are asked for at each request."""
    owner = staff.bearer("owner")
    me = http.get("/v1/me", headers={"Authorization": f"Bearer {tokens[role]}"}).json()["user"]["id"]
    assert http.patch(f"/v1/users/{me}", headers=owner, json={"active": False}).status_code == 200
    for _ in ("ended tokens", "tokens that stand"):
        for method, path, what in route_table(app):
            if isinstance(what, Open):
                continue
            answered = ask(http, method, path, tokens[role])
            told = (answered.status_code, answered.json()["code"], answered.json()["reason"])
            assert told == (401, "unauthenticated", "revoked"), f"{method} {path}"
        app.state.services.store.write(partial(_tokens_stand, user_id=me))


def _tokens_stand(tx: Tx, user_id: str) -> None:
    tx.execute(update(token).where(token.c.user_id == user_id).values(revoked_at=None))
    tx.touch("access")


@pytest.mark.parametrize("kind", ["missing", "wrong", "expired", "revoked"])
def test_without_a_good_token_no_closed_route_answers(
    app: App, http: httpx.Client, staff: Staff, clock: FrozenClock, kind: str
) -> None:
    given: str | None = staff.tokens["owner"]
    if kind == "missing":
        given = None
    elif kind == "wrong":
        given = new_token().text()
    elif kind == "expired":
        clock.advance(90 * DAY)
    else:
        made = http.post(
            "/v1/tokens", headers=staff.bearer("owner"), json={"name": "gone", "role": "owner"}
        ).json()
        given = made["token"]
        http.delete(f"/v1/tokens/{made['id']}", headers=staff.bearer("owner"))
    app.state.services.bad_tokens.burst = 1_000
    for method, path, what in route_table(app):
        if isinstance(what, Open):
            continue
        answered = ask(http, method, path, given)
        told = (answered.status_code, answered.json()["code"], answered.json()["reason"])
        assert told == (401, "unauthenticated", kind), f"{method} {path}"


def test_a_stranger_learns_nothing_from_a_body(app: App, http: httpx.Client) -> None:
    """Who asks is looked at before what they sent is read."""
    answered = http.post("/v1/tokens", content=b"{", headers={"Content-Type": "application/json"})
    assert answered.status_code == 401


def test_an_application_with_an_undeclared_route_does_not_start(store: Store, config: ServerConfig) -> None:
    app = create_app(store, config)

    @app.get("/v1/forgotten")
    def forgotten() -> Response:
        return answer({})

    with pytest.raises(UndeclaredRouteError, match="GET /v1/forgotten"):
        check_routes(app)


def test_an_undeclared_route_in_a_room_is_found_too(store: Store, config: ServerConfig) -> None:
    room = router("/v1/room", "room")

    @room.get("/good")
    def good(caller: Annotated[Principal, permit("orders.read")]) -> Response:
        return answer({"role": caller.role})

    @room.post("/open", dependencies=[open_to_all("for the test of open routes")])
    def opened() -> Response:
        return answer({})

    @room.delete("/forgotten/{thing}")
    def forgotten(thing: str) -> Response:
        return answer({})

    app = create_app(store, config)
    app.include_router(room)
    with pytest.raises(UndeclaredRouteError) as caught:
        check_routes(app)
    assert str(caught.value).endswith(": DELETE /v1/room/forgotten/{thing}")
