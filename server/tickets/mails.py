"""The mail that carries a reply of staff to the customer. Its text is read when it leaves; notes never leave."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from server.kit.access import Principal
from server.kit.tx import Tx
from server.mail import service as mail
from server.mail.plain import greeting_name, one_line, wrap
from server.mail.service import Composed, Mail, MailKind, Withheld
from server.people import service as people
from server.settings import service as settings
from server.settings.face import face
from server.tickets.models import comment, ticket

KIND = "ticket_reply"
_MOST_TITLE = 100


def send(tx: Tx, row: Row[Any], said: Row[Any], caller: Principal) -> None:
    """Ask for the mail of a reply, after the time in which it can be taken back.

    Nothing is sent where the shop wants none, or the customer cannot be written to any more.
    """
    if not settings.get(tx, "tickets.reply_mail") or _reader(tx, row) is None:
        return
    hold = settings.get(tx, "actions.undo_seconds") * 1_000
    asked = mail.queue(
        tx, KIND, person_id=row.person_id, order_id=row.order_id, hold=hold, asked_by=caller.user_id
    )
    tx.execute(update(comment).where(comment.c.id == said.id).values(mail_id=asked.mail_id))


def _compose(tx: Tx, which: Mail) -> Composed | Withheld:
    """What the mail says as the reply is now, or why it does not leave."""
    said = tx.execute(select(comment).where(comment.c.mail_id == which.id)).first()
    if said is None:
        return Withheld("comment_gone")
    row = tx.execute(select(ticket).where(ticket.c.id == said.ticket_id)).one()
    if said.is_internal or row.person_id != which.person_id or row.anonymized_at is not None:
        return Withheld("not_for_customer")
    if not settings.get(tx, "tickets.reply_mail"):
        return Withheld("switched_off")
    reader = _reader(tx, row)
    if reader is None:
        return Withheld("no_address")
    shop = face(tx).shop
    shop_name = one_line(shop.name)
    name = greeting_name(reader.name)
    parts = [
        f"Hello {name}," if name else "Hello,",
        wrap(f"we answered your ticket #{row.number}:"),
        "\n".join(wrap(line) for line in said.body.split("\n")),
        f"-- \n{shop_name}" + (f"\n{shop.url}" if shop.url else ""),
    ]
    title = one_line(row.title, _MOST_TITLE)
    return Composed(f"Re: {title} (#{row.number}) – {shop_name}", "\n\n".join(parts))  # noqa: RUF001


def _reader(tx: Tx, row: Row[Any]) -> people.Person | None:
    """The ticket's customer, while they can be written to."""
    if row.person_id is None:
        return None
    person = people.people(tx, [row.person_id]).get(row.person_id)
    return person if person is not None and person.email and person.erased_at is None else None


def _sent(tx: Tx, which: Mail) -> None:
    """That it went stands with the mail itself; the ticket shows the reply."""


mail.register(MailKind(name="ticket_reply", label="Ticket reply", compose=_compose, sent=_sent))
