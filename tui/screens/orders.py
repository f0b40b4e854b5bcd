"""The Orders section: status tabs over a list, an order's story beside it or over it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType
from textual.timer import Timer

from tui import keys
from tui.api.errors import ApiError
from tui.api.sources import OrderSource, order_rank
from tui.api.window import Source, Window
from tui.screens.browser import CAPACITY
from tui.screens.deeds import Wish
from tui.screens.desk import Desk
from tui.screens.order_tickets import OrderTickets
from tui.screens.rows import Shelf
from tui.screens.section import Section
from tui.widgets.bar import Part
from tui.widgets.format import (
    TimeFormat,
    count,
    customer,
    money_of,
    order_mark,
    short_number,
)
from tui.widgets.frame import TabMark
from tui.widgets.record_list import Cell, Column, RecordList

if TYPE_CHECKING:
    from server.contract.activity import Entry
    from server.contract.orders import Order, OrderRow, OrderSort, OrderTab
    from tui.api.client import Client
    from tui.api.outside import Affairs

KEPT = 40
"""Stories of orders that are kept to be shown again at once."""

AGE = {TimeFormat.CLOCK: 4, TimeFormat.RELATIVE: 4, TimeFormat.EXACT: 15, TimeFormat.UTC: 15}
"""Cells of a moment in a list."""


SORTS: tuple[OrderSort, ...] = ("newest", "oldest", "total", "attention")
"""What the sort key goes through."""

SORTED_BY = {
    "newest": "newest first",
    "oldest": "oldest first",
    "total": "highest total first",
    "attention": "attention first",
}


class OrdersSection(Section["OrderRow"]):
    """Orders, newest first unless they are sorted otherwise."""

    NAME = "orders"
    TABS = (
        TabMark("all", "All"),
        TabMark("unpaid", "Unpaid"),
        TabMark("to_ship", "To ship"),
        TabMark("shipped", "Shipped"),
        TabMark("problems", "Problems"),
    )
    TOPICS = frozenset({"orders", "activity"})
    FILTER_HINT = "number, name or e-mail"
    NOUNS = ("order", "orders")
    LIST_FOCUS = "orders"
    STORY_FOCUS = "order"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("orders")]

    def __init__(self, desk: Desk) -> None:
        self.sort: OrderSort = "newest"
        super().__init__(desk)
        self._known: dict[str, tuple[Order, list[Entry], Affairs]] = {}
        self._tickets = OrderTickets(self, self.another_second)
        self._owed: str | None = None
        """The order that was asked for anew and did not come yet: whoever gives that up asks again."""
        self._second: Timer | None = None
        self._raw = False

    # The list.

    def action_sort(self) -> None:
        """The next order in the round."""
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self.repeatable = "sort"
        self.show_rows()
        self.frame.say("note", f"Orders: {SORTED_BY[self.sort]}.")

    def narrowed(self) -> list[Part]:
        """How the list is sorted unless that is as usual, and what narrows it."""
        if self.sort == "newest":
            return super().narrowed()
        return [Part(f"{SORTED_BY[self.sort]}  ", "strong", "sort"), *super().narrowed()]

    @property
    def tells(self) -> bool:
        """Whether something narrows the list, or it is sorted otherwise than one expects."""
        return super().tells or self.sort != "newest"

    def new_shelf(self) -> Shelf[OrderRow]:
        """A window that knows how its rows are sorted."""
        window: Window[OrderRow] = Window(rank=partial(order_rank, sort=self.sort), capacity=CAPACITY)
        return Shelf(window, window)

    def make_list(self) -> RecordList[OrderRow]:
        """Number, customer, total, how far it is, age."""
        glyphs = self.desk.glyphs

        def lead(row: OrderRow) -> Cell:
            mark = order_mark(row.payment_status, row.fulfilment_status, row.attention, glyphs)
            return Cell(mark.icon, mark.style)

        return RecordList(self.columns(), lead=lead, glyphs=glyphs)

    def columns(self) -> list[Column[OrderRow]]:
        """What a line of the list says."""
        glyphs, desk = self.desk.glyphs, self.desk

        def state(row: OrderRow) -> Cell:
            mark = order_mark(row.payment_status, row.fulfilment_status, row.attention, glyphs)
            return Cell(mark.word, mark.style if mark.style in {"error", "warning", "muted"} else "")

        return [
            Column("ORDER", lambda row: Cell(short_number(row.number)), width=5),
            Column("CUSTOMER", lambda row: Cell(customer(row)), flex=1),
            Column("TOTAL", lambda row: Cell(money_of(row.total)), width=9, align="right", min_list_width=52),
            Column("FULFILMENT", state, width=17),
            Column(
                "AGE",
                lambda row: Cell(desk.times.listed(row.created_at), "muted"),
                width=AGE[desk.format],
                align="right",
                min_list_width=44,
            ),
        ]

    def query_key(self) -> Hashable:
        """Tab, filter and order."""
        return self.tab, self.words, self.sort

    def source(self, client: Client) -> Source[OrderRow]:
        """The orders under this tab that match."""
        return OrderSource(client, cast("OrderTab", self.tab), self.words, self.sort)

    def empty(self) -> tuple[str, str]:
        """Why there are no orders."""
        close = self.desk.key("close")
        if self.words:
            return f"No order matches “{self.words}”.", f"{close} clears the filter."
        if self.tab == "all":
            return "No orders yet.", "They appear here by themselves when a customer pays."
        name = next(mark.name for mark in self.TABS if mark.id == self.tab)
        return (
            f"No order stands under “{name}”.",
            f"{self.desk.key('tab.previous')} and {self.desk.key('tab.next')} change the tab.",
        )

    async def count(self, client: Client) -> dict[str, int]:
        """How many orders stand under each tab; their sum says the status line."""
        counts = await client.order_counts()
        return counts.model_dump()

    # The story.

    async def tell(self, row_id: str, *, fresh: bool) -> None:
        """Show an order's story: what is known of it at once, the rest when it came."""
        client, row = self.desk.client, self.list.cursor_row
        known = self._known.get(row_id)
        if known is not None:
            self._show(*known)
        elif row is not None and row.id == row_id:
            from tui.screens.order_story import glimpse  # noqa: PLC0415 - after the first rows

            self.show_story(row_id, glimpse(row, self.desk.glyphs))
        fresh = fresh or self._owed == row_id
        current = row is None or row.id != row_id or known is None or known[0].updated_at == row.updated_at
        if client is None or (known is not None and current and not fresh):
            return
        from tui.api.outside import affairs  # noqa: PLC0415 - after the first rows

        self._owed = row_id if fresh else None
        try:
            order, entries, leaving = await asyncio.gather(
                client.order(row_id), client.timeline(row_id), affairs(client, row_id)
            )
        except ApiError as error:
            self._owed = None
            self.story_failed(row_id, error)
            return
        self._owed = None
        self._known.pop(order.id, None)
        self._known[order.id] = order, entries, leaving
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        self._show(order, entries, leaving)

    def _show(self, order: Order, entries: list[Entry], leaving: Affairs) -> None:
        from tui.screens.affairs import about  # noqa: PLC0415 - after the first rows
        from tui.screens.order_story import order_story  # noqa: PLC0415
        from tui.widgets.blocks import Gap  # noqa: PLC0415

        now, sent = about(leaving, self.desk)
        if beside := self._tickets.blocks(order.id):
            now = [*now, *([Gap()] if now else []), *beside]
        chosen = next((entry for entry in entries if entry.id == self.story.selected), None)
        blocks = order_story(
            order, entries, self.desk.times, self.desk.glyphs,
            hint=self._hint(order), facts=chosen, raw=self._raw, leaving=now, sent=sent,
        )  # fmt: skip
        self.show_story(order.id, blocks)
        self._count_down(order.id, leaving)

    def _count_down(self, order_id: str, leaving: Affairs) -> None:
        """Write the seconds of what can still be taken back, as long as that is seen."""
        from tui.screens.affairs import is_held  # noqa: PLC0415 - after the first rows

        now = self.desk.clock.now()
        if order_id == self.subject and any(is_held(job, now) for job in leaving.jobs):
            if self._second is None:
                self._second = self.set_interval(1, self.another_second)
        elif self._second is not None:
            self._second.stop()
            self._second = None

    def another_second(self) -> None:
        """Write what is known once more; a question that is on its way is not given up for it."""
        known = self._known.get(self.subject or "")
        if known is not None:
            self._show(*known)

    def _hint(self, order: Order) -> str:
        """What can be done about what is open, as far as the server allows it."""
        may = {action.name for action in order.actions if action.allowed}
        some = "" if order.attention == 1 else f" all {order.attention}"
        hints = []
        if "retry" in may:
            hints.append(f"{self.desk.key('retry')} {self.desk.glyphs.outside} retry submission")
        if "resolve_all" in may:
            hints.append(f"{self.desk.key('resolve')} resolve{some}")
        return "   ".join(hints)

    def moved(self, topics: Iterable[str]) -> None:
        """Topics moved: of jobs, mails and tickets, only the story tells."""
        if "tickets" in topics:
            self._tickets.spoil()
            self.another_second()
        super().moved(topics)
        if self.TOPICS.isdisjoint(topics) and not {"jobs", "mail"}.isdisjoint(topics):
            self.retell()

    @property
    def order(self) -> Order | None:
        """The order that keys act on, as far as its story is known."""
        known = self._known.get(self.subject or "")
        return known[0] if known else None

    # Acting.

    def action_resolve(self) -> None:
        """Resolve all that is open on the order, or on all marked ones."""

        async def wishes(_client: Client) -> tuple[list[Wish], str]:
            ids = self.marked_or_subject()
            about = self._number(ids[0]) if len(ids) == 1 else count(len(ids), "order")
            return [Wish("resolve", "order", order_id) for order_id in ids], about

        self.act("resolve", wishes)

    def action_reopen(self) -> None:
        """Open the entry of the timeline again that the cursor stands on."""
        known = self._known.get(self.subject or "")
        entry = next((e for e in known[1] if e.id == self.story.selected), None) if known else None
        if entry is None or entry.resolved_at is None:
            self.frame.say("note", "Open the order and stand on a resolved entry to open that again.")
        else:
            wish, about = Wish("reopen", "entry", entry.id), entry.label

            async def wishes(_client: Client) -> tuple[list[Wish], str]:
                return [wish], about

            self.act("reopen", wishes)

    def action_retry(self) -> None:
        """Explain the submission of the order, which can then be sent."""
        from tui.screens.outside import retry_order  # noqa: PLC0415 - only when it is asked for

        retry_order(self, self.subject)

    def action_mail(self) -> None:
        """Explain the mails of the order, which can then be sent."""
        from tui.screens.outside import mail_order  # noqa: PLC0415 - only when it is asked for

        mail_order(self, self.subject)

    def action_ask_provider(self) -> None:
        """Have the provider asked how far the order is."""
        from tui.screens.outside import ask_provider  # noqa: PLC0415 - only when it is asked for

        ask_provider(self, self.subject)

    def _number(self, order_id: str | None) -> str:
        """The number of an order, as far as it is known here."""
        known, row = self._known.get(order_id or ""), self.list.cursor_row
        if known is not None:
            return known[0].number
        return row.number if row is not None and row.id == order_id else ""

    def action_open_ticket(self) -> None:
        """Open the ticket beside the order."""
        ticket = self._tickets.chosen(self.subject or "", self.story.selected)
        if ticket is None:
            self.frame.say("note", "No ticket stands beside this order.")
        else:
            self.frame.open_ticket(ticket)

    def action_copy(self) -> None:
        """Copy the order's number."""
        self.copy(self._number(self.subject), "There is no order here to copy.")

    def action_history(self) -> None:
        """Who did what to the order."""
        from tui.screens.history import show_history  # noqa: PLC0415 - only when it is asked for

        show_history(self, self.subject, self._number(self.subject))

    def action_copy_link(self) -> None:
        """Copy the link to follow the parcel by."""
        self.copy(self.order.tracking_url if self.order else None, "This order has no tracking link yet.")

    def action_raw(self) -> None:
        """Show or hide the raw facts, of the entry under the cursor or of the order."""
        self._raw = not self._raw
        self.repeatable = "raw"
        if not self.is_open and not self.wide:
            if self.subject is not None:
                self.open(self.subject)
        else:
            self.retell(fresh=False)
