"""The rooms put together: one ASGI application, and the process that serves it."""

from __future__ import annotations

from server.app.assembly import App, create_app

__all__ = ["App", "create_app"]
