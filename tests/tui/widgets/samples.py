"""Rows, entries and small apps that the tests of the widgets share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from server.contract.activity import Actor, Entry, Group, Level, OrderRef
from server.contract.base import Money
from server.contract.orders import CustomerRef, OrderRow
from tui.widgets.blocks import Block, Gap, Item, Pair, Rule, Title, Words
from tui.widgets.format import Times, money_of, order_mark, person, short_number
from tui.widgets.lines import Lines
from tui.widgets.record_list import Cell, Column, RecordList
from tui.widgets.safety import SafeApp
from tui.widgets.story import Story
from tui.widgets.timeline import needs_attention, timeline

NOW = datetime(2026, 2, 23, 14, 23, tzinfo=UTC)
TIMES = Times(NOW)


@dataclass(frozen=True)
class Row:
    """A row of a test's list."""

    id: str
    text: str = ""
    style: str = ""


def rows(count: int, start: int = 0) -> list[Row]:
    """Rows ``r0``, ``r1``, …"""
    return [Row(f"r{number}", f"row {number}") for number in range(start, start + count)]


class WindowRows:
    """A window over a list, whose fields a test sets as a server's answer would."""

    def __init__(self, held: Sequence[Row]) -> None:
        self.held = list(held)
        self.versions: dict[str, int] = {}
        self.has_older = False
        self.has_newer = False
        self.pending = 0

    def __len__(self) -> int:
        return len(self.held)

    def row_at(self, index: int) -> Row | None:
        """The row at ``index``."""
        return self.held[index]

    def index_of(self, row_id: str) -> int | None:
        """Where a row stands."""
        return next((at for at, row in enumerate(self.held) if row.id == row_id), None)

    def version(self, row_id: str) -> int:
        """How often a row changed."""
        return self.versions.get(row_id, 0)

    def change(self, row_id: str, text: str) -> None:
        """Another text for a row."""
        at = self.index_of(row_id)
        assert at is not None
        self.held[at] = Row(row_id, text)
        self.versions[row_id] = self.versions.get(row_id, 0) + 1


TEXT_COLUMN: Column[Row] = Column("TEXT", lambda row: Cell(row.text, row.style), flex=1)


