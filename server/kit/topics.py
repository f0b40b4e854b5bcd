"""Change counters, and the events of topics.

A counter is one number that moves, in the same transaction, when rows of its kind change. A client remembers the
numbers; when one moved it asks for those rows again. A number says nothing but "something changed", so it carries no
data and may be shown to everyone who may poll.

An event says on a topic what happened, by ids; who may follow a topic is declared in ``kit.topic_rules``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from server.kit.schema import topic, topic_event
from server.kit.topic_rules import allow, declared_topics, may_follow, own_or_staff, rule_of, staff
from server.kit.tx import Tx

__all__ = [
    "allow",
    "counters",
    "declared_topics",
    "may_follow",
    "move",
    "own_or_staff",
    "publish",
    "rule_of",
    "staff",
]


def move(tx: Tx, names: Iterable[str]) -> None:
    """Move the counters of these topics by one. Sorted, so that two transactions take their locks in one order."""
    for name in sorted(names):
        into = sqlite_insert(topic) if tx.dialect == "sqlite" else postgresql_insert(topic)
        tx.execute(
            into.values(name=name, counter=1).on_conflict_do_update(
                index_elements=[topic.c.name], set_={"counter": topic.c.counter + 1}
            )
        )


def counters(tx: Tx) -> dict[str, int]:
    """All counters as they stand."""
    return {row.name: row.counter for row in tx.execute(select(topic.c.name, topic.c.counter))}


def publish(tx: Tx, event: str, *names: str, **data: Any) -> None:
    """Tell those who follow these topics what happened, once this commits.

    Args:
        tx: the transaction of what happened.
        event: the event's name (``ticket_created``).
        names: the topics; one that is named twice is told once.
        data: ids and the change, as JSON; never a record, a name or anybody's text.
    """
    rows = [{"topic": name, "event": event, "data": data, "at": tx.now} for name in dict.fromkeys(names)]
    if rows:
        tx.execute(insert(topic_event), rows)
        tx.touch("events")
