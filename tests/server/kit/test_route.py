"""A route is made without what only FastAPI would look at, and leaves nothing of that behind."""

from __future__ import annotations

import sys

import pytest
from fastapi import Response

from server.kit.web import router, together


def test_what_a_route_is_made_without_can_be_loaded_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pydantic.v1", raising=False)
    routes = router("/v1/examples", "examples")

    @routes.get("/{name}")
    def example(name: str) -> Response:
        return Response(name)

    assert "pydantic.v1" not in sys.modules


def test_several_routers_are_one_and_their_routes_the_same() -> None:
    first, second = router("/v1/first", "first"), router("/v1/second", "second")
    for routes in (first, second):
        routes.get("/it")(_nothing)
    both = together(first, second)
    assert both.routes == [*first.routes, *second.routes]
    assert [getattr(route, "path", None) for route in both.routes] == ["/v1/first/it", "/v1/second/it"]


def _nothing() -> Response:
    return Response()
