"""A ticket as a story: whose it is and how it stands, the order beside it, and what was said and done in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.screens.order_tickets import line_id
from tui.screens.ticket_rows import customer_of, priority_mark, status_mark
from tui.widgets.blocks import Attention, Block, Gap, Happening, Item, Pair, Paragraph, Rule, Words
from tui.widgets.format import Glyphs, TimeFormat, Times, money_of, order_mark, size, words
from tui.widgets.speech import Said

if TYPE_CHECKING:
    from server.contract.content import FileRow
    from server.contract.orders import Order
    from server.contract.tickets import Comment, Staff, Ticket, TicketChange, TicketRow

DESCRIPTION: Final = "description"
"""The block of what the customer wrote first."""
_TO_STATUS: Final = {
    "open": "Opened again",
    "in_progress": "Put in progress",
    "resolved": "Resolved",
    "closed": "Closed",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """How a ticket is told.

    Attributes:
        times: how moments are written.
        glyphs: the decorative characters.
        me: the reader's user id, once that is known.
        order: the order that the ticket stands beside, once it is known.
        files: the files beside it, newest first.
        hint: what can be done.
        notice: why it stands here although the list does not have it.
        left: what was begun to be written, and how it goes on.
    """

    times: Times
    glyphs: Glyphs
    me: str | None = None
    order: Order | None = None
    files: tuple[FileRow, ...] = ()
    hint: str = ""
    notice: str = ""
    left: tuple[str, ...] = ()


def glimpse(row: TicketRow, telling: Telling) -> list[Block]:
    """What is known of a ticket before its thread is fetched."""
    return [*_heading(row, telling, row.updated_at), Gap(), Paragraph(text="Loading…", style="muted")]


def ticket_story(ticket: Ticket, telling: Telling) -> list[Block]:
    """The whole story: heading, order, thread with history, and when each step was taken."""
    said = [each for each in ticket.comments if not each.is_internal]
    blocks = _heading(ticket, telling, said[-1].created_at if said else ticket.created_at)
    if telling.hint:
        blocks += [Gap(), Paragraph(text=telling.hint, style="muted")]
    blocks += [Gap(), *_thread(ticket, telling)]
    blocks += [block for text in telling.left for block in (Gap(), Attention(text=text, style="accent"))]
    return [*blocks, *_files(ticket, telling), Gap(), Rule(text="Details"), *_details(ticket, telling.times)]


def _heading(row: TicketRow, telling: Telling, spoken: datetime) -> list[Block]:
    """``spoken`` is when customer or staff said something to the other last."""
    blocks: list[Block] = [Paragraph(text=f"#{row.number}  {row.title}", style="strong", most=4)]
    blocks.append(Words(pieces=tuple(_state(row, telling, spoken))))
    if telling.notice:
        blocks += [Gap(), Attention(text=telling.notice, style="warning")]
    blocks += [Gap(), Pair(label="Customer", value=_who(row))]
    if row.anonymized_at is not None:
        when = telling.times.clock(row.anonymized_at)
        blocks.append(Pair(label="", value=f"erased {when}: what they wrote is gone, the ticket goes on"))
    if row.order is not None:
        blocks.append(Pair(label="Order", value=_order(row.order.number, telling)))
    return blocks


def _state(row: TicketRow, telling: Telling, spoken: datetime) -> Iterable[tuple[str, str]]:
    glyphs = telling.glyphs
    urgent, stands = priority_mark(row.priority, glyphs), status_mark(row.status, glyphs)
    if row.priority != "normal":
        yield f"{urgent.icon} {urgent.word}", urgent.style
    yield f"{stands.icon} {stands.word}", stands.style
    if row.assigned_to is not None:
        yield f"with {_name(row.assigned_to, telling.me)}", ""
    elif row.waits_for is not None:
        yield "nobody has it", "warning"
    if row.waits_for == "staff":
        yield f"the customer wrote last, {telling.times.ago(spoken)}", "accent"
    elif row.waits_for == "customer":
        yield f"we wrote last, {telling.times.ago(spoken)}", "muted"


def _name(who: Staff, me: str | None) -> str:
    return "you" if who.id == me else who.name or "somebody who is gone"


def _who(row: TicketRow) -> str:
    named = customer_of(row.customer)
    email = row.customer.email if row.customer is not None else None
    return f"{named}, {email}" if email and email != named else named


def _order(number: str, telling: Telling) -> str:
    order, dot = telling.order, f" {telling.glyphs.dot} "
    if order is None:
        return number
    mark = order_mark(order.payment_status, order.fulfilment_status, order.attention, telling.glyphs)
    return f"{number}{dot}{mark.icon} {mark.word}{dot}{money_of(order.total)}"


# What was said and done.


def _thread(ticket: Ticket, telling: Telling) -> Iterable[Block]:
    """Everything as it followed one another, with a rule where a day begins."""
    began = Said(
        id=DESCRIPTION,
        who="somebody who is gone" if ticket.customer is None else customer_of(ticket.customer),
        role="customer",
        when=_time(ticket.created_at, telling.times),
        text=ticket.description,
        style="info",
    )
    told: list[tuple[datetime, int, Block]] = [(ticket.created_at, 0, began)]
    cells = len(_time(ticket.created_at, telling.times))
    told += [(line.at, 1, _changed(line, cells, telling)) for line in ticket.history]
    told += [(said.created_at, 2, _said(said, ticket, telling)) for said in ticket.comments]
    told.sort(
        key=lambda each: each[:2]
    )  # stable: what happened at the same moment stays as the server has it
    day, quiet = "", False
    for at, _kind, block in told:
        line = isinstance(block, Happening)
        if (today := telling.times.day(at)) != day:
            if day:
                yield Gap()
            yield Rule(text=today)
        elif not (line and quiet):
            yield Gap()
        day, quiet = today, line
        yield block


def _time(moment: datetime, times: Times) -> str:
    """The time of day, as the day stands above it; whole in the other formats."""
    return f"{times.local(moment):%H:%M}" if times.format is TimeFormat.CLOCK else times.short(moment)


def _said(said: Comment, ticket: Ticket, telling: Telling) -> Said:
    staff, who = said.author_kind == "staff", ticket.customer
    author = said.author or ("somebody who is gone" if staff else "customer")
    if not staff and who is not None and author == who.email:
        author = customer_of(who)  # called the same throughout
    return Said(
        id=said.id,
        who=author,
        role="" if said.is_internal else "reply" if staff else "customer",
        when=_time(said.created_at, telling.times),
        text=said.body,
        style="success" if staff else "info",
        internal=said.is_internal,
    )


def _changed(line: TicketChange, cells: int, telling: Telling) -> Happening:
    reason = f": {line.reason}" if line.reason else ""
    return Happening(
        time=_time(line.at, telling.times),
        time_cells=cells,
        icon=telling.glyphs.dot,
        style="muted",
        message=_change(line) + reason,
        quiet=True,
    )


def _change(line: TicketChange) -> str:
    """``Given to Sam by Jamie``; who is gone is left out."""
    by = f" by {line.who}" if line.who else ""
    if line.field == "status":
        back = line.value_to == "open" and line.value_from == "in_progress"
        said = "Put back to open" if back else _TO_STATUS.get(line.value_to or "", "")
        return f"{said or 'Now ' + words(line.value_to or '')}{by}"
    if line.field == "priority":
        return f"Priority from {words(line.value_from or '')} to {words(line.value_to or '')}{by}"
    if line.value_to is None:
        return f"Taken off {line.value_from or 'somebody'}{by}"
    return f"Taken{by}" if line.value_to == line.who else f"Given to {line.value_to}{by}"


def _files(ticket: Ticket, telling: Telling) -> Iterable[Block]:
    """What was handed in beside it; what a file holds is saved, never shown."""
    if telling.files:
        yield Gap()
        yield Rule(text="Files")
    for file in telling.files:
        who = "" if file.owner is None else customer_of(file.owner)
        theirs = ticket.customer is not None and who == customer_of(ticket.customer)
        yield Item(
            left=file_name(file) if theirs or not who else f"{file_name(file)} {telling.glyphs.dot} {who}",
            right=f"{size(file.size)} {telling.glyphs.dot} {telling.times.short(file.created_at)}",
            style="" if file.name else "muted",
            indent=0,
        )


def file_name(file: FileRow) -> str:
    """What a file is called; of one whose owner was erased, that it is gone."""
    return file.name or "a file that is gone"


def _details(ticket: Ticket, times: Times) -> Iterable[Block]:
    pairs = (
        ("Opened", ticket.created_at),
        ("Resolved", ticket.resolved_at),
        ("Closed", ticket.closed_at),
        ("Moved last", ticket.updated_at),
    )
    return [Pair(label=label, value=times.full(moment)) for label, moment in pairs if moment is not None]


def order_tickets(rows: Sequence[TicketRow], glyphs: Glyphs) -> list[Block]:
    """The tickets beside an order, a line for each: ``#12 Where is my parcel · open``."""
    if not rows:
        return []
    lines: list[Block] = [Rule(text="Tickets")]
    for row in rows:
        stands, urgent = status_mark(row.status, glyphs), priority_mark(row.priority, glyphs)
        pieces = [(f"#{row.number} {row.title}", "" if row.waits_for else "muted")]
        pieces.append((f"{stands.icon} {stands.word}", stands.style))
        if row.priority in ("urgent", "high"):
            pieces.append((f"{urgent.icon} {urgent.word}", urgent.style))
        if row.waits_for == "staff":
            pieces.append(("the customer wrote last", "accent"))
        lines.append(Words(id=line_id(row.id), pieces=tuple(pieces)))
    return lines
