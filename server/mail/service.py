"""The verbs of the mail: asking for one, and what became of those that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, insert, select

from server.contract.mail import MailRow, MailText
from server.jobs import service as jobs
from server.jobs.models import job
from server.jobs.service import Asked
from server.kit.clock import instant, instant_or_none, milliseconds
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.mail import outbox, setup
from server.mail.kinds import KINDS, Mail, MailKind, register
from server.mail.message import Composed, Withheld
from server.mail.models import mail, mail_text
from server.people import service as people

__all__ = [
    "Composed",
    "Mail",
    "MailKind",
    "Queued",
    "Withheld",
    "get",
    "listing",
    "of_order",
    "place",
    "queue",
    "register",
    "was_asked_for",
]
SEND: Final = "mail.send"
"""The kind of job that sends."""
QUERY: Final = "mails"
"""What cursors of the list are bound to."""
_MOST_OF_AN_ORDER: Final = 200


@dataclass(frozen=True, slots=True)
class Queued:
    """A mail that was asked for, and the job that sends it. ``job.new`` is False when the same waited already."""

    mail_id: str
    job: Asked


def queue(
    tx: Tx,
    kind: str,
    *,
    person_id: str,
    order_id: str | None = None,
    cart_id: str | None = None,
    delay: int = 0,
    hold: int = 0,
    asked_by: str | None = None,
    unique: str | None = None,
) -> Queued:
    """Ask for a mail. It leaves after this transaction has committed, and never if it does not.

    Args:
        tx: the transaction it stands or falls with.
        kind: the name of a registered kind.
        person_id: who gets it.
        order_id: the order it is about.
        cart_id: the cart it is about.
        delay: milliseconds before it is due.
        hold: milliseconds in which it can be taken back, and nothing has left.
        asked_by: the user who asks; None for what the shop sends by itself.
        unique: a key of which one mail at a time waits or is being sent; asking again gives that one.

    Raises:
        LookupError: a kind that nobody registered.
    """
    if kind not in KINDS:
        raise LookupError(f"no kind of mail is called {kind}")
    mail_id = tx.new_id()
    asked = jobs.enqueue(
        tx,
        SEND,
        {"mail_id": mail_id},
        unique=unique or f"mail:{mail_id}",
        delay=delay,
        hold=hold,
        order_id=order_id,
        person_id=person_id,
        asked_by=asked_by,
    )
    if not asked.new:
        known: str | None = tx.execute(select(mail.c.id).where(mail.c.job_id == asked.id)).scalar()
        return Queued(known or mail_id, asked)
    tx.execute(
        insert(mail).values(
            id=mail_id,
            kind=kind,
            person_id=person_id,
            order_id=order_id,
            cart_id=cart_id,
            job_id=asked.id,
            message_id=setup.message_id(tx, mail_id),
            state="queued",
            created_at=tx.now,
        )
    )
    tx.touch("mail")
    return Queued(mail_id, asked)


def was_asked_for(tx: Tx, kind: str, *, order_id: str) -> bool:
    """Whether a mail of this kind was ever asked for, for this order."""
    asked = select(mail.c.id).where(mail.c.order_id == order_id, mail.c.kind == kind).limit(1)
    return tx.execute(asked).first() is not None


def listing(tx: Tx, page: PageRequest) -> Slice[MailRow]:
    """A page of all mails, newest first."""
    found = slice_of(tx.execute(keyset(select(mail), page, mail.c.created_at, mail.c.id)).all(), page)
    return Slice(_shown(tx, found.rows), found.older, found.newer)


def place(row: MailRow) -> tuple[int, str]:
    """A row's place in the list, for its page's cursors."""
    return milliseconds(row.created_at), row.id


def of_order(tx: Tx, order_id: str) -> list[MailRow]:
    """The mails of an order, newest first."""
    newest = (mail.c.created_at.desc(), mail.c.id.desc())
    statement = select(mail).where(mail.c.order_id == order_id).order_by(*newest).limit(_MOST_OF_AN_ORDER)
    return _shown(tx, tx.execute(statement).all())


def get(tx: Tx, mail_id: str) -> MailText:
    """One mail, with its text where it was kept.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = tx.execute(select(mail).where(mail.c.id == mail_id)).first()
    if row is None:
        raise not_found("mail")
    kept: str | None = tx.execute(select(mail_text.c.message).where(mail_text.c.mail_id == mail_id)).scalar()
    subject, text = (None, None) if kept is None else outbox.read(kept)
    return MailText(**_shown(tx, [row])[0].model_dump(), subject=subject, text=text)


def asked_by(tx: Tx, job_id: str | None) -> str | None:
    """The user who asked for the job that sends a mail."""
    found: str | None = tx.execute(select(job.c.asked_by).where(job.c.id == job_id)).scalar()
    return found


def _shown(tx: Tx, rows: Sequence[Row[Any]]) -> list[MailRow]:
    known = people.people(tx, {row.person_id for row in rows if row.person_id})
    return [
        MailRow(
            id=row.id,
            kind=row.kind,
            to=known[row.person_id].email if row.person_id in known else None,
            state=row.state,
            reason=row.reason,
            created_at=instant(row.created_at),
            sent_at=instant_or_none(row.sent_at),
            bounced_at=instant_or_none(row.bounced_at),
            bounce=row.bounce,
        )
        for row in rows
    ]
