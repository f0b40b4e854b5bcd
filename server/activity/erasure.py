"""What an erasure does to the activity log: its rows hold nothing of a person, strangers' words beside them may."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from server.activity.models import activity, activity_text
from server.kit import refs
from server.people.erasure import Rule, Subject, is_user, register


def _entries(subject: Subject) -> ColumnElement[bool]:
    """Entries about the person, about their orders, or about what they did as staff."""
    return or_(
        activity.c.person_id == subject.person_id,
        activity.c.order_id.in_(refs.orders_of(subject.person_id)),
        is_user(activity.c.actor_user_id, subject),
        is_user(activity.c.resolved_by, subject),
    )


def _texts(subject: Subject) -> ColumnElement[bool]:
    """Strangers' words beside entries about the person or about one of their orders."""
    about = select(activity.c.id).where(
        or_(
            activity.c.person_id == subject.person_id,
            activity.c.order_id.in_(refs.orders_of(subject.person_id)),
        )
    )
    return or_(activity_text.c.person_id == subject.person_id, activity_text.c.activity_id.in_(about))


register(
    Rule(
        activity,
        "activity entries",
        "keep",
        "They hold no personal data: the story stays, and names the person as ⟨erased⟩.",
        _entries,
        ("person_id", "actor_user_id", "resolved_by"),
    ),
    Rule(
        activity_text,
        "words of others beside entries",
        "delete",
        "Free text that came with events: a provider's reason, a bounce, a program's sentence.",
        _texts,
        ("person_id",),
    ),
)
