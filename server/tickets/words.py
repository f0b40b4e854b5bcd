"""What people write in tickets, as it is kept: cleaned, never empty, never too long."""

from __future__ import annotations

import re
from typing import Final

from server.kit.folding import clean_text, fold
from server.kit.problems import invalid_request
from server.mail.plain import one_line

MOST_TITLE: Final = 255
MOST_BODY: Final = 10_000
MOST_REASON: Final = 1_000
_MOST_SLUG: Final = 80
_CONTACT: Final = re.compile(r"\S*@\S*|\+?[0-9][0-9 ()/.-]{5,}[0-9]")
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
_LINE_ENDS: Final = re.compile(r"\r\n?")


def title(text: str) -> str:
    """A title as one line.

    Raises:
        ProblemError: 422 for one that shows nothing, or of more than 255 signs.
    """
    return _whole(one_line(text, len(text) + 1), MOST_TITLE, "title")


def body(text: str, field: str = "body") -> str:
    """A description or a comment, with its lines, without what stands empty around it.

    Raises:
        ProblemError: 422 for one that shows nothing, or of more than 10,000 signs.
    """
    return _whole(_cleaned(text), MOST_BODY, field)


def reason(text: str | None) -> str | None:
    """Why something was changed; None for nothing said.

    Raises:
        ProblemError: 422 for more than 1,000 signs.
    """
    if text is None or not one_line(text):
        return None
    return _whole(_cleaned(text), MOST_REASON, "reason")


def slug(heading: str) -> str:
    """A title as part of an address. Addresses and telephone numbers are left out: it never changes afterwards."""
    words = _NOT_SLUG.sub("-", fold(_CONTACT.sub(" ", heading))).strip("-")
    return words[:_MOST_SLUG].strip("-") or "ticket"


def _cleaned(text: str) -> str:
    return _LINE_ENDS.sub("\n", clean_text(text, len(text) + 1)).strip()


def _whole(text: str, most: int, field: str) -> str:
    if not one_line(text):
        raise invalid_request((field, "must not be empty"))
    if len(text) > most:
        raise invalid_request((field, f"must be at most {most:,} characters"))
    return text
