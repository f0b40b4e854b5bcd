"""Webhooks received: stored durably and once, then worked on, so that nothing depends on the sender's patience.

``received`` → ``done`` or ``ignored``; ``parked`` while what it speaks of is unknown; ``failed`` while its handler is
tried again; ``dead`` when it came to nothing (a person is told then).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, delete, select, update

from server.inbox.models import BODY_KEPT, inbox
from server.inbox.senders import Event, Outcome, find
from server.kit import refs
from server.kit.clock import DAY, HOUR, MINUTE
from server.kit.db import Store
from server.kit.tx import TransactionLostError, Tx
from server.kit.upsert import upsert

_log = logging.getLogger("shopbell.inbox")

WAITS: Final = (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR)
"""How long after each failure the handler is tried again; after one failure more the event is dead."""
PARKED_FOR: Final = DAY
KEPT_DAYS: Final = 30
BATCH: Final = 500

_OPEN: Final = ("received", "failed", "parked")


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a sender told us, its signature checked. ``occurred_at`` in milliseconds UTC."""

    provider: str
    connection: str
    event_id: str
    type: str
    occurred_at: int
    body: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where it is kept, and whether it had been told before."""

    id: str
    duplicate: bool


async def receive(store: Store, told: Incoming) -> Receipt:
    """Store an event, then work on it. When this returns, the event is on disk; answer the sender 200.

    A failing handler is not the sender's business: the row keeps it and ``run_due`` tries again. An event told
    before is left alone, unless the first telling was cut off before anybody worked on it.

    Raises:
        Exception: what the database raised while storing; then the sender must tell it again.
    """
    receipt, waiting = await store.write_async(lambda tx: keep(tx, told))
    if waiting:
        try:
            await store.write_async(lambda tx: work(tx, receipt.id))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the event is kept
            failure = _failure(told.provider, told.type, error)
            try:
                await store.write_async(lambda tx: note_failure(tx, receipt.id, failure))
            except Exception as again:  # noqa: BLE001 - it stays due
                _failure(told.provider, told.type, again)
    return receipt


def keep(tx: Tx, told: Incoming) -> tuple[Receipt, bool]:
    """Store an event if it is new; also says whether it still waits to be worked on."""
    insert = upsert(tx.dialect, inbox)
    made = tx.execute(
        insert.values(
            id=tx.new_id(),
            provider=told.provider,
            connection=told.connection,
            event_id=told.event_id,
            type=told.type,
            occurred_at=told.occurred_at,
            received_at=tx.now,
            state="received",
            attempts=0,
            next_try_at=tx.now,  # due at once: should this process die now, the next one works on it
            body=told.body,
        )
        .on_conflict_do_nothing(index_elements=[inbox.c.provider, inbox.c.connection, inbox.c.event_id])
        .returning(inbox.c.id)
    ).scalar()
    if made is not None:
        return Receipt(made, duplicate=False), True
    first = tx.execute(
        select(inbox.c.id, inbox.c.state).where(
            inbox.c.provider == told.provider,
            inbox.c.connection == told.connection,
            inbox.c.event_id == told.event_id,
        )
    ).one()
    return Receipt(first.id, duplicate=True), first.state == "received"


def work(tx: Tx, inbox_id: str, *, skip_locked: bool = False) -> None:
    """Run the handler of a stored event and keep what became of it, in one transaction.

    Does nothing when it is settled already, or, with ``skip_locked``, while somebody else works on it.

    Raises:
        Exception: whatever the handler raises; nothing of it stands then (``note_failure`` comes next).
    """
    row = tx.execute(
        select(inbox).where(inbox.c.id == inbox_id).with_for_update(skip_locked=skip_locked)
    ).first()
    if row is not None and row.state in _OPEN:
        _settle(tx, row)


def wake(tx: Tx, provider: str, waits_for: str) -> None:
    """Work on the events that waited for this, in the transaction that made it known, oldest first.

    One that fails keeps its row for a later try and does not disturb the transaction.
    """
    rows = tx.execute(
        select(inbox)
        .where(inbox.c.provider == provider, inbox.c.waits_for == waits_for)
        .where(inbox.c.state.in_(("parked", "failed", "dead")))
        .order_by(inbox.c.occurred_at, inbox.c.id)
        .with_for_update(skip_locked=True)  # one that is being worked on finds by itself what it waits for
    ).all()
    for row in rows:
        try:
            with tx.savepoint():
                _settle(tx, row)
        except TransactionLostError:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            note_failure(tx, row.id, _failure(row.provider, row.type, error))


def alone(tx: Tx, provider: str, *names: str) -> None:
    """Let no other transaction work on events that speak of these names until this one ends.

    So an event and the one it waits for cannot miss each other by being worked on at the same moment. On SQLite
    there is only one writing transaction anyway.
    """
    if tx.dialect == "postgresql":
        for name in sorted(set(names)):
            tx.driver_sql(
                "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", {"key": f"{provider} {name}"}
            )


def note_failure(tx: Tx, inbox_id: str, failure: str) -> None:
    """Keep that a handler failed: try again later, or give up and say so.

    Args:
        tx: the transaction.
        inbox_id: the event.
        failure: the class of what was raised; nothing of its message, which may quote the body.
    """
    row = tx.execute(select(inbox).where(inbox.c.id == inbox_id).with_for_update()).first()
    if row is None or row.state not in _OPEN:
        return
    attempts = row.attempts + 1
    last = attempts > len(WAITS)
    tx.execute(
        update(inbox)
        .where(inbox.c.id == inbox_id)
        .values(
            state="dead" if last else "failed",
            attempts=attempts,
            next_try_at=None if last else tx.now + WAITS[attempts - 1],
            error=failure,
        )
    )
    if last:
        find(row.provider).gave_up(tx, _event(row))


def run_due(store: Store) -> int:
    """Work on what is due: retries, parked events, and what a killed process left. For the maintenance thread.

    Returns:
        How many were looked at; ``BATCH`` means that there may be more.
    """
    due = store.read(
        lambda tx: tx.execute(
            select(inbox.c.id, inbox.c.provider, inbox.c.type)
            .where(inbox.c.next_try_at.is_not(None), inbox.c.next_try_at <= tx.now)
            .order_by(inbox.c.next_try_at, inbox.c.id)
            .limit(BATCH)
        ).all()
    )
    for row in due:
        _retry(store, row)
    return len(due)


def _retry(store: Store, row: Row[Any]) -> None:
    try:
        store.write(lambda tx: work(tx, row.id, skip_locked=True))
    except Exception as error:  # noqa: BLE001 - one bad event does not keep the others waiting
        failure = _failure(row.provider, row.type, error)
        try:
            store.write(lambda tx: note_failure(tx, row.id, failure))
        except Exception as again:  # noqa: BLE001 - it stays due
            _failure(row.provider, row.type, again)


def prune(store: Store, days: int = KEPT_DAYS) -> int:
    """Let go of settled bodies received more than ``days`` days ago (30 at least, the senders' longest memory).

    Rows of ignored events go, the others stay without their body, so that a replay is still known.

    Returns:
        How many bodies went.
    """

    def some(tx: Tx) -> int:
        cutoff = tx.now - max(days, KEPT_DAYS) * DAY
        old = (
            select(inbox.c.id)
            .where(BODY_KEPT, inbox.c.received_at < cutoff, inbox.c.state.in_(("done", "ignored", "dead")))
            .limit(BATCH)
        )
        ids = tx.execute(old).scalars().all()
        tx.execute(delete(inbox).where(inbox.c.id.in_(ids), inbox.c.state == "ignored"))
        tx.execute(update(inbox).where(inbox.c.id.in_(ids)).values(body="", waits_for=None))
        return len(ids)

    gone = 0
    while some_gone := store.write(some):
        gone += some_gone
    return gone


def _settle(tx: Tx, row: Row[Any]) -> None:
    sender = find(row.provider)
    handler = sender.handlers.get(row.type)
    event = _event(row)
    outcome = handler(tx, event) if handler else Outcome("ignored")
    kept: dict[str, Any] = {
        "state": outcome.state,
        "error": None,
        "next_try_at": None,
        "waits_for": outcome.waits_for,
        "order_id": outcome.order_id,
        "person_id": outcome.person_id,
    }
    if outcome.state == "parked":
        end = row.received_at + PARKED_FOR
        if row.state == "dead" or tx.now >= end:
            kept["state"] = "dead"
            if row.state != "dead":
                sender.unmatched(tx, event)
        else:
            age = tx.now - row.received_at
            kept["next_try_at"] = min(tx.now + max(MINUTE, age), end)
    if kept["state"] in ("done", "ignored") and refs.is_anonymised(tx, outcome.order_id):
        kept["body"] = ""  # it came for somebody who has been erased: its effect stays, what it says goes
    tx.execute(update(inbox).where(inbox.c.id == row.id).values(**kept))


def _event(row: Row[Any]) -> Event:
    return Event(
        id=row.id,
        provider=row.provider,
        connection=row.connection,
        event_id=row.event_id,
        type=row.type,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        body=row.body,
    )


def _failure(provider: str, event_type: str, error: Exception) -> str:
    """Log that an event was not worked on, by names only, and give the error's."""
    name = type(error).__name__
    _log.warning(
        "webhook not worked on",
        extra={"fields": {"provider": provider, "type": event_type, "because": name}},
    )
    return name
