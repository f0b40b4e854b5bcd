"""Who the token is."""

from __future__ import annotations

import httpx

from tests.server.conftest import Staff


def test_the_owner_is_shown_with_role_and_permissions(http: httpx.Client, staff: Staff) -> None:
    answer = http.get("/v1/me", headers=staff.bearer("owner"))
    assert answer.status_code == 200, answer.text
    me = answer.json()
    assert me["user"]["email"] == "owner@example.com"
    assert me["role"] == "owner"
    assert "users.manage" in me["permissions"]


def test_the_owner_is_shown_on_the_wire(wire: httpx.Client, staff: Staff) -> None:
    assert wire.get("/v1/me", headers=staff.bearer("owner")).json()["role"] == "owner"
    assert wire.get("/v1/me").json()["reason"] == "missing"
