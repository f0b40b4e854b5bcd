"""The face of the log: what other rooms call."""

from __future__ import annotations

from server.activity.log import Actor, Logged, forget_order, log, record

__all__ = ["Actor", "Logged", "forget_order", "log", "record"]
