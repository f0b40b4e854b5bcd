"""In which order a list of orders runs. A row's place in it is a whole number, then its id, the highest first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Row, Select, select

from server.activity.models import activity as entry
from server.contract.orders import OrderRow, OrderSort
from server.kit.clock import milliseconds
from server.kit.paging import PageRequest, Position, keyset
from server.kit.tx import Tx
from server.orders.models import order

NEEDS_ATTENTION: Final[ColumnElement[bool]] = order.c.id.in_(
    # in the words of the partial index on what is open
    select(entry.c.order_id).where(
        entry.c.resolved_at.is_(None), entry.c.level != "info", entry.c.order_id.is_not(None)
    )
)
"""Whether something about an order is open."""

_AHEAD: Final = 1 << 52
"""What is added to the moment of those that come first: more than any moment, and still a whole number in JSON."""


def place(row: OrderRow, sort: OrderSort) -> tuple[int, str]:
    """A row's place in a list, for its page's cursors."""
    if sort == "total":
        return row.total.amount, row.id
    at = milliseconds(row.created_at)
    return (at + _AHEAD if sort == "attention" and row.attention else at), row.id


def page_rows(tx: Tx, statement: Select[Any], sort: OrderSort, page: PageRequest) -> list[Row[Any]]:
    """The rows of a page and one more, in the direction of the walk, as ``paging.slice_of`` takes them."""
    if sort == "attention":
        return _attention_first(tx, statement, page)
    if sort == "oldest":
        page = _mirrored(page)
    key = order.c.total if sort == "total" else order.c.created_at
    return list(tx.execute(keyset(statement, page, key, order.c.id)).all())


def _mirrored(page: PageRequest) -> PageRequest:
    """The same page of the list that runs the other way."""
    position = page.position
    if position is not None:
        way: Literal["older", "newer"] = "newer" if position.direction == "older" else "older"
        position = replace(position, direction=way)
    return PageRequest(page.limit, position, "newest" if page.edge == "oldest" else "oldest")


def _attention_first(tx: Tx, statement: Select[Any], page: PageRequest) -> list[Row[Any]]:
    """Two lists, one after the other: few orders of which something is open, then all others by their index."""
    parts = [(_AHEAD, NEEDS_ATTENTION), (0, ~NEEDS_ATTENTION)]
    found: list[Row[Any]] = []
    start = page.position
    for ahead, which in reversed(parts) if page.upwards else parts:
        here: Position | None = None
        if start is not None:
            if (start.at >= _AHEAD) != bool(ahead):
                continue  # the page begins in the other part
            here, start = replace(start, at=start.at - ahead), None
        wanted = PageRequest(page.limit - len(found), here, "oldest" if page.upwards else "newest")
        found += tx.execute(keyset(statement.where(which), wanted, order.c.created_at, order.c.id)).all()
        if len(found) > page.limit:
            break
    return found
