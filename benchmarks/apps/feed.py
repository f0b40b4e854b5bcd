"""A feed of a million entries in the client's list widget, made up as they are looked at.

``python -m benchmarks.apps.feed [ROWS]``; ``q`` ends it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.widgets.format import Times, level_mark
from tui.widgets.record_list import Cell, Column, RecordList
from tui.widgets.safety import SafeApp

ROWS = 1_000_000
NOW = datetime(2026, 2, 23, 14, 23, tzinfo=UTC)
TIMES = Times(NOW)

_KINDS = (
    ("info", "Order placed", "£43.00 via Stripe"),
    ("info", "Confirmation sent", "to ines.duarte@example.com"),
    ("info", "Submitted", "to Printify (PFY-78299)"),
    ("error", "Submission failed", "Printify says variant out of stock"),
    ("info", "Shipped", "via DHL, tracking 00340434161094"),
    ("warning", "Email bounced", "mei.lin@example.com (mailbox full)"),
    ("info", "Delivered", ""),
)


@dataclass(frozen=True, slots=True)
class MadeEntry:
    """An entry that depends on its number alone."""

    id: str
    level: str
    label: str
    message: str
    order: str
    at: datetime


class MadeRows:
    """A row source of any length that holds nothing."""

    has_older = False
    has_newer = False
    pending = 0

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def row_at(self, index: int) -> MadeEntry | None:
        """The entry at an index."""
        level, label, message = _KINDS[index * 7919 % len(_KINDS)]
        moment = NOW - timedelta(seconds=37 * index)
        return MadeEntry(str(index), level, label, message, f"SS-{moment:%y%m%d}-{index % 10_000:04}", moment)

    def index_of(self, row_id: str) -> int | None:
        """Its number is its id."""
        return int(row_id)

    def version(self, row_id: str) -> int:
        """Nothing changes."""
        return int(not row_id)


def columns() -> list[Column[MadeEntry]]:
    """The columns of the activity feed."""
    return [
        Column("WHEN", lambda row: Cell(TIMES.listed(row.at), "muted"), width=4, align="right"),
        Column("WHAT", lambda row: Cell(row.label), width=17),
        Column("MESSAGE", lambda row: Cell(row.message), flex=1),
        Column("ORDER", lambda row: Cell(row.order), width=14, min_list_width=70),
    ]


class Feed(SafeApp[None]):
    """The list alone."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "quit")]

    def __init__(self, rows: int = ROWS) -> None:
        super().__init__()
        self._rows = rows

    def compose(self) -> ComposeResult:
        """The list."""
        yield RecordList(
            columns(), source=MadeRows(self._rows), lead=lambda row: Cell(*level_cell(row.level))
        )

    def on_mount(self) -> None:
        """Focus before the first paint, not after it."""
        self.query_one(RecordList).focus()


def level_cell(level: str) -> tuple[str, str]:
    """Icon and style of a level."""
    mark = level_mark(level)
    return mark.icon, mark.style


if __name__ == "__main__":
    Feed(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS).run()
