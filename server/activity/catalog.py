"""Every kind of event, decided once: level, category, sentence, parameters, and which ones are "the same" problem.

Rendering, filters, search words, folding, the writer's checks and ``docs/events.md`` all come from here. A sentence is
filled when it is read: ``{person}`` is the person's e-mail as it is now, ``{order}`` the order's number, texts are the
strangers' words of the side table; everything else is a parameter, which holds no personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from server.activity.event_type import CUSTOM, ORDER, EventType, of
from server.activity.template import Kind, Template

_MONEY: Final[Mapping[str, Kind]] = {"amount": "money", "via": "text"}
_PROVIDER: Final[Mapping[str, Kind]] = {"provider": "text"}
_HOOK: Final[Mapping[str, Kind]] = {"provider": "text", "event_type": "text"}


_ORDERS = (
    of("order.created", "Order placed", "Order placed — {amount}[ via {via}]", params=_MONEY),
    of("order.paid", "Payment received", "Payment received — {amount}[ via {via}]", params=_MONEY),
    of(
        "order.paid_again",
        "Paid twice",
        "Paid a second time — {amount}[ via {via}]",
        level="warning",
        params=_MONEY,
        same=(ORDER,),
    ),
    of(
        "order.amount_mismatch",
        "Wrong amount",
        "Paid {amount}, but the order is {expected}",
        level="warning",
        params={"amount": "money", "expected": "money", "via": "text"},
        same=(ORDER,),
    ),
    of(
        "order.payment_failed",
        "Payment failed",
        "Payment[ of {amount}][ via {via}] failed[: {reason}]",
        level="warning",
        params=_MONEY,
        texts=("reason",),
        same=("via", "reason"),
    ),
    of(
        "order.submitted",
        "Submitted",
        "Submitted[ to {provider}][ ({provider_order_id})]",
        params={"provider": "text", "provider_order_id": "text"},
    ),
    of(
        "order.submission_failed",
        "Submission failed",
        "Submission[ to {provider}] failed[: {reason}]",
        level="error",
        params={"provider": "text", "attempt": "count", "max_attempts": "count"},
        texts=("reason",),
        same=("provider", "reason"),
    ),
    of(
        "order.submission_retried",
        "Submission retried",
        "Submission retried[ — attempt {attempt}][ of {max_attempts}]",
        params={"provider": "text", "attempt": "count", "max_attempts": "count"},
    ),
    of("order.production", "In production", "In production[ at {provider}]", params=_PROVIDER),
    of(
        "order.shipped",
        "Shipped",
        "Shipped[ via {carrier}][ — tracking: {tracking_number}]",
        params={
            "carrier": "text",
            "tracking_number": "text",
            "tracking_url": "text",
            "provider": "text",
        },
    ),
    of("order.delivered", "Delivered", "Delivered", params={"provider": "text"}),
    of(
        "order.cancelled",
        "Cancelled",
        "Order cancelled[: {reason}]",
        level="warning",
        params=_PROVIDER,
        texts=("reason",),
        same=(ORDER,),
    ),
    of(
        "order.refunded",
        "Refunded",
        "Refunded {amount}[ of {of}]",
        params={"amount": "money", "of": "money", "via": "text"},
    ),
    of(
        "order.returned",
        "Package returned",
        "Package came back[: {reason}]",
        level="warning",
        params=_PROVIDER,
        texts=("reason",),
        same=(ORDER,),
    ),
    of(
        "order.overdue",
        "Overdue",
        "{expected} was expected by {due_at} and has not come",
        level="warning",
        params={"expected": "text", "due_at": "instant"},
        same=("expected",),
    ),
    of(
        "order.came_late",
        "Came late",
        "{expected} came, late by {late_by}",
        params={"expected": "text", "late_by": "text", "due_at": "instant"},
    ),
)
_EMAILS = (
    of(
        "order.email.confirmation_sent",
        "Confirmation sent",
        "Order confirmation sent to {person}",
        category="emails",
    ),
    of(
        "order.email.shipping_sent",
        "Shipping mail sent",
        "Shipping notification sent to {person}",
        category="emails",
    ),
    of(
        "email.bounced",
        "Email bounced",
        "Email bounced: {person}[ ({kind})]",
        level="warning",
        category="emails",
        params={"kind": "text"},
        same=("kind",),
    ),
    of(
        "email.failed",
        "Email failed",
        "{mail} to {person} could not be sent[: {reason}]",
        level="error",
        category="emails",
        params={"mail": "text"},
        texts=("reason",),
        same=("mail", "reason"),
    ),
    of(
        "email.kept",
        "Email kept",
        "{mail} to {person} kept in the outbox",
        category="emails",
        params={"mail": "text"},
        internal=True,
    ),
)
_SYNCS = (
    of(
        "sync.started",
        "Sync started",
        "Product sync started[ ({provider})]",
        category="syncs",
        params=_PROVIDER,
        internal=True,
    ),
    of(
        "sync.completed",
        "Sync complete",
        "Product sync complete — {products} products, {updated} updated",
        category="syncs",
        params={
            "provider": "text",
            "products": "count",
            "updated": "count",
            "created": "count",
            "removed": "count",
        },
    ),
    of(
        "product.vanished",
        "Product vanished",
        "{product} is no longer at {provider}",
        level="warning",
        category="syncs",
        params={"product": "text", "provider": "text", "product_id": "text"},
        same=("provider",),
    ),
    of(
        "sync.failed",
        "Sync failed",
        "Product sync failed[: {reason}]",
        level="error",
        category="syncs",
        params=_PROVIDER,
        texts=("reason",),
        same=("provider", "reason"),
    ),
)
_CARTS = (
    of(
        "abandoned_cart.created",
        "Cart abandoned",
        "Cart abandoned[ — {amount}]",
        category="carts",
        params={"amount": "money", "items": "count"},
        internal=True,
    ),
    of(
        "abandoned_cart.email_sent",
        "Recovery mail sent",
        "Recovery email sent to {person}",
        category="carts",
    ),
    of(
        "abandoned_cart.recovered",
        "Cart recovered",
        "Abandoned cart recovered[ — order {order}]",
        category="carts",
        params={"amount": "money"},
    ),
)
_TICKET: Final[Mapping[str, Kind]] = {"number": "count"}
_TICKETS = (
    of("ticket.created", "Ticket opened", "Ticket #{number} opened", category="tickets", params=_TICKET),
    of("ticket.resolved", "Ticket resolved", "Ticket #{number} resolved", category="tickets", params=_TICKET),
    of("ticket.closed", "Ticket closed", "Ticket #{number} closed", category="tickets", params=_TICKET),
    of(
        "ticket.reopened",
        "Ticket reopened",
        "Ticket #{number} opened again",
        category="tickets",
        params=_TICKET,
    ),
)
_SYSTEM = (
    of(
        "job.exhausted",
        "Job gave up",
        "Job {job} gave up[ at attempt {attempts}]",
        level="error",
        category="system",
        params={"job": "text", "attempts": "count"},
        same=("job",),
        internal=True,
    ),
    of(
        "webhook.failed",
        "Webhook failed",
        "Webhook {event_type} from {provider} could not be worked on",
        level="error",
        category="system",
        params=_HOOK,
        same=("provider", "event_type"),
    ),
    of(
        "webhook.unmatched",
        "Webhook unmatched",
        "Webhook {event_type} from {provider} waited 24 hours and matched no order",
        level="warning",
        category="system",
        params=_HOOK,
        same=("provider", "event_type"),
    ),
    of(
        "setting.unreadable",
        "Setting unreadable",
        "The secret {setting} cannot be decrypted and counts as unset: enter it again",
        level="error",
        category="system",
        params={"setting": "text"},
        same=("setting",),
    ),
    of(
        "deletion.residue",
        "Traces left",
        "Traces of {person} are left after the erasure: {found}[ in {places}]",
        level="error",
        category="system",
        params={"found": "count", "places": "text"},
        same=("places",),
    ),
    of(
        "activity.gap",
        "Log gap",
        "Activity not recorded: {count}[, first at {first_at}][, last at {last_at}]",
        level="warning",
        category="system",
        params={"count": "count", "first_at": "instant", "last_at": "instant"},
        same=(),
    ),
)

TYPES: Final[Mapping[str, EventType]] = {
    kind.name: kind for kind in (*_ORDERS, *_EMAILS, *_SYNCS, *_CARTS, *_TICKETS, *_SYSTEM)
}
"""The shop's own types by name. Those of its programs (``custom.…``) come from `event_type`."""

_MESSAGE: Final = Template("{message}")


@lru_cache(maxsize=1024)
def event_type(name: str) -> EventType | None:
    """What the catalogue says about a type; for ``custom.…`` the rules of a shop's own events; else None."""
    known = TYPES.get(name)
    if known is None and name.startswith(CUSTOM) and len(name) > len(CUSTOM):
        return EventType(
            name,
            _label(name[len(CUSTOM) :]),
            "info",
            "custom",
            _MESSAGE,
            texts=("message",),
            same=("message",),
        )
    return known


@lru_cache(maxsize=1024)
def readable_type(name: str) -> EventType:
    """Like `event_type`, and for a type that only another version knows a stand-in that can be shown."""
    known = event_type(name)
    if known is not None:
        return known
    label = _label(name)
    words = label.replace("{", "(").replace("}", ")").replace("[", "(").replace("]", ")")
    return EventType(name, label, "info", "system", Template(words))


def _label(name: str) -> str:
    words = " ".join(name.replace(".", " ").replace("_", " ").split())[:80]
    return words[:1].upper() + words[1:] if words else "Unknown"
