"""What a route's function is called with is what FastAPI itself would call it with."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import httpx
import pytest
from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import to_json

from server.app import App
from server.kit.arguments import Arguments
from server.kit.web import open_to_all, router
from tests.support.serving import in_process


class Thing(BaseModel):
    size: int


async def page(
    limit: Annotated[int, Query(ge=1)] = 50, cursor: str | None = Query(None, max_length=4)
) -> dict[str, Any]:
    return {"limit": limit, "cursor": cursor}


def told(**given: Any) -> Response:
    return Response(to_json(given), media_type="application/json")


def fill(routes: APIRouter) -> None:
    free = [open_to_all("for the tests of arguments")]

    @routes.get("/shelves/{shelf}", dependencies=free)
    async def shelf(
        request: Request,
        shelf: Annotated[str, Path(max_length=3)],
        wanted: int,
        paging: Annotated[dict[str, Any], Depends(page)],
        way: Annotated[Literal["up", "down"], Query()] = "up",
        open: bool = False,  # noqa: A002
        named: Annotated[str | None, Query(alias="name")] = None,
    ) -> Response:
        return told(
            path=request.url.path, shelf=shelf, wanted=wanted, paging=paging, way=way, open=open, named=named
        )

    @routes.post("/things/{shelf}", dependencies=free)
    def put(shelf: int, thing: Thing) -> Response:
        return told(shelf=shelf, thing=thing)

    @routes.post("/maybe", dependencies=free)
    async def maybe(thing: Thing | None = None) -> Response:
        return told(thing=thing)


def application(routes: APIRouter) -> FastAPI:
    fill(routes)
    app = FastAPI()
    app.include_router(routes)

    @app.exception_handler(RequestValidationError)
    async def wrong(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return Response(to_json([(item["loc"], item["msg"]) for item in error.errors()]), 422)

    return app


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/shelves/a1?wanted=3", None),
        ("GET", "/shelves/a1?wanted=3&limit=7&cursor=abc&way=down&open=true&name=x", None),
        ("GET", "/shelves/a1?wanted=3&wanted=4&name=", None),
        ("GET", "/shelves/a1?named=x&wanted=%33", None),
        ("GET", "/shelves/a1", None),
        ("GET", "/shelves/far-too-long?wanted=many&limit=0&cursor=abcdef&way=left&open=perhaps", None),
        ("GET", "/shelves/%C3%A9?wanted=1&name=%E2%80%94", None),
        ("POST", "/things/7", b'{"size": 3}'),
        ("POST", "/things/seven", b'{"size": "large"}'),
        ("POST", "/things/7", b"[]"),
        ("POST", "/things/7", b"null"),
        ("POST", "/things/7", b""),
        ("POST", "/maybe", b'{"size": 3}'),
        ("POST", "/maybe", b'{"size": []}'),
        ("POST", "/maybe", b"null"),
        ("POST", "/maybe", b""),
    ],
)
def test_arguments_and_errors_are_those_of_fastapi(method: str, path: str, body: bytes | None) -> None:
    answers = []
    for routes in (router("", "room"), APIRouter()):
        with in_process(cast("App", application(routes))) as client:
            headers = {"Content-Type": "application/json"}
            found = client.request(method, path, content=body, headers=headers)
            answers.append((found.status_code, found.json()))
    assert answers[0] == answers[1]
    assert answers[0][0] in (200, 422)


def header(x: Annotated[str, Header()]) -> None: ...
def cookie(x: Annotated[str, Cookie()]) -> None: ...
def many(x: Annotated[list[str], Query()]) -> None: ...
def some(x: Annotated[list[str] | None, Query()] = None) -> None: ...
def two(a: Thing, b: Thing) -> None: ...
def inside(a: Annotated[Thing, Body(embed=True)]) -> None: ...
def plain() -> None: ...
def of_plain(x: Annotated[None, Depends(plain)]) -> None: ...
def answering(response: Response) -> None: ...


@pytest.mark.parametrize("function", [header, cookie, many, some, two, inside, of_plain, answering])
def test_what_no_route_here_takes_is_refused_when_the_route_is_made(function: Any) -> None:
    with pytest.raises(TypeError):
        Arguments(APIRoute("/", function, response_model=None))


def test_wrong_json_is_refused_like_everywhere(http: httpx.Client) -> None:
    answered = http.post(
        "/v1/setup", content=b'{"code": 1, "code": 2}', headers={"Content-Type": "application/json"}
    )
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_json")
