"""``GET /healthz``: whether the server works, for whoever watches it. No token, nobody's data."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import text

from server.audit import wrapper
from server.kit.sqlite import SqliteStore, sqlite_version
from server.kit.web import answer, open_to_all, router, services


def build() -> APIRouter:
    """The route."""
    routes = router("", "health")

    @routes.get(
        "/healthz",
        response_model=dict[str, Any],
        summary="Does the server work?",
        dependencies=[open_to_all("tells nothing but whether the server works")],
    )
    def healthz(request: Request) -> Response:
        """``status`` is ``ok`` after the store answered, else ``trouble`` with a sentence, and the answer 503.

        ``activity_dropped`` counts entries that the log had to let go since the server started, ``audit_lost``
        those of the audit log that could not be written after an act of the shop's business.
        """
        store = services(request).store
        store.read(lambda tx: tx.execute(text("SELECT 1")).scalar())
        health: dict[str, Any] = {
            "status": "ok" if store.trouble is None else "trouble",
            "trouble": store.trouble,
            "activity_dropped": store.drops.total,
            "activity_dropped_by_reason": store.drops.by_reason(),
            "audit_lost": wrapper.lost(store),
            "database": store.dialect,
            "sqlite_version": None,
        }
        if isinstance(store, SqliteStore):
            health["sqlite_version"] = ".".join(str(part) for part in sqlite_version())
        return answer(health, 200 if store.trouble is None else 503)

    return routes
