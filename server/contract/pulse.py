"""The one thing a client polls."""

from __future__ import annotations

from server.contract.base import Answer, Instant


class Shop(Answer):
    """What the frame shows of the shop. ``environment`` is ``live``, ``test`` or ``practice``."""

    name: str
    environment: str
    currency: str
    time_zone: str


class Pulse(Answer):
    """Counts for the frame and one change counter per topic; when a counter moved, ask for those rows again.

    ``attention`` counts groups, ``tickets`` those open or in progress. ``activity_dropped`` counts entries the
    log had to let go (see activity.gap).
    """

    attention: int
    tickets: int = 0
    topics: dict[str, int]
    shop: Shop
    activity_dropped: int = 0
    now: Instant
