"""What a mail is made of and where it is handed over: plain values, for those who speak of mails.

The libraries that put a mail together and hand it over load when the first one leaves (`composing`, `smtp`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Security = Literal["starttls", "tls", "none"]
EACH_SECONDS: Final = 30.0
"""How long one step may take."""
ALL_SECONDS: Final = 120.0
"""How long the whole handing over may take, however busy the server pretends to be."""


class UnfitMailError(Exception):
    """A mail that must not leave as it is. The message is a sentence without the words that were refused."""


@dataclass(frozen=True, slots=True)
class Composed:
    """What a kind of mail has to say: its subject, its plain text, and headers of its own (List-Unsubscribe)."""

    subject: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a mail does not leave after all: a stable code (``no_address``, ``not_paid``, …)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Sender:
    """From whom a mail is: the two settings that every mail reads when it leaves."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Message:
    """A mail ready to leave: its envelope and its bytes. ``utf8``: an address needs a server that speaks SMTPUTF8."""

    sender: str
    recipient: str
    content: bytes
    utf8: bool


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how."""

    host: str
    port: int = 587
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    each_seconds: float = EACH_SECONDS
    all_seconds: float = ALL_SECONDS


class MailServerError(Exception):
    """A mail that was not taken, or of which nobody knows.

    Args:
        reason: a sentence for people; the server's words in it are cleaned.
        permanent: trying again would end the same way.
        unknown: the connection ended after the mail was sent and before the answer came.
    """

    def __init__(self, reason: str, *, permanent: bool = False, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.unknown = unknown
