"""What an erasure does to tickets: the matter stays with all that staff said; what the person wrote goes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, literal, or_, select

from server.people.erasure import GONE, Mentions, Rule, Subject, holds, is_user, register
from server.tickets.models import comment, history, ticket


def _emptied(subject: Subject) -> dict[str, Any]:
    """The slug was made of the title. No title makes one with an underscore, so the neutral one is free."""
    return {
        "person_id": None,
        "person_mark": subject.mark,
        "anonymized_at": subject.now,
        "title": GONE,
        "description": GONE,
        "slug": literal("erased_").concat(cast(ticket.c.number, Text)),
    }


def _told(ticket_id: ColumnElement[str], subject: Subject, *texts: ColumnElement[str]) -> ColumnElement[bool]:
    """What was said in the person's own tickets, and wherever else their e-mail or phone stands."""
    theirs = select(ticket.c.id).where(ticket.c.person_id == subject.person_id)
    unique = (*subject.known.emails, *subject.known.phones)
    return or_(ticket_id.in_(theirs), *(holds(text, unique) for text in texts))


def _given(subject: Subject) -> ColumnElement[bool]:
    """Lines of the history that say that a ticket was given to them, or taken from them."""
    named = or_(is_user(history.c.value_from, subject), is_user(history.c.value_to, subject))
    return and_(history.c.field == "assigned_to", named)


register(
    Rule(
        ticket,
        "tickets",
        "anonymise",
        "State, times, history and what staff answered stay; title, description and whose it was go.",
        lambda subject: ticket.c.person_id == subject.person_id,
        ("person_id",),
        _emptied,
    ),
    Rule(
        ticket,
        "assigned tickets",
        "anonymise",
        "They stay with their customers and are nobody's to work on until somebody takes them.",
        lambda subject: is_user(ticket.c.assigned_to, subject),
        ("assigned_to",),
        lambda _subject: {"assigned_to": None},
    ),
    Rule(
        comment,
        "ticket comments",
        "anonymise",
        "That the person answered, and when, stays; what they wrote goes.",
        lambda subject: comment.c.person_id == subject.person_id,
        ("person_id",),
        lambda subject: {
            "person_id": None,
            "author_mark": subject.mark,
            "anonymized_at": subject.now,
            "body": GONE,
        },
    ),
    Rule(
        comment,
        "replies by them to others",
        "anonymise",
        "They belong to others' tickets and stay readable; who wrote them is taken off.",
        lambda subject: is_user(comment.c.author_user_id, subject),
        ("author_user_id",),
        lambda subject: {"author_user_id": None, "author_mark": subject.mark},
    ),
    Rule(
        history,
        "changes of tickets by them",
        "anonymise",
        "What was changed, and when, stays; who did it is taken off.",
        lambda subject: is_user(history.c.changed_by, subject),
        ("changed_by",),
        lambda _subject: {"changed_by": None},
    ),
    Rule(
        history,
        "tickets given to them",
        "anonymise",
        "That a ticket was given to somebody, and when, stays; the mark stands in their place.",
        _given,
        ("value_from", "value_to"),
        lambda subject: {
            name: case((is_user(history.c[name], subject), subject.shown), else_=history.c[name])
            for name in ("value_from", "value_to")
        },
    ),
    Mentions(
        ticket,
        ("title", "description"),
        lambda subject: _told(ticket.c.id, subject, ticket.c.title, ticket.c.description),
    ),
    Mentions(comment, ("body",), lambda subject: _told(comment.c.ticket_id, subject, comment.c.body)),
    Mentions(history, ("reason",), lambda subject: _told(history.c.ticket_id, subject, history.c.reason)),
)
