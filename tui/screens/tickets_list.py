"""The list of the Tickets section: its tabs and columns, and what narrows it."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable
from typing import TYPE_CHECKING, Any, Final, cast

from server.contract.tickets import TicketRow
from tui.api import tickets as calls
from tui.api.window import Source, Window
from tui.screens import ticket_rows
from tui.screens.browser import CAPACITY
from tui.screens.choices import Choices
from tui.screens.rows import Shelf
from tui.screens.section import Section
from tui.screens.ticket_rows import PRIORITIES, ticket_rank
from tui.widgets.frame import TabMark
from tui.widgets.record_list import Column, RecordList

if TYPE_CHECKING:
    from server.contract.tickets import TicketTab
    from tui.api.client import Client

ORDER_NUMBER: Final = re.compile(r"[A-Za-z]{1,4}-[0-9]{6}-[0-9A-Za-z]{4}", re.ASCII)
WAITING_TABS: Final = ("open", "mine", "unassigned")

_EMPTY: Final = {
    "open": ("No ticket waits.", "What customers ask stands here until it is resolved."),
    "mine": ("You have no ticket.", "Take one from Open or Unassigned."),
    "unassigned": (
        "Somebody has every ticket that is open.",
        "New ones stand here until somebody takes them.",
    ),
    "resolved": ("No ticket is resolved yet.", "What was resolved or closed stands here."),
}


class TicketsList(Section[TicketRow]):
    """Tickets, those in which something happened last first."""

    NAME = "tickets"
    TABS = (
        TabMark("open", "Open"),
        TabMark("mine", "Mine"),
        TabMark("unassigned", "Unassigned"),
        TabMark("resolved", "Resolved"),
        TabMark("all", "All"),
    )
    TOPICS = frozenset({"tickets"})
    FILTER_HINT = "words, #number, an order's number, name or e-mail"
    NOUNS = ("ticket", "tickets")
    LIST_FOCUS = "tickets"
    STORY_FOCUS = "ticket"
    CHOICES = Choices("tickets.menu", "Priority", "every priority")

    @property
    def me(self) -> str | None:
        """The reader's user id, once that is known."""
        known = self.desk.me
        return known.user.id if known is not None and known.user is not None else None

    # The list.

    def make_list(self) -> RecordList[TicketRow]:
        """How urgent, number, title, customer, order, state, who has it, whose turn it is, when."""
        glyphs = self.desk.glyphs
        return RecordList(self.columns(), lead=ticket_rows.lead(glyphs), glyphs=glyphs)

    def columns(self) -> list[Column[TicketRow]]:
        """What a line of the list says."""
        desk = self.desk
        return ticket_rows.columns(
            lambda: desk.times, desk.glyphs, desk.format, waiting=self.tab in WAITING_TABS, me=lambda: self.me
        )

    def show_rows(self) -> None:
        """Another tab has other columns."""
        self.list.set_columns(self.columns())
        super().show_rows()

    def query_key(self) -> Hashable:
        """Tab, words, priority."""
        return self.tab, self.words, self.choice

    def source(self, client: Client) -> Source[TicketRow]:
        """The tickets under this tab that match; an order's number finds those beside it."""
        words = self.words.strip()
        order = words if ORDER_NUMBER.fullmatch(words) else ""
        query = calls.TicketQuery(
            cast("TicketTab", self.tab), self.choice, order=order.upper(), q="" if order else words
        )
        return calls.TicketSource(client, query)

    def new_shelf(self) -> Shelf[TicketRow]:
        """A window that knows that what moved last stands at the top, and what the reader moved."""
        window: Window[TicketRow] = Window(rank=ticket_rank, own=self._is_own, capacity=CAPACITY)
        return Shelf(window, window)

    def _is_own(self, row: TicketRow) -> bool:
        return row.moved_by is not None and row.moved_by == self.me

    def empty(self) -> tuple[str, str]:
        """Why there are no tickets."""
        if self.is_narrowed:
            return "No ticket matches.", f"{self.desk.key('close')} clears the filter."
        known = ("No tickets yet.", "They appear here by themselves when a customer writes.")
        return _EMPTY.get(self.tab, known)

    async def count(self, client: Client) -> dict[str, int]:
        """How many tickets stand under each tab."""
        found = await calls.counts(client)
        return {
            "open": found.open + found.in_progress,
            "mine": found.mine,
            "unassigned": found.unassigned,
            "resolved": found.resolved + found.closed,
            "all": found.total,
        }

    def show_tabs(self) -> None:
        """Show the tabs with their counts: of this section the first one's too."""
        marks = [TabMark(mark.id, mark.name, self.counts.get(mark.id) or None) for mark in self.TABS]
        self.tab_bar.tabs(marks, self.tab, self.narrowed(), keep=self.tells)

    def action_menu(self) -> None:
        """Choose which priority to show."""
        self.offer((name, name, "") for name in PRIORITIES)

    def changed(self, ids: Collection[str]) -> None:
        """Tickets were changed here: one that comes back into the list is let in, and stood on."""
        self.rows.spoil()

        def shown() -> None:
            if not self.is_open and ids and not any(map(self.list.row_of, ids)):
                self.rows.window.admit()
                self.rows.show()
                back = (row_id for row_id in self.rows.window.ids if row_id in ids)
                self.list.go_to(next(back, self.list.cursor_id or ""))
            self.retell()

        self.rows.look_again(shown)

    # Which ticket.

    @property
    def row(self) -> TicketRow | None:
        """The ticket that keys act on, as the list has it."""
        return self.list.row_of(self.subject)

    def open(self, row_id: str, *, at: str | None = None) -> None:
        """Open a ticket's story and stay with it, whatever becomes of its place in the list."""
        super().open(row_id, at=at)
        self._stay(row_id)

    def _stay(self, row_id: str | None) -> None:
        if self.is_open:
            self._pinned = row_id

    def action_next_record(self) -> None:
        """Next ticket; what is open stays open."""
        self._step(1, super().action_next_record)

    def action_previous_record(self) -> None:
        """Previous ticket."""
        self._step(-1, super().action_previous_record)

    def _step(self, by: int, step: Any) -> None:
        """From a ticket that left the list, the next one is where the cursor was handed to."""
        left = self.is_open and self.row is None
        if left and by > 0 and self.list.cursor_id is not None:
            self._stay(self.list.cursor_id)
            self.retell(fresh=False)
            return
        step()
        self._stay(self.list.cursor_id)
        self.retell(fresh=False)