class WidgetApp(SafeApp[None]):
    """One or two widgets beside one another; remembers the messages they post."""

    CSS = "Horizontal > * { width: 1fr; } Horizontal > Story { border-left: solid $border-blurred; }"

    def __init__(self, *widgets: Lines, setup: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.widgets = widgets
        self.posted: list[Message] = []
        self._prepare = setup

    def compose(self) -> ComposeResult:
        """The widgets."""
        with Horizontal():
            yield from self.widgets

    def on_mount(self) -> None:
        """Fill them."""
        if self._prepare is not None:
            self._prepare()
        self.widgets[0].focus()

    def on_record_list_highlighted(self, message: RecordList.Highlighted) -> None:
        self.posted.append(message)

    def on_record_list_opened(self, message: RecordList.Opened) -> None:
        self.posted.append(message)

    def on_record_list_marks_changed(self, message: RecordList.MarksChanged) -> None:
        self.posted.append(message)

    def on_record_list_need_older(self, message: RecordList.NeedOlder) -> None:
        self.posted.append(message)

    def on_record_list_need_newer(self, message: RecordList.NeedNewer) -> None:
        self.posted.append(message)

    def on_record_list_need_newest(self, message: RecordList.NeedNewest) -> None:
        self.posted.append(message)

    def on_record_list_need_oldest(self, message: RecordList.NeedOldest) -> None:
        self.posted.append(message)

    def on_story_highlighted(self, message: Story.Highlighted) -> None:
        self.posted.append(message)

    def of_type(self, kind: type[Message]) -> list[Message]:
        """The messages of a type that were posted."""
        return [message for message in self.posted if isinstance(message, kind)]


def screen_text(widget: Lines) -> list[str]:
    """What a widget shows, line by line, without blanks at the end."""
    return [widget.draw_line(y).text.rstrip() for y in range(widget.size.height)]


def gbp(amount: int) -> Money:
    """Pounds, in pence."""
    return Money(amount=amount, currency="GBP")


def entry(
    number: int,
    message: str,
    level: Level = "info",
    *,
    minutes: float = 0,
    late: float = 0,
    resolved: float | None = None,
    count: int = 1,
    key: str = "",
    facts: dict[str, Any] | None = None,
) -> Entry:
    """An entry that happened ``minutes`` before now and arrived ``late`` minutes later."""
    at = NOW - timedelta(minutes=minutes)
    return Entry(
        id=f"e{number}",
        type="order.submission_failed",
        label="Submission failed",
        level=level,
        category="orders",
        message=message,
        order=OrderRef(id="o1", number="SS-260223-0046"),
        actor=Actor(kind="provider", name="Printify"),
        occurred_at=at,
        inserted_at=at + timedelta(minutes=late),
        resolved_at=None if resolved is None else NOW - timedelta(minutes=resolved),
        resolved_by=None if resolved is None else "jamie@example.com",
        group=Group(key=key or f"k{number}", count=count, first_at=at - timedelta(minutes=30), last_at=at),
        facts=facts or {},
        actions=[],
    )


ENTRIES = [
    entry(1, "Order placed — £28.00 via Stripe", minutes=7 * 1440),
    entry(2, "Order confirmation sent to tom@example.com", minutes=7 * 1440 - 1),
    entry(3, "Submission to Printify failed: no connection", "error", minutes=1410, resolved=1200),
    entry(4, "Submission retried — attempt 2 of 3", minutes=240, late=190),
    entry(5, "Submission to Printify failed: variant out of stock", "error", minutes=20),
    entry(6, "Email bounced: tom@example.com (mailbox full)", "warning", minutes=6),
]

_ORDERS: list[tuple[str, int, str, str, int, int]] = [
    ("Ines Duarte", 4300, "paid", "processing", 0, 2),
    ("Tom Avery", 2800, "paid", "failed", 1, 6),
    ("Mei Lin", 11250, "paid", "shipped", 0, 61),
    ("", 1900, "paid", "delivered", 0, 190),
    ("Ola Berg", 6400, "refunded", "cancelled", 0, 300),
    ("株式会社くつした工房 山田太郎", 9900, "pending", "unfulfilled", 0, 340),
    ("[b]Bobby[/b] Tables", 1200, "failed", "unfulfilled", 1, 400),
]


def order_rows(count: int = 40) -> list[OrderRow]:
    """Believable orders, newest first."""
    made = []
    for number in range(count):
        name, total, payment, fulfilment, attention, age = _ORDERS[number % len(_ORDERS)]
        at = NOW - timedelta(minutes=age + 420 * (number // len(_ORDERS)))
        customer = CustomerRef(id="c", name=name or None, erased=None if name else "7F2A")
        made.append(
            OrderRow.model_validate(
                {
                    "id": f"o{number}",
                    "number": f"SS-260223-{47 - number:04}",
                    "customer": customer,
                    "total": gbp(total),
                    "payment_status": payment,
                    "fulfilment_status": fulfilment,
                    "attention": attention,
                    "created_at": at,
                    "updated_at": at,
                }
            )
        )
    return made


def a_story() -> list[Block]:
    """An order's story, as a screen composes one."""
    return [
        Title(text="SS-260223-0046", notes=("Tom Avery", "£28.00")),
        Words(pieces=(("● paid", "success"), ("⚠ submission failed", "error"))),
        Item(left="1 x Heavy Cotton Tee, M Black", right="£24.00"),
        Item(left="Shipping, DHL Standard", right="£4.00"),
        Item(left="Total", right="£28.00", style="strong"),
        Gap(),
        *needs_attention(ENTRIES, hint="x resolve"),
        Gap(),
        *timeline(ENTRIES, TIMES),
        Gap(),
        Rule(text="Details"),
        Pair(label="Ship to", value="Tom Avery, 4 Mill Lane, LS1 4DL Leeds, GB"),
        Pair(label="Made by", value="Printify PFY-78299"),
    ]


def order_columns() -> list[Column[OrderRow]]:
    """Columns as a list of orders has them."""
    return [
        Column("ORDER", lambda row: Cell(short_number(row.number)), width=5),
        Column("CUSTOMER", _customer, flex=1),
        Column("TOTAL", lambda row: Cell(money_of(row.total)), width=9, align="right"),
        Column("STATE", _state, width=17, min_list_width=50),
        Column("AGE", lambda row: Cell(TIMES.relative(row.created_at), "muted"), width=4, align="right"),
    ]


def _customer(row: OrderRow) -> Cell:
    who = row.customer
    assert who is not None
    return Cell(person(who.name, who.email, who.erased), "" if who.name else "muted")


def _state(row: OrderRow) -> Cell:
    mark = order_mark(row.payment_status, row.fulfilment_status)
    return Cell(mark.word, mark.style)


def order_lead(row: OrderRow) -> Cell:
    """The icon of an order."""
    mark = order_mark(row.payment_status, row.fulfilment_status, row.attention)
    return Cell(mark.icon, mark.style)
