"""Mail to customers as staff see it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.base import Answer, Instant, Request

MailKind = Literal["confirmation", "shipping", "recovery", "lookup", "ticket_reply", "test"]
MailState = Literal["queued", "sending", "sent", "kept", "failed", "withheld", "cancelled"]


class MailRow(Answer):
    """A mail. ``kept`` means that the shop has no mail server and it stays in the outbox; ``to`` is gone after
    erasure. ``reason`` says why it was withheld (a code) or failed (the mail server's words)."""

    id: str
    kind: MailKind
    to: str | None = None
    state: MailState
    reason: str | None = None
    created_at: Instant
    sent_at: Instant | None = None
    bounced_at: Instant | None = None
    bounce: str | None = None


class MailText(MailRow):
    """A mail with its text, where it was kept."""

    subject: str | None = None
    text: str | None = None


class OrderMails(Answer):
    """The mails about one order, newest first."""

    mails: list[MailRow]


class SendMail(Request):
    """Send an order's mail (again). ``hold_seconds`` overrides the shop's undo window (0: leave at once)."""

    kind: Literal["confirmation", "shipping"]
    hold_seconds: Annotated[int, Field(ge=0, le=60)] | None = None


class Bounce(Request):
    """A mail came back, as the mail service tells it."""

    message_id: Annotated[str, Field(min_length=3, max_length=255)] | None = None
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    kind: Literal["hard", "soft", "complaint"] = "hard"
    reason: Annotated[str, Field(max_length=4096)] | None = None
    occurred_at: str | None = None
    event_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class BounceReceipt(Answer):
    """What the sender is told: it is on disk here and need not be sent again."""

    received: bool = True
