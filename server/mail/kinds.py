"""The kinds of mail. Each room that has something to say to customers registers its own at import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from server.contract.mail import MailKind as MailName
from server.kit.tx import Tx
from server.mail.message import Composed, Withheld


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as its kind sees it.

    Args:
        id: its id, the same for all tries.
        kind: its kind's name.
        person_id: who gets it; their address is read in the vault when it leaves.
        order_id: the order it is about.
        cart_id: the cart it is about.
        message_id: its Message-ID, the same for all tries.
        state: ``queued``, ``sending``, ``failed`` or ``cancelled`` while it may still leave.
        created_at: when it was asked for (ms).
        asked_by: the user who asked for it; None for what the shop sends by itself.
    """

    id: str
    kind: str
    person_id: str | None
    order_id: str | None
    cart_id: str | None
    message_id: str
    state: str
    created_at: int
    asked_by: str | None


Compose = Callable[[Tx, Mail], Composed | Withheld]
"""What the mail says, or why it does not leave. Asked each time it is about to leave, in a transaction that may write
(a link with a token); gates, settings and the person are read then."""
Sent = Callable[[Tx, Mail], None]
"""Notes the outcome, in the transaction that marks the mail sent."""


@dataclass(frozen=True, slots=True)
class MailKind:
    """A kind of mail.

    Args:
        name: stable; one of the contract's.
        label: what entries and lists call it.
        compose: says what it says (`Compose`).
        sent: notes that the mail server took it (`Sent`).
        at_most_once: rather not at all than twice. Other kinds are sent again when nobody knows whether they were.
    """

    name: MailName
    label: str
    compose: Compose
    sent: Sent
    at_most_once: bool = False


KINDS: Final[dict[str, MailKind]] = {}


def register(kind: MailKind) -> MailKind:
    """Make a kind known.

    Raises:
        ValueError: another one has its name.
    """
    if kind.name in KINDS:
        raise ValueError(f"{kind.name} is registered already")
    KINDS[kind.name] = kind
    return kind


def label_of(kind: str) -> str:
    """What a kind is called; its name where nobody here knows it."""
    known = KINDS.get(kind)
    return known.label if known else kind.replace("_", " ").capitalize()


def mail_of(row: Any, asked_by: str | None) -> Mail:
    """The mail of a row of the table."""
    names = ("id", "kind", "person_id", "order_id", "cart_id", "message_id", "state", "created_at")
    return Mail(**{name: getattr(row, name) for name in names}, asked_by=asked_by)
