"""Who sends us webhooks, and what we do about each type. A sender's own room registers it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from server.kit.tx import Tx


@dataclass(frozen=True, slots=True)
class Event:
    """A stored webhook, as its handler gets it. Times in milliseconds UTC; ``body`` is the text as it came."""

    id: str
    provider: str
    connection: str
    event_id: str
    type: str
    occurred_at: int
    received_at: int
    body: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event.

    Args:
        state: ``done``; ``ignored`` when there is nothing to do about it; ``parked`` when what it speaks of is not
            known yet.
        waits_for: for a parked one, the name of what it waits for (``wake`` is called with the same).
        order_id: the order it was about, once known.
        person_id: whose data its body holds, once known.
    """

    state: Literal["done", "ignored", "parked"] = "done"
    waits_for: str | None = None
    order_id: str | None = None
    person_id: str | None = None


Handler = Callable[[Tx, Event], Outcome]
"""Effect and log of one event, in the transaction it is given; may be run again, and must then add nothing."""

Note = Callable[[Tx, Event], None]


@dataclass(frozen=True, slots=True)
class Sender:
    """One sender: its handlers by event type, and what to write down when an event comes to nothing.

    Args:
        provider: its name, as in ``Event.provider``.
        handlers: what to do, by type; a type that is not there is stored and ignored.
        gave_up: called when the handler has failed for the last time.
        unmatched: called when a parked event's time is over.
    """

    provider: str
    handlers: Mapping[str, Handler]
    gave_up: Note
    unmatched: Note


_senders: dict[str, Sender] = {}


def register(sender: Sender) -> None:
    """Make a sender known; a second registration replaces the first."""
    _senders[sender.provider] = sender


def find(provider: str) -> Sender:
    """The sender of that name.

    Raises:
        LookupError: nobody registered it (its row waits until somebody does).
    """
    try:
        return _senders[provider]
    except KeyError:
        raise LookupError(f"no sender {provider}") from None
