"""What an erasure does to webhooks: that they came stays, so that a replay is known; what they said goes.

What is worked on already is emptied. What still waits to be worked on keeps its facts and loses who it speaks of: a
refund that came before its order is still a refund.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, not_, or_

from server.inbox.models import inbox
from server.kit import refs
from server.people.erasure import Mentions, Rule, Subject, holds, register

_WAITS = or_(
    inbox.c.state.in_(("received", "failed", "parked")),
    and_(inbox.c.state == "dead", inbox.c.waits_for.is_not(None)),
)


def _named(subject: Subject) -> ColumnElement[bool]:
    """Rows known to be about the person or their orders."""
    return or_(
        inbox.c.person_id == subject.person_id, inbox.c.order_id.in_(refs.orders_of(subject.person_id))
    )


def _spoken_of(subject: Subject) -> ColumnElement[bool]:
    """Rows that nobody tied to the person, whose body holds their data all the same.

    Others have the same name and live in the same street, so these count only where a row is tied to nobody.
    """
    known = subject.known
    nobodys = and_(inbox.c.person_id.is_(None), inbox.c.order_id.is_(None))
    unique, shared = (*known.emails, *known.phones), (*known.names, *known.streets)
    return and_(
        inbox.c.body != "", or_(holds(inbox.c.body, unique), and_(nobodys, holds(inbox.c.body, shared)))
    )


def _waiting(subject: Subject) -> ColumnElement[bool]:
    """Rows still to be worked on that are certainly about the person: they hold an e-mail or phone of theirs."""
    known = subject.known
    return and_(_WAITS, or_(_named(subject), holds(inbox.c.body, (*known.emails, *known.phones))))


register(
    Rule(
        inbox,
        "webhooks",
        "anonymise",
        "That an event came stays, so that a second telling is known; its body goes.",
        lambda subject: and_(not_(_WAITS), or_(_named(subject), _spoken_of(subject))),
        ("person_id",),
        lambda _subject: {"person_id": None, "body": ""},
    ),
    Rule(
        inbox,
        "webhooks that still wait",
        "anonymise",
        "They keep their facts until they are worked on, and lose whom they speak of.",
        lambda subject: and_(_WAITS, _named(subject)),
        ("person_id",),
        lambda _subject: {"person_id": None},
    ),
    Mentions(inbox, ("body",), linked=_waiting, records=True),
)
