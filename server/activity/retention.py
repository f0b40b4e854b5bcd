"""Pruning: old entries go, but no problem that nobody resolved."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import bindparam, delete, not_, select, tuple_

from server.activity.models import activity, activity_text
from server.activity.selection import is_open
from server.kit.clock import DAY
from server.kit.db import Store
from server.kit.prepared import AnyOf, Prepared
from server.kit.tx import Tx

BATCH: Final = 500
"""Entries in one transaction: others can write in between."""


def prune(store: Store, days: int) -> int:
    """Delete entries recorded more than ``days`` days ago, with their texts; open warnings and errors stay.

    What counts is when an entry was recorded, not when it happened: a late webhook's is as new as the webhook.

    Returns:
        How many entries are gone.

    Raises:
        ValueError: fewer than one day.
    """
    if days < 1:
        raise ValueError("entries are kept for at least one day")
    before = store.clock.now() - days * DAY
    pruned = 0
    after: tuple[int, int] | None = (0, 0)
    while after is not None:
        done, after = store.write(partial(_batch, before=before, after=after))
        pruned += done
    return pruned


def _batch(tx: Tx, *, before: int, after: tuple[int, int]) -> tuple[int, tuple[int, int] | None]:
    """Delete the next entries in the order in which they were recorded; how many, and where to go on."""
    rows = _OLD.rows(tx, before=before, at=after[0], seq_=after[1], many=BATCH)
    gone = [entry_id for (entry_id,) in _DELETE.rows(tx, seqs=[seq for _, seq in rows])] if rows else []
    if gone:
        _DELETE_TEXTS.run(tx, ids=gone)
        tx.touch("activity")
    return len(gone), (rows[-1][0], rows[-1][1]) if len(rows) == BATCH else None


_OLD: Final = Prepared(
    select(activity.c.inserted_at, activity.c.seq)
    .where(
        activity.c.inserted_at < bindparam("before"),
        tuple_(activity.c.inserted_at, activity.c.seq) > tuple_(bindparam("at"), bindparam("seq_")),
        not_(is_open(activity)),
    )
    .order_by(activity.c.inserted_at, activity.c.seq)
    .limit(bindparam("many"))
)
_DELETE_TEXTS: Final = Prepared(delete(activity_text).where(AnyOf(activity_text.c.activity_id, "ids")))
# Asked again while deleting: somebody may have opened one of them meanwhile.
_DELETE: Final = Prepared(
    delete(activity).where(AnyOf(activity.c.seq, "seqs"), not_(is_open(activity))).returning(activity.c.id)
)
