"""The story beside the list of tickets: fetched, kept, and told again when something moves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from server.contract.tickets import Ticket, TicketRow
from tui.api import tickets as calls
from tui.api.errors import ApiError, Refused
from tui.screens.desk import Desk
from tui.screens.reasons import allowed
from tui.screens.ticket_rows import WAITING, status_mark
from tui.screens.ticket_story import Telling, glimpse, ticket_story
from tui.screens.tickets_list import TicketsList

if TYPE_CHECKING:
    from server.contract.content import FileRow
    from server.contract.orders import Order
    from tui.api.client import Client

KEPT: Final = 40
"""Stories of tickets that are kept to be shown again at once."""
HINTED: Final = (
    ("reply", "ticket.reply", "reply"),
    ("note", "ticket.note", "note"),
    ("assign", "ticket.assign", "assign"),
    ("status:resolved", "ticket.resolve", "resolve"),
    ("status:open", "ticket.reopen", "reopen"),
)
"""What a story says can be done: the server's action, the command, the word."""


class TicketReading(TicketsList):
    """The list with the stories of its tickets."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.known: dict[str, Ticket] = {}
        self._orders: dict[str, Order] = {}
        self.files: dict[str, tuple[FileRow, ...]] = {}
        """The files beside each ticket whose story is known, newest first."""
        self._due: str | None = None
        """The ticket whose story is to be fetched anew, also when another look at it gives up the first."""
        self._listed: str | None = None
        """The ticket that was in the list when it was looked at last."""
        self._deleted: set[str] = set()

    @property
    def ticket(self) -> Ticket | None:
        """The ticket that keys act on, as far as its story is known."""
        return self.known.get(self.subject or "")

    def retell(self, *, fresh: bool = True) -> None:
        """Show the story of the ticket that keys act on."""
        if fresh:
            self._due = self.subject
        super().retell(fresh=fresh)

    def moved(self, topics: Iterable[str]) -> None:
        """Topics moved: the story shows how the order beside the ticket stands, and the files beside it."""
        super().moved(topics)
        beside = self.ticket is not None and self.ticket.order is not None
        if self.TOPICS.isdisjoint(topics) and ("content" in topics or (beside and "orders" in topics)):
            self.retell()

    async def tell(self, row_id: str, *, fresh: bool) -> None:
        """Show a ticket's story: what is known of it at once, its thread when it came, then its order."""
        row, known, client = self.list.row_of(row_id), self.known.get(row_id), self.desk.client
        if row is not None:
            self._listed = row_id
        if known is not None:
            self.show_ticket(known)
        elif row is not None:
            self.show_story(row_id, glimpse(row, self._telling(row)))
        current = known is not None and (row is None or _as_listed(known) == _as_listed(row))
        if client is None:
            return
        if known is not None and current and not fresh and row_id != self._due:
            if not self._beside_known(known):  # another look gave up the first before it came to this
                await self._look_beside(client, known)
            return
        try:
            found = await calls.ticket(client, row_id)
        except ApiError as error:
            self._not_told(row_id, error)
            return
        self._due = None
        self.keep(found)
        self.show_ticket(found)
        await self._look_beside(client, found)

    def _not_told(self, row_id: str, error: ApiError) -> None:
        known = self.known.get(row_id)
        if isinstance(error, Refused) and error.code == "not_found" and known is not None:
            self._due = None
            self._deleted.add(row_id)
            self.show_ticket(known)
        else:
            self.story_failed(row_id, error)

    def _beside_known(self, known: Ticket) -> bool:
        return known.id in self.files and (known.order is None or known.order.id in self._orders)

    async def _look_beside(self, client: Client, found: Ticket) -> None:
        """How the order beside it stands, and which files do; without an answer they are not told."""
        order, files = await asyncio.gather(self._order(client, found), self._files(client, found))
        if order is not None:
            self._orders[order.id] = order
        self.files[found.id] = self.files.get(found.id, ()) if files is None else files
        self.show_ticket(self.known.get(found.id, found))

    async def _order(self, client: Client, found: Ticket) -> Order | None:
        with contextlib.suppress(ApiError):
            return None if found.order is None else await client.order(found.order.id)
        return None

    async def _files(self, client: Client, found: Ticket) -> tuple[FileRow, ...] | None:
        if self.desk.me is None or "content.read" not in self.desk.me.permissions:
            return None
        with contextlib.suppress(ApiError):
            return tuple(await calls.files(client, found.id))
        return None

    def keep(self, ticket: Ticket) -> None:
        """Keep a ticket as it is now."""
        self.known.pop(ticket.id, None)
        self.known[ticket.id] = ticket
        while len(self.known) > KEPT:
            gone = self.known.pop(next(iter(self.known)))
            self.files.pop(gone.id, None)
            if gone.order is not None:
                self._orders.pop(gone.order.id, None)

    async def current(self, client: Client, ticket_id: str) -> Ticket:
        """A ticket as it is now: the one that is known where the list says the same. Raises ApiError."""
        known, row = self.known.get(ticket_id), self.list.row_of(ticket_id)
        if known is not None and row is not None and _as_listed(known) == _as_listed(row):
            return known
        found = await calls.ticket(client, ticket_id)
        self.keep(found)
        return found

    def show_ticket(self, ticket: Ticket) -> None:
        """Show the story of a ticket, unless another one is looked at by now."""
        if ticket.id == self.subject and (self.is_open or self.wide):
            self.show_story(ticket.id, ticket_story(ticket, self._telling(ticket)))

    def _telling(self, row: TicketRow) -> Telling:
        order = self._orders.get(row.order.id) if row.order is not None else None
        hint = self.hint(row) if isinstance(row, Ticket) else ""
        return Telling(
            self.desk.times,
            self.desk.glyphs,
            self.me,
            order,
            self.files.get(row.id, ()),
            hint,
            self._notice(row),
            tuple(self.left(row.id)),
        )

    def _notice(self, row: TicketRow) -> str:
        """Why it stands here although the list does not have it."""
        if row.id in self._deleted:
            return "This ticket was deleted. This is what was known of it."
        gone = self.is_open and self._listed == row.id and self.list.row_of(row.id) is None
        if not gone:
            return ""
        return f"Not in this list any more: it is {status_mark(row.status).word} now."

    def left(self, ticket_id: str) -> Sequence[str]:  # noqa: ARG002 - for those that write
        """What was begun to be written about a ticket, and how it goes on."""
        return ()

    def hint(self, ticket: Ticket) -> str:
        """What can be done about it, as far as the server allows it."""
        if ticket.id in self._deleted:
            return ""
        key = self.desk.key
        hints = [
            f"{key(command)} {word}"
            for action, command, word in HINTED
            if allowed(ticket.actions, action) and (word != "reopen" or ticket.status not in WAITING)
        ]
        if ticket.order is not None:
            hints.append(f"{key('ticket.order')} order")
        if self.files.get(ticket.id):
            hints.append(f"{key('ticket.file')} file")
        return "   ".join(hints)


def _as_listed(row: TicketRow) -> tuple[Any, ...]:
    """What of a ticket may change."""
    return tuple(getattr(row, name) for name in TicketRow.model_fields)
