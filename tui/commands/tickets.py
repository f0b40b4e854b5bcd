"""``shopbell tickets``: what customers ask, and what they are answered."""

from __future__ import annotations

import sys
from typing import Any, Final

from server.contract.access import UserRow
from server.contract.base import Page
from server.contract.tickets import ChangeTicket, Comment, NewComment, Ticket, TicketRow
from tui.api.client import segment
from tui.api.documents import Document
from tui.commands.printing import Cell, Column, Printer
from tui.commands.work import DONE, UsageError, Work, as_text, interruptible
from tui.widgets.format import Mark, person

_COLUMNS: Final = (
    Column("TICKET", right=True),
    Column("STATUS"),
    Column("PRIORITY", spare=3),
    Column("TITLE", flows=True),
    Column("CUSTOMER", spare=2),
    Column("ORDER", spare=5),
    Column("WITH", spare=4),
    Column("TURN", spare=1),
    Column("LAST", spare=6),
)
_STATES: Final = {
    "open": ("info", ""),
    "in_progress": ("info", "info"),
    "resolved": ("marked", "success"),
    "closed": ("marked", "muted"),
}
_PRIORITIES: Final = {"urgent": "error", "high": "warning", "low": "muted"}
_TURNS: Final = {"staff": "ours", "customer": "theirs"}
_LONGEST: Final = 10_000
"""Characters of a text, as the server takes them."""


async def listing(work: Work) -> int:
    """List tickets."""
    given = work.given
    params = {"tab": given.tab, "priority": given.priority, "order": given.order, "q": given.query}
    return await work.print_page("/v1/tickets", params, Page[TicketRow].model_validate, _COLUMNS, _row)


def _row(out: Printer, row: TicketRow) -> list[str | Cell]:
    ours = row.waits_for == "staff"
    return [
        f"#{row.number}",
        out.marked(_mark(out, row)),
        Cell(row.priority, _PRIORITIES.get(row.priority, "")),
        row.title,
        _customer(row),
        row.order.number if row.order else "",
        _assignee(row),
        Cell(_TURNS.get(row.waits_for or "", ""), "accent" if ours else "muted"),
        out.when(row.updated_at),
    ]


def _mark(out: Printer, row: TicketRow) -> Mark:
    icon, style = _STATES.get(row.status, ("info", "muted"))
    return Mark(getattr(out.glyphs, icon), row.status.replace("_", " "), style)


def _customer(row: TicketRow) -> str:
    who = row.customer
    return "" if who is None else person(who.name, who.email, who.erased)


def _assignee(row: TicketRow) -> str:
    return "" if row.assigned_to is None else row.assigned_to.name or row.assigned_to.id


async def show(work: Work) -> int:
    """Show a ticket with all that was said in it."""
    return _told(work, await work.client.document(_path(work)))


def _told(work: Work, found: Document) -> int:
    ticket = found.read(Ticket.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    out = work.out
    out.facts(
        [
            ("ticket", f"#{ticket.number} {ticket.title}"),
            ("status", out.marked(_mark(out, ticket))),
            ("priority", Cell(ticket.priority, _PRIORITIES.get(ticket.priority, ""))),
            ("customer", _customer(ticket)),
            ("order", ticket.order.number if ticket.order else ""),
            ("with", _assignee(ticket)),
            ("turn", _TURNS.get(ticket.waits_for or "", "")),
            ("opened", out.full(ticket.created_at)),
            ("resolved", out.full(ticket.resolved_at)),
            ("closed", out.full(ticket.closed_at)),
            ("id", ticket.id),
        ]
    )
    _say(out, _customer(ticket) or "customer", "customer", ticket.created_at, ticket.description)
    for said in ticket.comments:
        _say_comment(out, said)
    return DONE


def _say_comment(out: Printer, said: Comment) -> None:
    role = "INTERNAL" if said.is_internal else "reply" if said.author_kind == "staff" else "customer"
    _say(out, said.author or said.author_kind, role, said.created_at, said.body)


def _say(out: Printer, who: str, role: str, moment: Any, text: str) -> None:
    """Who said it in which role, and what: a note's every line says that it is one."""
    internal = role == "INTERNAL"
    out.line("")
    head = f"INTERNAL {who}" if internal else f"{who}, {role}"
    out.line(f"{head}, {out.when(moment)}", "warning" if internal else "accent")
    for line in text.split("\n"):
        out.line(f"{'#' if internal else '|'} {line}", "warning" if internal else "")


async def reply(work: Work) -> int:
    """Reply to a customer."""
    return await _comment(work, internal=False)


async def note(work: Work) -> int:
    """Write something down for staff alone."""
    return await _comment(work, internal=True)


async def _comment(work: Work, *, internal: bool) -> int:
    path, text = _path(work), _text(work)
    body = NewComment.model_construct(body=text, is_internal=internal).model_dump_json().encode()
    found = await work.client.changed(f"{path}/comments", body)
    said = found.read(Comment.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
    else:
        number = work.given.ticket.removeprefix("#")
        told = "noted for staff alone" if said.is_internal else "replied to the customer"
        work.out.line(f"#{number}: {told}." if number.isdigit() else f"{told.capitalize()}.")
    return DONE


def _text(work: Work) -> str:
    """What is to be said, from the command line or from standard input; no error repeats it.

    Raises:
        UsageError: there is none, or too much.
    """
    text: str | None = work.option("text")
    if text is None:
        if sys.stdin.isatty():
            work.out.aside("Write, then press ctrl+d on a line of its own.")
        try:
            with interruptible():
                text = sys.stdin.read(_LONGEST + 2)
        except UnicodeDecodeError:
            raise UsageError("Standard input holds what is not text in UTF-8.") from None
        as_text(text)
    text = text.strip()
    if not text:
        raise UsageError("Give the text with --text, or on standard input.")
    if len(text) > _LONGEST:
        raise UsageError(f"At most {_LONGEST:,} characters can be said at once.")
    return text


async def assign(work: Work) -> int:
    """Give a ticket to somebody, or take it off whoever has it."""
    who = await _user(work)
    return await _changed(work, assigned_to=who)


async def _user(work: Work) -> str | None:
    """The id of whom the command line names.

    Raises:
        UsageError: nobody is called so.
    """
    named: str = work.given.who
    if named == "nobody":
        return None
    if named == "me":
        me = await work.client.me()
        if me.user is None:
            raise UsageError("This token belongs to no member of staff, so there is no `me`.")
        return me.user.id
    found = await work.client.document("/v1/users", {"limit": "200"})
    users = found.read(Page[UserRow].model_validate).items
    match = next(
        (user for user in users if named.casefold() in (user.id, (user.email or "").casefold())), None
    )
    if match is None:
        raise UsageError("There is no such member of staff: name an e-mail, an id, `me` or `nobody`.")
    return match.id


async def status(work: Work) -> int:
    """Put a ticket into another state."""
    changes = {"status": work.given.status}
    if work.option("reason"):
        changes["reason"] = work.given.reason
    return await _changed(work, **changes)


async def _changed(work: Work, **changes: str | None) -> int:
    wanted = ChangeTicket.model_construct(None, **changes)
    body = wanted.model_dump_json(include=set(changes)).encode()
    found = await work.client.changed(_path(work), body, "PATCH")
    ticket = found.read(Ticket.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    state = ticket.status.replace("_", " ")
    given = _assignee(ticket)
    work.out.line(f"#{ticket.number} {ticket.title}: {state}, {f'with {given}' if given else 'with nobody'}.")
    return DONE


def _path(work: Work) -> str:
    return f"/v1/tickets/{segment(work.given.ticket.removeprefix('#'), 'ticket')}"
