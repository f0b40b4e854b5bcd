"""What an erasure does to the order look-up: nothing opens the person's orders any more."""

from __future__ import annotations

from server.lookup.models import lookup_link, lookup_session
from server.people.erasure import Rule, register

register(
    Rule(
        lookup_link,
        "look-up links",
        "delete",
        "Links that were mailed to the person to see their orders.",
        lambda subject: lookup_link.c.person_id == subject.person_id,
        ("person_id",),
    ),
    Rule(
        lookup_session,
        "look-up sessions",
        "delete",
        "Browsers that see the person's orders.",
        lambda subject: lookup_session.c.person_id == subject.person_id,
        ("person_id",),
    ),
)
