"""Every error leaves as problem+json, and none of them tells more than it must."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from server.kit.failures import explain
from server.kit.pages import is_page, problem_page, shown_path
from server.kit.problems import ProblemError, invalid_request

_log = logging.getLogger("shopbell.app")
PROBLEM_TYPE = "application/problem+json"
_RETRY_SECONDS = 5
_MOST_FIELDS = 20
_LONGEST_FIELD = 100

_HTTP = {
    400: ("invalid_request", "This request cannot be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    408: ("too_slow", "The request came too slowly."),
    413: ("payload_too_large", "The body is too large."),
}


def problem_response(problem: ProblemError, headers: dict[str, str] | None = None) -> Response:
    """The answer for a refusal."""
    found = dict(headers or {})
    if problem.retry_after is not None:
        found["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        found["WWW-Authenticate"] = "Bearer"
    return Response(to_json(problem.body()), problem.status, found, PROBLEM_TYPE)


def refusal(path: str, problem: ProblemError, headers: dict[str, str] | None = None) -> Response:
    """The answer for a refusal at an address: a page where people look, problem+json where programs ask."""
    if not is_page(path):
        return problem_response(problem, headers)
    page = problem_page(problem)
    page.headers.update(headers or {})
    return page


def as_problem(error: Exception) -> ProblemError:
    """What an unexpected exception looks like from outside: the store's trouble in a sentence, else nothing at all."""
    failure = explain(error)
    if failure is not None:
        return ProblemError(
            503, "unavailable", failure.sentence, reason=failure.kind, retry_after=_RETRY_SECONDS
        )
    return ProblemError(500, "internal_error", "Something went wrong here. The server's log knows where.")


def log_error(error: Exception, method: str, path: str) -> None:
    """One line: the exception's type and where in our code, never its message, nor what a link opens with."""
    failure = explain(error)
    fields = {"method": method, "path": shown_path(path), "failure": failure.kind if failure else None}
    trace = (type(error), error, error.__traceback__)
    if failure is not None:
        _log.warning("store not available", extra={"fields": fields})
    else:
        _log.error("request failed", extra={"fields": fields}, exc_info=trace)


def refused(error: Exception) -> tuple[ProblemError, dict[str, str]] | None:
    """The refusal that an exception stands for, with its headers; None for what nobody meant to happen."""
    if isinstance(error, ProblemError):
        return error, {}
    if isinstance(error, RequestValidationError):
        found = [(_place(item), _message(item)) for item in error.errors()[:_MOST_FIELDS]]
        return invalid_request(*found), {}
    if isinstance(error, HTTPException):
        code, detail = _HTTP.get(error.status_code, ("invalid_request", "This request was refused."))
        return ProblemError(error.status_code, code, detail), dict(error.headers or {})
    return None


def install(app: FastAPI) -> None:
    """Register the handlers."""
    for kind in (ProblemError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _refused)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(request: Request, error: Exception) -> Response:
    found = refused(error)
    assert found is not None  # noqa: S101 - registered for these
    return refusal(request.url.path, *found)


async def _unexpected(request: Request, error: Exception) -> Response:
    log_error(error, request.method, request.url.path)
    return refusal(request.url.path, as_problem(error))


def _place(item: Any) -> str:
    """Where in the request a field stands: ``items.0.quantity``, ``query limit``."""
    where, *rest = [str(part) for part in item.get("loc", ())] or ["request"]
    inside = ".".join(rest)
    if where == "body":
        return (inside or "body")[:_LONGEST_FIELD]
    return f"{where} {inside}".strip()[:_LONGEST_FIELD]


def _message(item: Any) -> str:
    """What is wrong, without the value that was sent."""
    return str(item.get("msg", "is not right")).removeprefix("Value error, ")
