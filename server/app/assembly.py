"""The rooms' routes as one application. It does not start with a route that declares no permission."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic.warnings import UnsupportedFieldAttributeWarning
from sqlalchemy import select

from server.accounts.audit_routes import routes as audit_log
from server.accounts.customer_routes import routes as customers
from server.accounts.invitation_routes import BURST, SECONDS
from server.accounts.invitation_routes import routes as invitations
from server.accounts.routes import routes as accounts
from server.accounts.user_routes import routes as users
from server.activity.routes import routes as activity
from server.app import errors, events, health, pulse, reference, registered  # noqa: F401 - the rooms' jobs
from server.app.front import BODY_SECONDS, Front, Receive, Scope, Send
from server.app.hosts import Hosts
from server.app.pulse import PulseCache
from server.app.services import AppServices
from server.app.streams import Streams
from server.app.watch import Pause
from server.billing.routes import routes as billing
from server.carts.routes import routes as shop_carts
from server.catalog.routes import routes as catalog
from server.content.file_routes import routes as files
from server.content.routes import routes as content
from server.deletion.export_routes import routes as exports
from server.deletion.routes import routes as deletions
from server.directory.routes import routes as directory
from server.fulfilment.hook_routes import routes as provider_hooks
from server.fulfilment.routes import routes as fulfilment
from server.jobs.routes import routes as jobs
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.limits import RateLimit
from server.kit.paging import Cursors, load_cursors
from server.kit.schema import store_fact
from server.kit.tx import Tx
from server.kit.web import Open, Permit, StrictRoute, declared
from server.lookup.routes import Limits
from server.lookup.routes import routes as lookup
from server.mail.routes import routes as mails
from server.orders.mail_routes import routes as order_mails
from server.orders.routes import routes as orders
from server.payments.routes import routes as payments
from server.recovery.pages import cart_pages, leaving
from server.recovery.routes import routes as carts
from server.settings.routes import routes as settings
from server.settings.source import attach
from server.tickets.my_routes import routes as my_tickets
from server.tickets.routes import routes as tickets

_TELEMETRY_OFF: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


class UndeclaredRouteError(Exception):
    """A route says neither whom it lets in nor why it lets everyone in."""


class App(FastAPI):
    """The application: the unchanged poll answered at once, and the front that every other request passes first."""

    front: Front
    pulse: PulseCache
    streams: Streams
    known: dict[tuple[str, str], StrictRoute]
    """The routes whose paths have no parameters, by method and path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event (ASGI)."""
        if scope["type"] == "http":
            if scope["path"] == "/v1/pulse" and (ready := self.pulse.at_hand(scope)) is not None:
                await send(ready[0])
                await send(ready[1])
                return
            await self.front(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def beyond_front(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The routes alone. One that is known by its path is not searched for among the others."""
        route = self.known.get((scope["method"], scope["path"]))
        if route is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await route.answer(scope, receive, send)


def create_app(
    store: Store,
    config: ServerConfig,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    body_seconds: float = BODY_SECONDS,
    pause: Pause = asyncio.sleep,
) -> App:
    """Put the rooms together.

    Args:
        store: open and migrated; it stays the caller's to close.
        config: the server's set-up.
        monotonic: the clock of rate limits.
        body_seconds: how long a request's body may take in all.
        pause: lets the seconds between two heartbeats of a stream pass.

    Raises:
        UndeclaredRouteError: a room forgot to say who may use one of its routes.
    """
    app = App(
        title="shopbell",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_TELEMETRY_OFF,
    )
    attach(store, config)
    found = AppServices(store, _cursors(store), monotonic)
    hosts = Hosts(config)
    app.known = {}
    app.pulse = PulseCache(found, hosts.allows)
    app.streams = Streams(store, pause)
    app.state.services = found
    app.state.config = config
    app.front = Front(app.beyond_front, found, hosts, body_seconds)
    app.state.invitation_limit = RateLimit(BURST, SECONDS, monotonic)
    app.state.lookup_limits = Limits(monotonic)
    errors.install(app)
    rooms = (
        accounts,
        users,
        customers,
        invitations,
        audit_log,
        orders,
        order_mails,
        fulfilment,
        provider_hooks,
        activity,
        jobs,
        mails,
        payments,
        settings,
        catalog,
        carts,
        lookup,
        leaving,
        cart_pages,
        directory,
        deletions,
        exports,
        tickets,
        my_tickets,
        content,
        files,
        shop_carts,
        billing,
    )
    own = (health.build(), pulse.build(app.pulse), events.build(found, app.streams))
    for router in (*own, *rooms, reference.build(app)):
        _take_in(app, router)
    check_routes(app)
    _build_bodies(app)
    return app


def _take_in(app: App, router: APIRouter) -> None:
    """Put a room's routes beside the others, flat: FastAPI walks through included routers at every request."""
    for context in iter_route_contexts(router.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or route.path != context.path:
            raise TypeError(f"a room's routes must stand under their whole path: {context.path}")
        app.router.routes.append(route)
        if isinstance(route, StrictRoute) and not route.param_convertors:
            app.known |= {(method, route.path): route for method in route.methods or ()}


def route_table(app: FastAPI) -> list[tuple[str, str, Permit | Open | None]]:
    """Every route as method, path and what it declares, sorted."""
    table = [
        (method, str(context.path), declared(context) if _is_api(context) else None)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or {"*"}
    ]
    return sorted(table, key=lambda row: (row[1], row[0]))


def check_routes(app: FastAPI) -> None:
    """Refuse an application with a route that declares nothing.

    Raises:
        UndeclaredRouteError: with the routes.
    """
    bare = [f"{method} {path}" for method, path, what in route_table(app) if what is None]
    if bare:
        raise UndeclaredRouteError("no permission declared for: " + ", ".join(bare))


def _build_bodies(app: FastAPI) -> None:
    """Build the validators of all bodies now, so that no request waits for its own.

    FastAPI silences a warning about its own aliases while it builds, but models that build late do so outside of it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        for context in iter_route_contexts(app.routes):
            field = getattr(context, "body_field", None)
            if field is not None:
                field.validate({}, {}, loc=())


def _is_api(context: RouteContext) -> bool:
    return isinstance(context.original_route, APIRoute)


def _cursors(store: Store) -> Cursors:
    """The store's cursors, without writing when their key is there."""

    def key(tx: Tx) -> str | None:
        found: str | None = tx.execute(
            select(store_fact.c.value).where(store_fact.c.name == "cursor_key")
        ).scalar()
        return found

    known = store.read(key)
    return Cursors(bytes.fromhex(known)) if known else store.write(load_cursors)
