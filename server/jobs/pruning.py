"""Letting go of jobs that ended long ago, with their attempts, and of what the kit keeps for a day."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select, tuple_

from server.jobs.asking import TOPIC
from server.jobs.models import job
from server.kit import topics
from server.kit.clock import DAY
from server.kit.db import Store
from server.kit.schema import idempotency
from server.kit.tx import Tx

BATCH: Final = 500
"""Rows in one transaction: others can write in between."""


def prune(store: Store, days: int) -> int:
    """Delete jobs that ended more than ``days`` days ago; how many.

    Raises:
        ValueError: fewer than one day.
    """
    if days < 1:
        raise ValueError("jobs are kept for at least one day")
    before = store.clock.now() - days * DAY

    def some(tx: Tx) -> int:
        old = select(job.c.id).where(job.c.finished_at < before).order_by(job.c.finished_at).limit(BATCH)
        ended = job.c.finished_at < before  # asked again while deleting: somebody may have asked for it again
        gone = tx.execute(delete(job).where(job.c.id.in_(old), ended).returning(job.c.id)).all()
        if gone:
            tx.touch(TOPIC)
        return len(gone)

    pruned = 0
    while done := store.write(some):
        pruned += done
    return pruned


def prune_answers(store: Store) -> int:
    """Let go of answers kept for an Idempotency-Key longer than a day, a few at a time; how many."""
    key = tuple_(idempotency.c.token_id, idempotency.c.key)

    def some(tx: Tx) -> int:
        old = (
            select(idempotency.c.token_id, idempotency.c.key)
            .where(idempotency.c.created_at <= tx.now - DAY)
            .limit(BATCH)
        )
        return len(tx.execute(delete(idempotency).where(key.in_(old)).returning(idempotency.c.key)).all())

    gone = 0
    while some_gone := store.write(some):
        gone += some_gone
    return gone


def prune_events(store: Store) -> int:
    """Let go of events of topics that are older than a day, a few at a time; how many."""
    gone = 0
    while some := store.write(lambda tx: topics.forget(tx, tx.now - DAY, BATCH)):
        gone += some
    return gone
