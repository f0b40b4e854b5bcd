"""Change counters, and the events of topics.

A counter is one number that moves, in the same transaction, when rows of its kind change. A client remembers the
numbers; when one moved it asks for those rows again. A number says nothing but "something changed", so it carries no
data and may be shown to everyone who may poll.

An event says on a topic what happened, by ids; who may follow a topic is declared in ``kit.topic_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Insert, bindparam, delete, func, insert, literal, select

from server.kit.prepared import AnyOf, Prepared
from server.kit.recording import Frontier, Reach
from server.kit.schema import store_fact, topic, topic_event
from server.kit.topic_rules import (
    LONGEST,
    allow,
    declared_topics,
    is_topic,
    may_follow,
    own_or_staff,
    rule_of,
    staff,
)
from server.kit.tx import DialectName, Tx
from server.kit.upsert import upsert

__all__ = [
    "CHANNEL",
    "LONGEST",
    "Event",
    "after",
    "allow",
    "counters",
    "declared_topics",
    "drawn",
    "forget",
    "forgotten",
    "frontier",
    "is_topic",
    "may_follow",
    "move",
    "moved_between",
    "own_or_staff",
    "publish",
    "rule_of",
    "staff",
]

CHANNEL: Final = "shopbell_topics"
"""What PostgreSQL is told with every commit that moves a counter, for the other processes."""
_EVENT: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}", re.ASCII)


class Event(NamedTuple):
    """What happened on a topic. ``data`` is JSON on one line, ``at`` milliseconds."""

    seq: int
    topic: str
    event: str
    data: str
    at: int


def move(tx: Tx, names: Iterable[str]) -> None:
    """Move the counters of these topics by one. Sorted, so that two transactions take their locks in one order."""
    for name in sorted(names):
        tx.execute(_move_for(tx.dialect), {"name": name, "counter": 1})


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

    Raises:
        ValueError: this is no name of an event, or no topic.
    """
    if not _EVENT.fullmatch(event):
        raise ValueError(f"no event is called like this: {event!r}")
    if wrong := [name for name in names if not is_topic(name)]:
        raise ValueError(f"no topics: {wrong!r}")
    rows = [{"topic": name, "event": event, "data": data, "at": tx.now} for name in dict.fromkeys(names)]
    if rows:
        tx.execute(insert(topic_event), rows)
        tx.touch("events")


def frontier() -> Frontier:
    """Up to where events may be read so that none is ever skipped: each reader's own, to be looked at again."""
    return Frontier(_REACH)


def after(tx: Tx, names: Iterable[str], place: int, upto: int, limit: int) -> list[Event]:
    """The events of these topics after a place and up to another, in their order, at most ``limit`` of them."""
    rows = _AFTER.rows(tx, names_=list(names), after_=place, upto_=upto, limit_=limit)
    return [Event(*row) for row in rows]


def moved_between(tx: Tx, place: int, upto: int) -> set[str]:
    """The topics with an event after a place and up to another."""
    return {name for (name,) in _BETWEEN.rows(tx, after_=place, upto_=upto)}


def forget(tx: Tx, before: int, most: int) -> int:
    """Delete the first of the events that happened before a moment, at most so many of them; how many it were.

    What is kept has no hole: nothing that stands after an event that is kept is deleted.
    """
    seq = topic_event.c.seq
    young = select(func.min(seq)).where(topic_event.c.at >= before).scalar_subquery()
    last = select(func.max(seq) + 1).scalar_subquery()
    old = select(seq).where(seq < func.coalesce(young, last)).order_by(seq).limit(most)
    gone = tx.execute(delete(topic_event).where(seq.in_(old)).returning(seq)).scalars().all()
    if gone:
        place = str(max(gone))
        into = upsert(tx.dialect, store_fact)
        tx.execute(
            into.values(name=_FORGOTTEN, value=place).on_conflict_do_update(
                index_elements=[store_fact.c.name], set_={"value": place}
            )
        )
    return len(gone)


def forgotten(tx: Tx) -> int:
    """The last place whose event was deleted; who stands before it missed something."""
    rows = _LAST_FORGOTTEN.rows(tx)
    return int(rows[0][0]) if rows else 0


def drawn(tx: Tx) -> int:
    """The last place that an event was given so far, whether or not it is visible yet."""
    return _REACH.drawn(tx)


@cache
def _move_for(dialect: DialectName) -> Insert:
    moved = upsert(dialect, topic).on_conflict_do_update(
        index_elements=[topic.c.name], set_={"counter": topic.c.counter + 1}
    )
    if dialect == "sqlite":
        return moved
    # PostgreSQL tells the other processes with the commit, once for all of it.
    return moved.returning(func.pg_notify(literal(CHANNEL), literal("")))


_SPAN: Final = (topic_event.c.seq > bindparam("after_"), topic_event.c.seq <= bindparam("upto_"))
_AFTER: Final = Prepared(
    select(
        topic_event.c.seq,
        topic_event.c.topic,
        topic_event.c.event,
        topic_event.c.data,
        topic_event.c.at,
    )
    .where(*_SPAN, AnyOf(topic_event.c.topic, "names_"))
    .order_by(topic_event.c.seq)
    .limit(bindparam("limit_"))
)
_BETWEEN: Final = Prepared(select(topic_event.c.topic).distinct().where(*_SPAN))
_REACH: Final = Reach(topic_event.name)
_FORGOTTEN: Final = "events_forgotten"
_LAST_FORGOTTEN: Final = Prepared(select(store_fact.c.value).where(store_fact.c.name == literal(_FORGOTTEN)))
