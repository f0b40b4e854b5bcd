"""The reference names every route, its permission and its refusals."""

from __future__ import annotations

import httpx
import pytest

from server.app import App, create_app
from server.app.assembly import route_table
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.pages import is_page
from server.kit.web import Open, Permit


def api_table(app: App) -> list[tuple[str, str, Permit | Open | None]]:
    """The routes for programs; the pages for customers are no part of the reference."""
    return [row for row in route_table(app) if not is_page(row[1])]


def test_every_route_is_described_with_its_permission(app: App, http: httpx.Client) -> None:
    document = http.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(method, path) for method, path, _ in api_table(app)}
    for method, path, what in api_table(app):
        operation = document["paths"][path][method.lower()]
        assert operation["summary"], path
        assert operation["description"], path
        if isinstance(what, Permit):
            assert operation["x-permission"] == what.permission
            assert operation["security"] == [{"token": []}]
            assert "401" in operation["responses"]
            assert "`forbidden`" in operation["responses"]["403"]["description"]
        else:
            assert isinstance(what, Open)
            assert operation["x-open-because"] == what.why
            assert operation["security"] == []
        for status, answered in operation["responses"].items():
            if int(status) >= 400:
                assert list(answered["content"]) == ["application/problem+json"], (path, status)
                assert "`" in answered["description"], (path, status)
            else:
                assert answered["content"], (path, status)


def test_changing_routes_take_an_idempotency_key(app: App, http: httpx.Client) -> None:
    document = http.get("/v1/openapi.json").json()
    for method, path, what in api_table(app):
        names = {item["name"] for item in document["paths"][path][method.lower()].get("parameters", [])}
        assert ("Idempotency-Key" in names) == (method != "GET" and isinstance(what, Permit)), path


def test_a_routes_own_refusals_are_named(http: httpx.Client) -> None:
    change = http.get("/v1/openapi.json").json()["paths"]["/v1/users/{user_id}"]["patch"]["responses"]
    assert "`cannot_deactivate_last_owner`" in change["409"]["description"]
    assert "`idempotency_conflict`" in change["409"]["description"]
    assert "`owner_role_protected`" in change["403"]["description"]


def test_every_reference_leads_somewhere(http: httpx.Client) -> None:
    document = http.get("/v1/openapi.json").json()
    schemas = document["components"]["schemas"]

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            here = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return here + [ref for item in value.values() for ref in references(item)]
        if isinstance(value, list):
            return [ref for item in value for ref in references(item)]
        return []

    found = set(references(document))
    assert "#/components/schemas/Problem" in found
    assert {ref.rpartition("/")[2] for ref in found} <= set(schemas)


def test_the_page_holds_every_route_and_no_script(app: App, http: httpx.Client) -> None:
    answer = http.get("/v1/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script" not in answer.text.lower()
    assert "https://" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for method, path, what in api_table(app):
        assert f"<code>{method} {path}</code>" in answer.text
        if isinstance(what, Permit):
            assert f"<code>{what.permission}</code>" in answer.text


def test_nothing_is_measured_for_anybody_else(
    store: Store, config: ServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastAPI would send telemetry when the environment says so; this application never does."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    app = create_app(store, config)
    assert not any(value for name, value in app._telemetry.items() if not name.endswith("provider"))
    assert not app._native_telemetry.enabled()
