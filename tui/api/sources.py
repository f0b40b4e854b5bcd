"""Lists of the server as sources of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.api.client import Client, FeedQuery

if TYPE_CHECKING:
    from server.contract.activity import Entry
    from server.contract.base import Page
    from server.contract.orders import OrderRow, OrderSort, OrderTab
    from tui.api.window import Direction, Edge


@dataclass(frozen=True, slots=True)
class OrderSource:
    """The orders under one tab that match ``q``, in the order ``sort``."""

    client: Client
    tab: OrderTab = "all"
    q: str = ""
    sort: OrderSort = "newest"

    async def fetch(
        self,
        cursor: str | None,
        direction: Direction,  # noqa: ARG002 - the cursor knows
        limit: int,
        edge: Edge,
    ) -> Page[OrderRow]:
        """A page of orders. Raises ApiError."""
        return await self.client.orders(self.tab, self.q, cursor, limit, edge, self.sort)


def order_rank(row: OrderRow, sort: OrderSort) -> tuple[Any, ...]:
    """Where an order stands in a list that is sorted so, the first row the highest."""
    if sort == "total":
        return row.total.amount, row.id
    if sort == "oldest":
        return -row.created_at.timestamp(), tuple(-byte for byte in row.id.encode())
    return sort == "attention" and row.attention > 0, row.created_at, row.id


@dataclass(frozen=True, slots=True)
class FeedSource:
    """The activity that a query describes."""

    client: Client
    query: FeedQuery

    async def fetch(
        self,
        cursor: str | None,
        direction: Direction,  # noqa: ARG002 - the cursor knows
        limit: int,
        edge: Edge,
    ) -> Page[Entry]:
        """A page of entries. Raises ApiError."""
        return await self.client.feed(self.query, cursor, limit, edge)
