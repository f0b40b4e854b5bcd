"""What travels on the stream of events: ids and the change, never a record."""

from __future__ import annotations

from typing import Any

from server.contract.base import Answer, Instant


class TopicEvent(Answer):
    """Something that happened on a topic. As a server-sent event: ``id`` is ``seq``, ``event`` its name, the rest data.

    Two events of the stream itself belong to no topic: ``changed`` (counters of the pulse moved: poll now) and
    ``reset`` (what lies between ``Last-Event-ID`` and now is not kept any more: fetch again).
    """

    seq: int
    topic: str
    event: str
    data: dict[str, Any]
    at: Instant
