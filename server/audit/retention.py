"""Pruning: entries go when they are older than the shop keeps them."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import delete, select

from server.audit.models import audit
from server.kit.clock import DAY
from server.kit.db import Store
from server.kit.tx import Tx

BATCH: Final = 1_000
"""Entries in one transaction: others can write in between."""


def prune(store: Store, days: int) -> int:
    """Delete entries recorded more than ``days`` days ago; one that is exactly as old stays.

    Returns:
        How many entries are gone.

    Raises:
        ValueError: fewer than one day.
    """
    if days < 1:
        raise ValueError("entries are kept for at least one day")
    before = store.clock.now() - days * DAY
    pruned = 0
    while done := store.write(partial(_batch, before=before)):
        pruned += done
    return pruned


def _batch(tx: Tx, *, before: int) -> int:
    old = (
        select(audit.c.seq)
        .where(audit.c.inserted_at < before)
        .order_by(audit.c.inserted_at, audit.c.id)
        .limit(BATCH)
    )
    gone = tx.execute(delete(audit).where(audit.c.seq.in_(old)).returning(audit.c.seq)).all()
    if gone:
        tx.touch("audit")
    return len(gone)
