"""What was told on the topics, as the tests look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from server.kit.db import Store
from server.kit.schema import topic_event


@dataclass(frozen=True)
class Told:
    """An event: its name, the topics it went to with the same data, and the data."""

    event: str
    data: dict[str, Any]
    topics: frozenset[str]


class Topics:
    """A store's topics; each look gives what was told since the last one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = 0

    def new(self, prefix: str = "") -> list[Told]:
        """What was told since, in order, of topics that begin with ``prefix``; one telling to several topics is one."""
        rows = self._store.read(
            lambda tx: tx.execute(
                select(topic_event).where(topic_event.c.seq > self._seen).order_by(topic_event.c.seq)
            ).all()
        )
        self._seen = max((row.seq for row in rows), default=self._seen)
        told: list[Told] = []
        for row in rows:
            if not row.topic.startswith(prefix):
                continue
            last = told[-1] if told else None
            if last and (last.event, last.data) == (row.event, row.data) and row.topic not in last.topics:
                told[-1] = Told(row.event, row.data, last.topics | {row.topic})
            else:
                told.append(Told(row.event, row.data, frozenset({row.topic})))
        return told
