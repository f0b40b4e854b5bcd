"""What an erasure does to a person's account and all that opens it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, or_, select

from server.accounts.models import invitation, oauth_link, token, user
from server.kit.schema import idempotency, metadata
from server.people.erasure import Known, Rule, Subject, exempt, holds, is_user, register

_OWN_WORDS = (
    "address",
    "billing_profile",
    "person_note",
    "ticket",
    "ticket_comment",
    "post",
    "post_comment",
    "file",
)
"""Tables whose rows are what somebody said: an answer that holds one of their ids may hold those words."""


def _answers(subject: Subject) -> ColumnElement[bool]:
    """Stored answers to requests with the person's tokens, and those that hold their data or what they wrote."""
    theirs = select(token.c.id).where(is_user(token.c.user_id, subject))
    found: list[ColumnElement[bool]] = [idempotency.c.token_id.in_(theirs)]
    known = subject.known
    if known != Known():  # of somebody erased before, nothing is left to be found
        words = (subject.person_id, *known.emails, *known.phones, *known.names, *known.streets)
        found += [holds(idempotency.c.body, words), holds(idempotency.c.key, words)]
    for name in _OWN_WORDS:
        table = metadata.tables.get(name)
        if table is not None:
            said = (table.c.person_id == subject.person_id) & idempotency.c.body.contains(table.c.id)
            found.append(exists().where(said))
    return or_(*found)


register(
    Rule(
        user,
        "account",
        "delete",
        "Nobody can come in with it any more; its role goes with it.",
        lambda subject: user.c.person_id == subject.person_id,
        ("person_id",),
    ),
    Rule(
        token,
        "tokens and sessions",
        "delete",
        "They end at once.",
        lambda subject: is_user(token.c.user_id, subject),
        ("user_id",),
    ),
    Rule(
        oauth_link,
        "accounts elsewhere",
        "delete",
        "Links to accounts through which the person came in.",
        lambda subject: is_user(oauth_link.c.user_id, subject),
        ("user_id",),
    ),
    Rule(
        invitation,
        "invitations",
        "delete",
        "Codes that were made for the person.",
        lambda subject: is_user(invitation.c.user_id, subject),
        ("user_id",),
    ),
    Rule(
        idempotency,
        "remembered answers",
        "delete",
        "Answers kept for a day in case a request is repeated, where they hold the person's data.",
        _answers,
        ("token_id",),
    ),
)
exempt(invitation, "invited_by", "an id that names nobody once the account is gone")
