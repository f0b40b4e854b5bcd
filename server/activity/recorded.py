"""The log in the order in which it was recorded, for readers who follow it and want every entry once.

By the time when things happened a late webhook's entry stands somewhere in the past, and who follows the feed there
would have to look everywhere. ``seq`` counts what was recorded. On SQLite one transaction writes at a time, so ``seq``
rises as entries become visible. On PostgreSQL a transaction may draw its number and commit after a later one, so
a page waits a little for those that are writing, and shows nothing beyond what was drawn before it waited. Where
somebody takes longer it shows what there is, and says to *resume* where it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, text

from server.activity.feed import open_groups
from server.activity.groups import groups
from server.activity.models import activity
from server.activity.page import columns
from server.activity.render import render
from server.activity.selection import FeedQuery, Shape, matching, shape_of, values
from server.kit.access import Principal
from server.kit.paging import PageRequest
from server.kit.prepared import Prepared
from server.kit.recording import Reach
from server.kit.tx import Tx


@dataclass(frozen=True, slots=True)
class RecordedPage:
    """A page, oldest first.

    Attributes:
        entries: JSON of the contract's ``Entry`` each.
        last: the place after which the next page begins, when there is more now.
        resume: the place after which to look again once something new was recorded.
    """

    entries: list[str]
    last: int | None
    resume: int


def recorded(tx: Tx, query: FeedQuery, request: PageRequest, caller: Principal) -> RecordedPage:
    """What was recorded after a place, in that order; without one, the newest entries or the oldest.

    Args:
        tx: reading; on PostgreSQL each statement must see what is committed by then.
        query: without words to find and unfolded.
        request: its position's ``at`` is the place.
        caller: who reads.
    """
    final = _final(tx)
    rising = request.position is not None or request.edge == "oldest"
    statement = _statement(shape_of(query, tx.dialect), rising=rising)
    after = request.position.at if request.position else 0
    upto = 2**62 if final is None else final
    rows = statement.rows(tx, **values(query), after_=after, upto_=upto, limit_=request.limit + 1)
    more = rising and len(rows) > request.limit
    rows = rows[: request.limit]
    if not rising:
        rows.reverse()
    shown = [row[:-1] for row in rows]
    keys = open_groups(shown)
    entries = render(tx, shown, caller, groups(tx, keys))
    last = rows[-1][-1] if more else None
    if final is not None:
        return RecordedPage(entries, last, final if last is None else last)
    return RecordedPage(entries, last, after if rising or not rows else rows[0][-1] - 1)


def _final(tx: Tx) -> int | None:
    """The place up to which everything is visible to the statements that follow; None where nobody can tell now."""
    drawn = _REACH.drawn(tx)
    writers = _REACH.writers(tx)
    for _ in range(_LOOKS):
        if not writers:
            return drawn
        _PAUSE.rows(tx)
        writers &= _REACH.writers(tx)
    return None


@lru_cache(maxsize=64)
def _statement(shape: Shape, *, rising: bool) -> Prepared:
    entry = activity.alias("entry")
    found = columns(entry).add_columns(entry.c.seq).where(*matching(shape, entry))
    found = found.where(entry.c.seq > bindparam("after_"), entry.c.seq <= bindparam("upto_"))
    order = entry.c.seq.asc() if rising else entry.c.seq.desc()
    return Prepared(found.order_by(order).limit(bindparam("limit_")))


_REACH: Final = Reach(activity.name)
_LOOKS: Final = 50
_PAUSE: Final = Prepared(text("SELECT pg_sleep(0.01)"))
