"""What a route's function is called with: its parameters, its dependencies and its body, checked.

FastAPI describes each route, and the reference is made of these descriptions. It also looks every description through
again at each request, which takes longer than reading a page of the log. Here that is done once, when the route is
made. What no route here takes (headers, cookies, lists in an address, forms, generators) is refused then.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from server.kit import strict_json

Errors = list[Any]
"""As FastAPI tells them: ``loc``, ``msg`` and more."""
_MANY: Final = (list, tuple, set, frozenset)
_NOT_TAKEN: Final = (
    "header_params",
    "cookie_params",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
)


@dataclass(frozen=True, slots=True)
class _Field:
    """A value that comes from outside. ``check`` is FastAPI's: it gives the value and the errors."""

    name: str
    alias: str
    loc: tuple[str, ...]
    required: bool
    default: Any
    check: Callable[..., tuple[Any, Errors]]

    def judge(self, value: Any, values: dict[str, Any], errors: Errors) -> None:
        """Check a value that came."""
        values[self.name], wrong = self.check(value, {}, loc=self.loc)
        errors += wrong or ()

    def leave_out(self, values: dict[str, Any], errors: Errors) -> None:
        """Nothing came."""
        if self.required:
            errors.append({"type": "missing", "loc": self.loc, "msg": "Field required", "input": None})
        else:
            values[self.name] = self.default


class _Fields:
    """The parameters that stand in one place: in the path, or behind it."""

    __slots__ = ("_by_alias", "_defaults", "_required")

    def __init__(self, fields: Sequence[_Field]) -> None:
        self._by_alias = {item.alias: item for item in fields}
        self._defaults = {item.name: item.default for item in fields if not item.required}
        self._required = [item for item in fields if item.required]

    def take(self, given: Mapping[str, Any], values: dict[str, Any], errors: Errors) -> None:
        """Put the checked values among ``values``, and what is wrong with others among ``errors``."""
        values |= self._defaults
        for item in self._required:
            if item.alias not in given:
                item.leave_out(values, errors)
        for alias, value in given.items():
            if known := self._by_alias.get(alias):
                known.judge(value, values, errors)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the arguments of one function are found; its dependencies come first, each with a plan of its own."""

    name: str | None
    call: Callable[..., Any]
    request: str | None
    path: _Fields
    query: _Fields
    needs: Sequence[_Plan] = field(default=())

    async def find(self, request: Request, errors: Errors) -> dict[str, Any]:
        """The arguments, as far as they are right."""
        values: dict[str, Any] = {}
        for need in self.needs:
            wrong: Errors = []
            found = await need.find(request, wrong)
            if wrong:
                errors += wrong
                continue
            given = await need.call(**found)
            if need.name is not None:
                values[need.name] = given
        self.path.take(request.path_params, values, errors)
        self.query.take(request.query_params, values, errors)
        if self.request is not None:
            values[self.request] = request
        return values


class Arguments:
    """Finds the arguments of a route's function in a request.

    Raises:
        TypeError: the route takes something that routes here do not take.
    """

    def __init__(self, route: APIRoute) -> None:
        whole = route.dependant
        self._plan = _plan(whole)
        self._body = None
        if whole.body_params:
            if len(whole.body_params) > 1 or route.body_field is not whole.body_params[0]:
                raise TypeError(f"{route.path}: a body is one model")
            self._body = _field(whole.body_params[0], ("body",))

    async def of(self, request: Request) -> dict[str, Any]:
        """Every argument by its name.

        Raises:
            RequestValidationError: something is missing or wrong; it holds all that is.
            ProblemError: the body is no JSON, or a dependency refuses.
        """
        errors: Errors = []
        values = await self._plan.find(request, errors)
        if self._body is not None:
            if sent := await request.body():
                self._body.judge(strict_json.decode(sent), values, errors)
            else:
                self._body.leave_out(values, errors)
        if errors:
            raise RequestValidationError(errors)
        return values


def _plan(dependant: Dependant) -> _Plan:
    call = dependant.call
    odd = [name for name in _NOT_TAKEN if getattr(dependant, name)]
    if call is None or odd:
        raise TypeError(f"{dependant.path}: no route here takes {', '.join(odd)}")
    return _Plan(
        dependant.name,
        call,
        dependant.request_param_name,
        _Fields([_parameter(item, "path") for item in dependant.path_params]),
        _Fields([_parameter(item, "query") for item in dependant.query_params]),
        [_need(item) for item in dependant.dependencies],
    )


def _need(dependant: Dependant) -> _Plan:
    found = _plan(dependant)
    if dependant.body_params or not is_coroutine(found.call):
        raise TypeError(f"{dependant.path}: a dependency is a coroutine function without a body")
    return found


def _parameter(item: Any, where: str) -> _Field:
    """A parameter: FastAPI's ``ModelField``."""
    alias = item.validation_alias or item.alias
    if _holds_many(item.field_info.annotation):
        raise TypeError(f"{alias}: no route here takes a parameter more than once")
    return _field(item, (where, alias), alias)


def _holds_many(annotation: Any) -> bool:
    return get_origin(annotation) in _MANY or any(_holds_many(part) for part in get_args(annotation))


def _field(item: Any, loc: tuple[str, ...], alias: str = "") -> _Field:
    required = item.field_info.is_required()
    return _Field(item.name, alias, loc, required, None if required else item.get_default(), item.validate)


def is_coroutine(call: Callable[..., Any]) -> bool:
    """Whether a function, or an object that is called like one, is to be awaited."""
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004
