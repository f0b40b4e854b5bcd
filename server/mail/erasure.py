"""What an erasure does to mail: that it was sent stays, to whom and what it said goes."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from server.kit import refs
from server.mail.models import mail, mail_text
from server.people.erasure import Rule, Subject, register


def _mails(subject: Subject) -> ColumnElement[bool]:
    return or_(mail.c.person_id == subject.person_id, mail.c.order_id.in_(refs.orders_of(subject.person_id)))


register(
    Rule(
        mail,
        "e-mail logs",
        "anonymise",
        "That a mail was sent, and when, stays; to whom, and what the mail server said about it, goes.",
        _mails,
        ("person_id",),
        lambda subject: {"person_id": None, "reason": None, "anonymized_at": subject.now},
    ),
    Rule(
        mail_text,
        "kept mails",
        "delete",
        "Whole messages that were kept in the outbox instead of being sent.",
        lambda subject: mail_text.c.mail_id.in_(select(mail.c.id).where(_mails(subject))),
        (),
    ),
)
