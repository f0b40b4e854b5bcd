"""The HTTP habits of all rooms: strict bodies, declared permissions, ready answers, idempotent writes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute, RouteContext
from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import delete, insert, select
from starlette.types import Receive, Scope, Send

from server.kit.access import Permission, Principal
from server.kit.arguments import Arguments, is_coroutine
from server.kit.clock import DAY
from server.kit.db import Store
from server.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, Cursors, PageRequest
from server.kit.problems import ProblemError
from server.kit.route import Route
from server.kit.schema import idempotency
from server.kit.tx import Tx

T = TypeVar("T")
Made = TypeVar("Made", bound=BaseModel | bytes)
JSON_TYPE: Final = "application/json"
_CALLER: Final = "shopbell.caller"
_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_LIMIT = re.compile(r"[0-9]{1,4}", re.ASCII)


class StrictRoute(Route):
    """A route that looks at who asks before it reads what they sent, and decodes JSON strictly.

    Its function answers with a ``Response``; a plain one is run in a thread.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._respond = self.get_route_handler()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for this route, which has no parameters in its path (ASGI)."""
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request that came to this route."""
        declares = declared(self)
        arguments = Arguments(self)
        call = self.endpoint
        waits = is_coroutine(call)

        async def strict(request: Request) -> Response:
            if isinstance(declares, Permit):
                request.scope[_CALLER] = await declares.admit(request)
            given = await arguments.of(request)
            made: Response = await call(**given) if waits else await run_in_threadpool(call, **given)
            return made

        return strict


def router(prefix: str, tag: str) -> APIRouter:
    """A room's router, under ``prefix``; its routes stand under ``tag`` in the reference."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=StrictRoute)


def together(*routers: APIRouter) -> APIRouter:
    """The routes of several routers as one; a router that includes others would make each of them anew."""
    return APIRouter(routes=[route for one in routers for route in one.routes])


class Services(Protocol):
    """What the application gives every route (``request.app.state.services``)."""

    store: Store
    cursors: Cursors

    async def authenticate(self, request: Request) -> Principal:
        """Whose request it is. Raises ProblemError 401 (429 for a peer that keeps bringing bad tokens)."""
        ...

    def counted(self, request: Request, refused: ProblemError) -> ProblemError:
        """What is answered to who brought a bad token: ``refused``, or 429 for a peer that keeps bringing them."""
        ...


def services(request: Request) -> Services:
    """The application's services."""
    found: Services = request.app.state.services
    return found


class Permit:
    """A route's declared permission. As a dependency it gives the caller, or refuses."""

    def __init__(self, permission: Permission) -> None:
        self.permission: Permission = permission

    async def __call__(self, request: Request) -> Principal:
        """The caller, whom the route has let in already."""
        caller: Principal | None = request.scope.get(_CALLER)
        return caller or await self.admit(request)

    async def admit(self, request: Request) -> Principal:
        """Authenticate, then check.

        Raises:
            ProblemError: 401 ``unauthenticated`` or 403 ``forbidden``.
        """
        principal = await services(request).authenticate(request)
        if not principal.may(self.permission):
            raise ProblemError(
                403,
                "forbidden",
                f"A {principal.role} token may not do this (it needs {self.permission}).",
                reason="insufficient_permissions",
            )
        return principal


class Open:
    """Declares that a route needs no token, and why (``signed by the sender``)."""

    def __init__(self, why: str) -> None:
        self.why = why

    async def __call__(self) -> None:
        """Let everyone in."""


def permit(permission: Permission) -> Any:
    """Declare the permission of a route: ``caller: Annotated[Principal, permit("orders.read")]``."""
    return Depends(Permit(permission))


def open_to_all(why: str) -> Any:
    """Declare a route without a token: ``dependencies=[open_to_all("signed by the sender")]``."""
    return Depends(Open(why))


def refuses(**codes: int) -> dict[int | str, dict[str, Any]]:
    """Declare a route's own refusals for the reference: ``responses=refuses(email_taken=409)``, code and status."""
    found: dict[int | str, dict[str, Any]] = {}
    for code, status in codes.items():
        found.setdefault(status, {"description": "", "x-codes": []})["x-codes"].append(code)
    return found


