"""How tickets read in their list: how urgent, which, whose, where it stands, whose turn it is, when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tui.widgets.columns import Cell, Column
from tui.widgets.format import UNICODE, Glyphs, Mark, TimeFormat, Times, person, short_number, words

if TYPE_CHECKING:
    from server.contract.orders import CustomerRef
    from server.contract.tickets import TicketRow

PRIORITIES: Final = ("urgent", "high", "normal", "low")
"""The highest first."""
STATUSES: Final = ("open", "in_progress", "resolved", "closed")
WAITING: Final = ("open", "in_progress")
"""Still to be worked on."""
LAST: Final = {TimeFormat.CLOCK: 4, TimeFormat.RELATIVE: 4, TimeFormat.EXACT: 15, TimeFormat.UTC: 15}
"""Cells of a moment in the list."""
_STATUS: Final = {
    "open": ("open", "", "info"),
    "in_progress": ("in progress", "info", "info"),
    "resolved": ("resolved", "success", "marked"),
    "closed": ("closed", "muted", "marked"),
}


def priority_mark(priority: str, glyphs: Glyphs = UNICODE) -> Mark:
    """The sign and word of a priority; the usual one has no sign."""
    known = {
        "urgent": (glyphs.error, "error"),
        "high": (glyphs.warning, "warning"),
        "normal": (" ", ""),
        "low": (glyphs.dot, "muted"),
    }
    icon, style = known.get(priority, (" ", ""))
    return Mark(icon, words(priority), style)


def status_mark(status: str, glyphs: Glyphs = UNICODE) -> Mark:
    """The sign and word of a state; one that this client does not know is shown as it calls itself."""
    word, style, icon = _STATUS.get(status, (words(status), "muted", "info"))
    return Mark(getattr(glyphs, icon), word, style)


def customer_of(who: CustomerRef | None) -> str:
    """Whose ticket it is."""
    return "no customer" if who is None else person(who.name, who.email, who.erased)


def ticket_rank(row: TicketRow) -> tuple[object, str]:
    """Where a ticket stands in its list: the one in which something happened last is the first."""
    return row.updated_at, row.id


def lead(glyphs: Glyphs) -> Callable[[TicketRow], Cell]:
    """The sign of a row: how urgent it is; what is done is quiet."""

    def icon(row: TicketRow) -> Cell:
        mark = priority_mark(row.priority, glyphs)
        return Cell(mark.icon, mark.style if row.status in WAITING else "muted")

    return icon


def columns(
    times: Callable[[], Times],
    glyphs: Glyphs,
    shown: TimeFormat,
    *,
    waiting: bool,
    me: Callable[[], str | None],
) -> list[Column[TicketRow]]:
    """What a list shows of tickets.

    Args:
        times: how moments are written now.
        glyphs: the decorative characters.
        shown: the format of moments.
        waiting: the list holds only what is to be worked on: there, whose it is says more than its state.
        me: the reader's user id, once that is known.
    """

    def state(row: TicketRow) -> Cell:
        mark = status_mark(row.status, glyphs)
        return Cell(mark.word, mark.style)

    def assignee(row: TicketRow) -> Cell:
        if row.assigned_to is None:
            return Cell("nobody" if row.status in WAITING else "", "muted")
        mine = row.assigned_to.id == me()
        return Cell("you" if mine else row.assigned_to.name or "somebody gone", "" if mine else "muted")

    def last(row: TicketRow) -> Cell:
        return Cell(times().listed(row.updated_at), "accent" if row.waits_for == "staff" else "muted")

    return [
        Column("#", _number, width=5),
        Column("TITLE", _title, flex=3),
        Column(
            "CUSTOMER",
            lambda row: Cell(customer_of(row.customer), _quiet(row)),
            flex=2,
            min_list_width=50 if waiting else 68,
        ),
        Column("ORDER", _order, width=5, min_list_width=92),
        Column("STATUS", state, width=11, min_list_width=76 if waiting else 46),
        Column("WITH", assignee, width=9, min_list_width=88),
        Column("TURN", _turn, width=6, min_list_width=44),
        Column("LAST", last, width=LAST[shown], align="right", min_list_width=40),
    ]


def _quiet(row: TicketRow) -> str:
    return "" if row.status in WAITING else "muted"


def _number(row: TicketRow) -> Cell:
    return Cell(f"#{row.number}", "accent" if row.waits_for == "staff" else "muted")


def _title(row: TicketRow) -> Cell:
    return Cell(row.title, "strong" if row.waits_for == "staff" else _quiet(row))


def _turn(row: TicketRow) -> Cell:
    """Whose it is to write: what the customer wrote last stands out."""
    if row.waits_for is None:
        return Cell("")
    return Cell("ours", "accent") if row.waits_for == "staff" else Cell("theirs", "muted")


def _order(row: TicketRow) -> Cell:
    return Cell(short_number(row.order.number) if row.order else "", "muted")
