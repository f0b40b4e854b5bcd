"""Groups: the open entries that say the same thing."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any, Final

from sqlalchemy import func, select

from server.activity.models import activity
from server.activity.selection import Shape, is_open, matching
from server.kit.clock import rfc3339
from server.kit.prepared import AnyOf, Prepared
from server.kit.tx import Tx


def attention_count(tx: Tx) -> int:
    """How many groups need a human."""
    count: int = _COUNT.rows(tx)[0][0]
    return count


def attention_by_order(tx: Tx, order_ids: Collection[str]) -> dict[str, int]:
    """How many open entries each of these orders has; one without any is left out."""
    if not order_ids:
        return {}
    return dict(_BY_ORDER.rows(tx, order_ids=list(order_ids)))


def groups(
    tx: Tx, keys: Collection[str], shape: Shape | None = None, values: dict[str, Any] | None = None
) -> dict[str, str]:
    """The groups with these keys as JSON of the contract's ``Group``: open entries, only those that match a shape."""
    if not keys:
        return {}
    rows = _statement(shape).rows(tx, **(values or {}), keys=list(keys))
    seen = dict(_IDS.rows(tx, seqs=[row[-1] for row in rows]))
    return {
        key: group_json(quoted(key), count, rfc3339(first), rfc3339(last), orders, quoted(seen.get(seq, key)))
        for key, count, first, last, orders, seq in rows
    }


def group_json(key: str, count: int, first_at: str, last_at: str, orders: int, seen: str) -> str:
    """A group as JSON of the contract's ``Group``; ``key`` and ``seen`` are quoted already."""
    return (
        f'{{"key":{key},"count":{count},"first_at":"{first_at}","last_at":"{last_at}",'
        f'"orders":{orders},"seen":{seen}}}'
    )


@lru_cache(maxsize=64)
def _statement(shape: Shape | None) -> Prepared:
    entry = activity.alias("entry")
    return Prepared(
        select(
            entry.c.group_key,
            func.count(),
            func.min(entry.c.occurred_at),
            func.max(entry.c.occurred_at),
            func.count(entry.c.order_id.distinct()),
            func.max(entry.c.seq),
        )
        .where(is_open(entry), AnyOf(entry.c.group_key, "keys"), *(matching(shape, entry) if shape else ()))
        .group_by(entry.c.group_key)
    )


_COUNT: Final = Prepared(select(func.count(activity.c.group_key.distinct())).where(is_open(activity)))
_BY_ORDER: Final = Prepared(
    select(activity.c.order_id, func.count())
    .where(is_open(activity), AnyOf(activity.c.order_id, "order_ids"))
    .group_by(activity.c.order_id)
)
_IDS: Final = Prepared(select(activity.c.seq, activity.c.id).where(AnyOf(activity.c.seq, "seqs")))