def declared(route: APIRoute | RouteContext) -> Permit | Open | None:
    """What a route declares; None means that the application must not start with it."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Permit | Open):
            return dependency.call
    return None


def answer(body: BaseModel | dict[str, Any] | bytes, status: int = 200) -> Response:
    """A JSON answer, serialised once."""
    if isinstance(body, BaseModel):
        body = type(body).__pydantic_serializer__.to_json(body)
    elif isinstance(body, dict):
        body = to_json(body)
    return Response(body, status, media_type=JSON_TYPE)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """The query parameters that every list takes."""

    limit: int
    cursor: str | None
    edge: Literal["newest", "oldest"]

    def request(self, cursors: Cursors, query: str) -> PageRequest:
        """The page asked for, once the cursor proved to belong to ``query``.

        Raises:
            ProblemError: 400 ``invalid_cursor``.
        """
        position = cursors.read(self.cursor, query) if self.cursor else None
        return PageRequest(self.limit, position, self.edge)


async def page_query(  # on the loop: a plain function would be called in a thread, which costs more than it does
    cursor: str | None = Query(None, max_length=1024, description="`next` or `prev` of another page"),
    limit: str = Query(str(DEFAULT_LIMIT), description=f"1 to {MAX_LIMIT}"),
    edge: Literal["newest", "oldest"] = Query("newest", description="which end to begin at without a cursor"),
) -> PageQuery:
    """Read the paging parameters.

    Raises:
        ProblemError: 422 for a limit that is not 1 to 200.
    """
    if not _LIMIT.fullmatch(limit) or not 1 <= int(limit) <= MAX_LIMIT:
        raise ProblemError(
            422,
            "invalid_request",
            f"limit must be 1 to {MAX_LIMIT}.",
            fields=[("limit", f"must be 1 to {MAX_LIMIT}")],
        )
    return PageQuery(int(limit), cursor, edge)


async def read(request: Request, unit: Callable[[Tx], T], *, keyed: bool = False) -> T:
    """Run a reading unit.

    Args:
        request: the request.
        unit: what to read.
        keyed: it walks along an index for a page at most. On a file that takes less than handing it to a thread
            does, so it is done right here; everything else, and everything on PostgreSQL, in a thread.
    """
    store = services(request).store
    if keyed and store.dialect == "sqlite":
        return store.read(unit)
    return await store.read_async(unit)


async def mutate(
    request: Request,
    caller: Principal,
    unit: Callable[[Tx], Made],
    status: int | Callable[[], int] = 200,
    *,
    remembered: Callable[[Made], BaseModel | bytes] = lambda made: made,
) -> Response:
    """Run a writing unit and answer with what it made; with an ``Idempotency-Key``, at most once.

    The answer is stored in the same transaction as the change, so a repeat after a dropped connection gets the
    first answer and changes nothing. A refused request stores nothing and may be tried again.

    Args:
        request: the request.
        caller: whose key it is.
        unit: what to do; the model it gives is the answer, or the JSON of one.
        status: of the answer; called after ``unit`` where that decides.
        remembered: what is stored for a repeat in place of the answer, where that holds a secret.

    Raises:
        ProblemError: 422 ``invalid_request`` for a key that is not 1 to 200 printable ASCII signs; 409
            ``idempotency_conflict`` when the key came with another request before; whatever the unit raises.
    """
    key = request.headers.get("idempotency-key")
    store = services(request).store
    if key is None:
        made = await store.write_async(unit)
        return answer(made, status if isinstance(status, int) else status())
    if not _KEY.fullmatch(key):
        message = "must be 1 to 200 printable ASCII signs"
        raise ProblemError(
            422, "invalid_request", f"Idempotency-Key {message}.", fields=[("Idempotency-Key", message)]
        )
    told = f"{request.method} {request.url.path}\0".encode() + await request.body()
    request_hash = hashlib.sha256(told).hexdigest()

    def once(tx: Tx) -> tuple[int, bytes]:
        if tx.dialect == "postgresql":
            # Two requests with one key at the same moment: the second waits for the first one's answer.
            tx.driver_sql(
                "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))",
                {"key": f"idempotency {caller.token_id} {key}"},
            )
        mine = (idempotency.c.token_id == caller.token_id) & (idempotency.c.key == key)
        before = tx.execute(select(idempotency).where(mine)).first()
        if before is not None and before.created_at > tx.now - DAY:
            if before.request_hash != request_hash:
                raise ProblemError(
                    409, "idempotency_conflict", "This Idempotency-Key came with another request before."
                )
            return before.status, before.body.encode()
        made = unit(tx)
        code = status if isinstance(status, int) else status()
        body = answer(made).body
        kept = answer(remembered(made)).body
        if before is not None:
            tx.execute(delete(idempotency).where(mine))
        tx.execute(
            insert(idempotency).values(
                token_id=caller.token_id,
                key=key,
                request_hash=request_hash,
                status=code,
                body=bytes(kept).decode(),
                created_at=tx.now,
            )
        )
        return code, bytes(body)

    stored_status, stored_body = await store.write_async(once)
    return answer(stored_body, stored_status)
