"""Stripe as a sender of webhooks: what is done about each type, and what a person is told when it comes to nothing."""

from __future__ import annotations

from typing import Final

from server.activity import service as activity
from server.activity.service import Actor
from server.inbox import senders
from server.inbox.senders import Event, Sender
from server.inbox.service import Incoming
from server.kit.clock import MINUTE, SECOND
from server.kit.tx import Tx
from server.payments import checkout, refunds
from server.payments.checkout import NAME, PROVIDER
from server.payments.shapes import Envelope

_FUTURE: Final = 5 * MINUTE


def incoming(told: Envelope, body: str, now: int) -> Incoming:
    """A signed event as the inbox keeps it. A time that is missing or lies in the future becomes that of receipt."""
    at = now if told.created is None or told.created < 0 else told.created * SECOND
    return Incoming(
        provider=PROVIDER,
        connection="main",
        event_id=told.id,
        type=told.type,
        occurred_at=now if at > now + _FUTURE else at,
        body=body,
    )


def _gave_up(tx: Tx, event: Event) -> None:
    _tell(tx, event, "webhook.failed")


def _unmatched(tx: Tx, event: Event) -> None:
    _tell(tx, event, "webhook.unmatched")


def _tell(tx: Tx, event: Event, event_type: str) -> None:
    activity.log(
        tx,
        event_type,
        params={"provider": NAME, "event_type": event.type, "event_id": event.event_id},
        identity=(NAME, event.event_id, event_type),
        actor=Actor("provider", name=NAME),
    )


STRIPE: Final = Sender(
    PROVIDER,
    {
        "checkout.session.completed": checkout.completed,
        "checkout.session.async_payment_succeeded": checkout.async_payment_succeeded,
        "checkout.session.async_payment_failed": checkout.async_payment_failed,
        "checkout.session.expired": checkout.expired,
        "charge.refunded": refunds.refunded,
    },
    gave_up=_gave_up,
    unmatched=_unmatched,
)
senders.register(STRIPE)
