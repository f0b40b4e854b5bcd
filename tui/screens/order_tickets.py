"""The tickets beside an order, for its story: fetched after all else, and only in a shop that has tickets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tui.api.errors import ApiError

if TYPE_CHECKING:
    from server.contract.tickets import TicketRow
    from tui.screens.section import Section
    from tui.widgets.blocks import Block

KEPT: Final = 40
"""Orders whose tickets are kept."""


def line_id(ticket_id: str) -> str:
    """The id of the block that tells of a ticket in an order's story."""
    return f"ticket:{ticket_id}"


class OrderTickets:
    """What is known of the tickets beside orders.

    Args:
        section: the section in which orders' stories are told.
        told: tells the story of an order once more.
    """

    def __init__(self, section: Section[Any], told: Callable[[], None]) -> None:
        self._section = section
        self._told = told
        self._known: dict[str, list[TicketRow]] = {}
        self._stale: set[str] = set()

    def blocks(self, order_id: str) -> list[Block]:
        """A line for each ticket; nothing where there is none. What is not known is asked for."""
        if order_id not in self._known or order_id in self._stale:
            self._look(order_id)
        rows = self._known.get(order_id)
        if not rows:
            return []
        from tui.screens.ticket_story import order_tickets  # noqa: PLC0415 - only where there are tickets

        return order_tickets(rows, self._section.desk.glyphs)

    def chosen(self, order_id: str, block_id: str | None) -> str | None:
        """The id of the ticket whose line this is, else of the newest beside the order; None where none is known."""
        rows = self._known.get(order_id) or []
        return next((row.id for row in rows if line_id(row.id) == block_id), rows[0].id if rows else None)

    def spoil(self) -> None:
        """A ticket moved somewhere: none of them is sure any more."""
        self._stale.update(self._known)

    def _look(self, order_id: str) -> None:
        desk = self._section.desk
        has_any = desk.pulse is not None and desk.pulse.topics.get("tickets", 0) > 0
        if has_any and desk.me is not None and "tickets.read" in desk.me.permissions:
            self._section.begin(partial(self._fetch, order_id), "tickets", exclusive=True)

    async def _fetch(self, order_id: str) -> None:
        from tui.api import tickets as calls  # noqa: PLC0415 - only where there are tickets

        client = self._section.desk.client
        if client is None:
            return
        await self._section.wait_for_refresh()  # the story itself is shown first
        try:
            page = await calls.tickets(client, calls.TicketQuery("all", order=order_id))
        except ApiError:
            return  # the story stands without them
        before = self._known.pop(order_id, [])
        self._known[order_id] = list(page.items)
        self._stale.discard(order_id)
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        if before != self._known[order_id] and order_id == self._section.subject:
            self._told()
