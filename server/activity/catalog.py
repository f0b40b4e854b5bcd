"""Every kind of event, decided once: level, category, sentence, parameters, and which ones are "the same" problem.

Rendering, filters, search words, folding, the writer's checks and ``docs/events.md`` all come from here. A sentence is
filled when it is read: ``{person}`` is the person's e-mail as it is now, ``{order}`` the order's number, texts are the
strangers' words of the side table; everything else is a parameter, which holds no personal data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final, Literal

from server.activity.template import Kind, Template

Level = Literal["info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("info", "warning", "error")
CATEGORIES: Final = ("orders", "syncs", "emails", "carts", "tickets", "system", "custom")
CUSTOM: Final = "custom."
"""How the types of a shop's own programs begin."""
ORDER: Final = "order"
"""In ``same``: only entries of one order are the same."""

_MONEY: Final[Mapping[str, Kind]] = {"amount": "money", "via": "text"}
_PROVIDER: Final[Mapping[str, Kind]] = {"provider": "text"}
_HOOK: Final[Mapping[str, Kind]] = {"provider": "text", "event_type": "text"}


@dataclass(frozen=True)
class EventType:
    """A kind of event.

    Args:
        name: ``order.shipped``.
        label: two or three words for a list.
        level: its level unless the writer says another.
        category: the feed's filter it stands under.
        sentence: its template.
        params: the parameters it knows, and what they are. None holds personal data.
        texts: strangers' free text that may come with it; kept apart, erasable.
        same: warnings and errors of this type fold into one group when these agree: parameters, a text (compared
            without its numbers, ids and addresses) or ``order``. None: each stands alone.
        internal: hidden from All activity by default; never from Needs attention.
    """

    name: str
    label: str
    level: Level
    category: str
    sentence: Template
    params: Mapping[str, Kind] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    same: tuple[str, ...] | None = None
    internal: bool = False

    @cached_property
    def shown(self) -> tuple[tuple[str, Kind], ...]:
        """The parameters that the sentence says."""
        return tuple((name, kind) for name, kind in self.params.items() if name in self.sentence.slots)

    @cached_property
    def about_person(self) -> bool:
        """Whether the sentence names the person."""
        return "person" in self.sentence.slots

    @cached_property
    def about_order(self) -> bool:
        """Whether the sentence names the order."""
        return "order" in self.sentence.slots

    @cached_property
    def json(self) -> str:
        """The start of an entry as it travels."""
        return f'"type":{json.dumps(self.name)},"label":{json.dumps(self.label)}'

    @property
    def actions(self) -> tuple[str, ...]:
        """What a human can do about an entry of this type."""
        return () if self.level == "info" else ("resolve", "reopen")


def _type(
    name: str,
    label: str,
    sentence: str,
    *,
    level: Level = "info",
    category: str = "orders",
    params: Mapping[str, Kind] | None = None,
    texts: tuple[str, ...] = (),
    same: tuple[str, ...] | None = None,
    internal: bool = False,
) -> EventType:
    return EventType(
        name, label, level, category, Template(sentence), params or {}, texts, same, internal=internal
    )


