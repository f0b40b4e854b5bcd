"""The statement behind a page of entries: one walk along an index, with the order's number joined."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    literal_column,
    not_,
    null,
    or_,
    select,
    tuple_,
)

from server.activity.models import activity
from server.activity.selection import Shape, is_open, matching
from server.kit import refs
from server.kit.paging import DEFAULT_LIMIT, Position
from server.kit.prepared import Prepared

Row = tuple[Any, ...]
"""An entry as `columns` selects it."""

_OWN: Final = (
    "id",
    "type",
    "level",
    "category",
    "internal",
    "order_id",
    "person_id",
    "actor_kind",
    "actor_user_id",
    "actor_name",
    "params",
    "group_key",
    "occurred_at",
    "inserted_at",
    "resolved_at",
    "resolved_by",
)
ID: Final = _OWN.index("id")
TYPE: Final = _OWN.index("type")
LEVEL: Final = _OWN.index("level")
GROUP_KEY: Final = _OWN.index("group_key")
ORDER_ID: Final = _OWN.index("order_id")
PERSON_ID: Final = _OWN.index("person_id")
ACTOR_USER_ID: Final = _OWN.index("actor_user_id")
PARAMS: Final = _OWN.index("params")
OCCURRED_AT: Final = _OWN.index("occurred_at")
RESOLVED_BY: Final = _OWN.index("resolved_by")
RESOLVED_AT: Final = _OWN.index("resolved_at")


def columns(entry: FromClause) -> Select[Any]:
    """What rendering needs of an entry: its own columns and the order's number."""
    own = [entry.c[name] for name in _OWN]
    orders = refs.orders()
    if orders is None:
        return select(*own, null()).select_from(entry)
    return select(*own, orders.c.number).outerjoin_from(entry, orders, orders.c.id == entry.c.order_id)


def _stands_for_group(shape: Shape, entry: FromClause) -> ColumnElement[bool]:
    """Whether an open entry is the newest of its group among those that match: then it stands for them all.

    SQLite looks once into the index for each entry. PostgreSQL would rather compare every pair, or sort the group for
    each of its members; it gets the newest of all groups in one walk.
    """
    other = activity.alias("newest")
    newest = select(other.c.id).where(is_open(other), *matching(shape, other))
    by_time = (other.c.occurred_at.desc(), other.c.id.desc())
    if shape.dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import distinct_on  # noqa: PLC0415 - loads the dialect (`kit.upsert`)

        one_each = newest.ext(distinct_on(other.c.group_key)).order_by(other.c.group_key.desc(), *by_time)
        return entry.c.id.in_(one_each)
    own = newest.where(other.c.group_key == entry.c.group_key).order_by(*by_time)
    return entry.c.id == own.limit(literal_column("1")).scalar_subquery()


_LIMIT: Final[ColumnElement[int]] = bindparam("limit_")
_USUAL: Final[ColumnElement[int]] = literal_column(str(DEFAULT_LIMIT + 1), Integer())


def page_select(
    shape: Shape,
    entry: FromClause,
    *,
    folds: bool,
    positioned: bool,
    upwards: bool,
    limit: ColumnElement[int] = _LIMIT,
) -> Select[Any]:
    """A page's rows in order. Parameters: those of the shape, ``limit_``, and when positioned ``at_`` and ``id_``."""
    statement = columns(entry).where(*matching(shape, entry))
    if folds:
        stands = _stands_for_group(shape, entry)
        statement = statement.where(stands if shape.open_only else or_(not_(is_open(entry)), stands))
    if positioned:
        row = tuple_(entry.c.occurred_at, entry.c.id)
        here = tuple_(bindparam("at_"), bindparam("id_"))
        statement = statement.where(row > here if upwards else row < here)
    keys = (entry.c.occurred_at, entry.c.id)
    return statement.order_by(*(key.asc() if upwards else key.desc() for key in keys)).limit(limit)


@lru_cache(maxsize=256)
def page_statement(
    shape: Shape, *, folds: bool, positioned: bool, upwards: bool, usual: bool = False
) -> Prepared:
    """`page_select`, compiled once.

    Args:
        shape, folds, positioned, upwards: what is asked for.
        usual: for a page of the usual size, which is written out: SQLite then takes a sixth less. It takes no
            ``limit_`` (one that is given all the same counts for nothing).
    """
    entry = activity.alias("entry")
    limit = _USUAL if usual else _LIMIT
    return Prepared(
        page_select(shape, entry, folds=folds, positioned=positioned, upwards=upwards, limit=limit)
    )


def page_values(position: Position | None, limit: int) -> dict[str, Any]:
    """The parameters of a page."""
    found: dict[str, Any] = {"limit_": limit}
    if position is not None:
        found |= {"at_": position.at, "id_": position.id}
    return found
