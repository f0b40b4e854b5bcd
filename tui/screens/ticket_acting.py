"""Changing tickets, one or many at once, and taking that back: exactly what was changed, and nothing done since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui.api import tickets as calls
from tui.api.errors import ApiError, Refused
from tui.screens.deeds import TicketDeed, Turned, Values
from tui.screens.reasons import reason
from tui.widgets.format import count

if TYPE_CHECKING:
    from server.contract.tickets import Ticket, TicketRow
    from tui.api.client import Client
    from tui.screens.section import Section

MOST: Final = 500
"""Tickets that are changed at once at most."""
PAGE: Final = 200
DONE: Final = ("resolved", "closed")
Fields = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done to tickets.

    Attributes:
        command: the command that asked for it.
        action: what the server calls it among a ticket's actions.
        changes: the fields and what they are to hold.
        verb: what is asked for, for a question: ``Resolve``, ``Give to Sam``.
        past: the same when it is done: ``resolved``, ``given to Sam``.
    """

    command: str
    action: str
    changes: Values
    verb: str
    past: str


def why_not(code: str | None) -> str:
    """Why something cannot be done to a ticket, in a sentence."""
    return "It cannot go there from where it stands." if code == "invalid_transition" else reason(code)


def told(past: str, about: str) -> str:
    """What was done, for people: ``Resolved: #12``."""
    return f"{past[:1].upper()}{past[1:]}: {about}"


def fields_of(row: TicketRow) -> Fields:
    """What of a ticket can be changed and taken back."""
    given = None if row.assigned_to is None else row.assigned_to.id
    return {"status": row.status, "priority": row.priority, "assigned_to": given}


async def change_one(client: Client, ticket: Ticket, wish: Wish) -> tuple[Ticket, TicketDeed]:
    """Change a ticket: how it is now, and what can be taken back. Raises ApiError."""
    after = await calls.change(client, ticket.id, **dict(wish.changes))
    turned = _turned(ticket.id, fields_of(ticket), fields_of(after))
    return after, TicketDeed(wish.changes, turned, wish.past, f"#{ticket.number}")


async def change_all(client: Client, rows: Sequence[TicketRow], wish: Wish) -> TicketDeed:
    """The same to many tickets: to all of them, or to none when one refuses. Raises ApiError."""
    found = await calls.change_many(client, [row.id for row in rows], **dict(wish.changes))
    changed, turned = set(found.changed), tuple[Turned, ...]()
    for row in rows:
        if row.id in changed:
            before = fields_of(row)
            turned += _turned(row.id, before, _after(before, wish.changes))
    return TicketDeed(wish.changes, turned, wish.past, count(len(turned), "ticket"))


def _after(before: Mapping[str, str | None], wanted: Values) -> Fields:
    """How a ticket is once it was changed: who is given an open one begins with it."""
    after = {**before, **dict(wanted)}
    if after["assigned_to"] is not None and after["assigned_to"] != before["assigned_to"]:
        started = before["status"] == "open" and "status" not in dict(wanted)
        after["status"] = "in_progress" if started else after["status"]
    return after


def _turned(
    ticket_id: str, before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> tuple[Turned, ...]:
    names = [name for name in before if before[name] != after[name]]
    if not names:
        return ()
    was, became = (tuple((name, values[name]) for name in names) for values in (before, after))
    return (Turned(ticket_id, was, became),)


# Taking it back, and doing it again.


async def turn(section: Section[Any], deed: TicketDeed, *, undo: bool) -> None:
    """Take a change back, or do it again, and say what came of it."""
    desk, frame = section.desk, section.frame
    if desk.client is None:
        return
    try:
        if undo:
            left = await take_back(desk.client, deed)
        else:
            left = await _again(desk.client, deed)
    except ApiError as error:
        frame.say("refused", error.sentence)
        frame.failed(error)
    else:
        (desk.deeds.undid if undo else _redid(desk.deeds.redid))(deed)
        _say(section, deed, left, undo=undo)
    frame.ask_soon()
    section.changed(deed.ids)


def _redid(redid: Callable[[TicketDeed, TicketDeed], None]) -> Callable[[TicketDeed], None]:
    return lambda deed: redid(deed, deed)


def _say(section: Section[Any], deed: TicketDeed, left: int, *, undo: bool) -> None:
    frame, key = section.frame, section.desk.key
    stays = f"{count(left, 'ticket')} changed since and stayed" if left else ""
    if left >= deed.count:
        frame.say("refused", f"Nothing is undone: {deed.about} was changed by somebody else since.")
    elif undo:
        said = f"Undone: {deed.past}, {deed.about}" + (f"; {stays}" if stays else "")
        frame.say("done", said, f"{key('redo')} redoes")
    else:
        frame.say("done", told(deed.past, deed.about), f"{key('undo')} undoes")


async def _again(client: Client, deed: TicketDeed) -> int:
    await calls.change_many(client, [each.id for each in deed.turned], **dict(deed.wanted))
    return 0


async def take_back(client: Client, deed: TicketDeed) -> int:
    """Give each ticket back what it held; one that somebody changed since stays as it is: how many did.

    Raises:
        ApiError: it cannot be undone; what was undone before that stays undone.
    """
    now = await _as_they_are(client, deed)
    groups: dict[tuple[Values, ...], list[str]] = {}
    for each in deed.turned:
        current = now.get(each.id, {})
        if all(current.get(name, "?") == value for name, value in each.after):
            groups.setdefault(tuple(_way_back(each)), []).append(each.id)
    for steps, ids in groups.items():
        for step in steps:
            await calls.change_many(client, ids, **dict(step))
    return deed.count - sum(len(ids) for ids in groups.values())


async def _as_they_are(client: Client, deed: TicketDeed) -> dict[str, Fields]:
    """The tickets of a deed now. What was changed lately stands at the top of the list of all."""
    if deed.count == 1:
        [only] = deed.turned
        try:
            return {only.id: fields_of(await calls.ticket(client, only.id))}
        except Refused as error:
            if error.code != "not_found":
                raise
            return {}
    wanted, found, cursor = set(deed.ids), dict[str, Fields](), None
    for _ in range(2 + deed.count // PAGE):
        page = await calls.tickets(client, calls.TicketQuery("all"), cursor, PAGE)
        found |= {row.id: fields_of(row) for row in page.items if row.id in wanted}
        cursor = page.next
        if cursor is None or len(found) == len(wanted):
            break
    return found


def _way_back(each: Turned) -> Iterable[Values]:
    """The changes that lead back: what is done can only be opened again or closed, and goes on from there."""
    before, after = dict(each.before), dict(each.after)
    was, became = before.get("status"), after.get("status")
    closed_again = became == "resolved" and was == "closed"
    if became in DONE and was not in ("open", None) and not closed_again:
        yield (("status", "open"),)
    yield each.before