_ORDERS = (
    _type("order.created", "Order placed", "Order placed — {amount}[ via {via}]", params=_MONEY),
    _type("order.paid", "Payment received", "Payment received — {amount}[ via {via}]", params=_MONEY),
    _type(
        "order.paid_again",
        "Paid twice",
        "Paid a second time — {amount}[ via {via}]",
        level="warning",
        params=_MONEY,
        same=(ORDER,),
    ),
    _type(
        "order.amount_mismatch",
        "Wrong amount",
        "Paid {amount}, but the order is {expected}",
        level="warning",
        params={"amount": "money", "expected": "money", "via": "text"},
        same=(ORDER,),
    ),
    _type(
        "order.payment_failed",
        "Payment failed",
        "Payment[ of {amount}][ via {via}] failed[: {reason}]",
        level="warning",
        params=_MONEY,
        texts=("reason",),
        same=("via", "reason"),
    ),
    _type(
        "order.submitted",
        "Submitted",
        "Submitted[ to {provider}][ ({provider_order_id})]",
        params={"provider": "text", "provider_order_id": "text"},
    ),
    _type(
        "order.submission_failed",
        "Submission failed",
        "Submission[ to {provider}] failed[: {reason}]",
        level="error",
        params={"provider": "text", "attempt": "count", "max_attempts": "count"},
        texts=("reason",),
        same=("provider", "reason"),
    ),
    _type(
        "order.submission_retried",
        "Submission retried",
        "Submission retried[ — attempt {attempt}][ of {max_attempts}]",
        params={"provider": "text", "attempt": "count", "max_attempts": "count"},
    ),
    _type("order.production", "In production", "In production[ at {provider}]", params=_PROVIDER),
    _type(
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
    _type("order.delivered", "Delivered", "Delivered", params={"provider": "text"}),
    _type(
        "order.cancelled",
        "Cancelled",
        "Order cancelled[: {reason}]",
        level="warning",
        params=_PROVIDER,
        texts=("reason",),
        same=(ORDER,),
    ),
    _type(
        "order.refunded",
        "Refunded",
        "Refunded {amount}[ of {of}]",
        params={"amount": "money", "of": "money", "via": "text"},
    ),
    _type(
        "order.returned",
        "Package returned",
        "Package came back[: {reason}]",
        level="warning",
        params=_PROVIDER,
        texts=("reason",),
        same=(ORDER,),
    ),
    _type(
        "order.overdue",
        "Overdue",
        "{expected} was expected by {due_at} and has not come",
        level="warning",
        params={"expected": "text", "due_at": "instant"},
        same=("expected",),
    ),
    _type(
        "order.came_late",
        "Came late",
        "{expected} came, late by {late_by}",
        params={"expected": "text", "late_by": "text", "due_at": "instant"},
    ),
)
_EMAILS = (
    _type(
        "order.email.confirmation_sent",
        "Confirmation sent",
        "Order confirmation sent to {person}",
        category="emails",
    ),
    _type(
        "order.email.shipping_sent",
        "Shipping mail sent",
        "Shipping notification sent to {person}",
        category="emails",
    ),
    _type(
        "email.bounced",
        "Email bounced",
        "Email bounced: {person}[ ({kind})]",
        level="warning",
        category="emails",
        params={"kind": "text"},
        same=("kind",),
    ),
    _type(
        "email.failed",
        "Email failed",
        "{mail} to {person} could not be sent[: {reason}]",
        level="error",
        category="emails",
        params={"mail": "text"},
        texts=("reason",),
        same=("mail", "reason"),
    ),
    _type(
        "email.kept",
        "Email kept",
        "{mail} to {person} kept in the outbox",
        category="emails",
        params={"mail": "text"},
        internal=True,
    ),
)
_SYNCS = (
    _type(
        "sync.started",
        "Sync started",
        "Product sync started[ ({provider})]",
        category="syncs",
        params=_PROVIDER,
        internal=True,
    ),
    _type(
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
    _type(
        "product.vanished",
        "Product vanished",
        "{product} is no longer at {provider}",
        level="warning",
        category="syncs",
        params={"product": "text", "provider": "text", "product_id": "text"},
        same=("provider",),
    ),
    _type(
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
    _type(
        "abandoned_cart.created",
        "Cart abandoned",
        "Cart abandoned[ — {amount}]",
        category="carts",
        params={"amount": "money", "items": "count"},
        internal=True,
    ),
    _type(
        "abandoned_cart.email_sent",
        "Recovery mail sent",
        "Recovery email sent to {person}",
        category="carts",
    ),
    _type(
        "abandoned_cart.recovered",
        "Cart recovered",
        "Abandoned cart recovered[ — order {order}]",
        category="carts",
        params={"amount": "money"},
    ),
)
_TICKET: Final[Mapping[str, Kind]] = {"number": "count"}
_TICKETS = (
    _type("ticket.created", "Ticket opened", "Ticket #{number} opened", category="tickets", params=_TICKET),
    _type(
        "ticket.resolved", "Ticket resolved", "Ticket #{number} resolved", category="tickets", params=_TICKET
    ),
    _type("ticket.closed", "Ticket closed", "Ticket #{number} closed", category="tickets", params=_TICKET),
    _type(
        "ticket.reopened",
        "Ticket reopened",
        "Ticket #{number} opened again",
        category="tickets",
        params=_TICKET,
    ),
)
_SYSTEM = (
    _type(
        "job.exhausted",
        "Job gave up",
        "Job {job} gave up[ at attempt {attempts}]",
        level="error",
        category="system",
        params={"job": "text", "attempts": "count"},
        same=("job",),
        internal=True,
    ),
    _type(
        "webhook.failed",
        "Webhook failed",
        "Webhook {event_type} from {provider} could not be worked on",
        level="error",
        category="system",
        params=_HOOK,
        same=("provider", "event_type"),
    ),
    _type(
        "webhook.unmatched",
        "Webhook unmatched",
        "Webhook {event_type} from {provider} waited 24 hours and matched no order",
        level="warning",
        category="system",
        params=_HOOK,
        same=("provider", "event_type"),
    ),
    _type(
        "setting.unreadable",
        "Setting unreadable",
        "The secret {setting} cannot be decrypted and counts as unset: enter it again",
        level="error",
        category="system",
        params={"setting": "text"},
        same=("setting",),
    ),
    _type(
        "deletion.residue",
        "Traces left",
        "Traces of {person} are left after the erasure: {found}[ in {places}]",
        level="error",
        category="system",
        params={"found": "count", "places": "text"},
        same=("places",),
    ),
    _type(
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
