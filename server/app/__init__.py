"""The rooms put together: one ASGI application, and the process that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.app.assembly import App, create_app

__all__ = ["App", "create_app"]


def __getattr__(name: str) -> Any:
    """Load the application when somebody asks for it: most commands of ``shopbelld`` need no web server."""
    if name in __all__:
        from server.app import assembly  # noqa: PLC0415

        return getattr(assembly, name)
    raise AttributeError(name)
