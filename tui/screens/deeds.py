"""What was done in this session and can be undone, in the order it happened: resolves and reopens, changes of
tickets, and what was asked to leave the shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

Verb = Literal["resolve", "reopen"]
Scope = Literal["entry", "group", "order"]

OPPOSITE: dict[Verb, Verb] = {"resolve": "reopen", "reopen": "resolve"}
PAST: dict[Verb, str] = {"resolve": "Resolved", "reopen": "Reopened"}


def told(verb: Verb, count: int, about: str) -> str:
    """What was done, for people: ``Resolved 3: Submission failed``."""
    return f"{PAST[verb]} {count:,}" + (f": {about}" if about else "")


KEPT = 100
"""Deeds that are remembered."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to ask of the server.

    Attributes:
        verb: what to do.
        scope: to an entry, to its group as far as it was seen, or to all that is open on an order.
        target: the id of the entry (of a group: of the newest one seen) or of the order.
        ids: of a group: only these members, at most 500; None for all of them.
    """

    verb: Verb
    scope: Scope
    target: str
    ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """A wish that the server fulfilled, with the entries that it changed (at most 500 of them are listed)."""

    wish: Wish
    ids: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Deed:
    """What one press of a key did: one act or several, and what it was about in a few words."""

    verb: Verb
    acts: tuple[Act, ...]
    about: str

    @property
    def count(self) -> int:
        """How many entries were changed."""
        return sum(act.count for act in self.acts)

    @property
    def ids(self) -> frozenset[str]:
        """The entries that were changed, as far as they were listed."""
        return frozenset(entry_id for act in self.acts for entry_id in act.ids)


SendVerb = Literal["submit", "mail", "ask", "sync", "job"]


@dataclass(frozen=True, slots=True)
class Sending:
    """Something that was asked to leave the shop: its job can be taken back while it waits.

    Attributes:
        verb: what was asked for.
        job_id: the job that does it.
        about: an order's number; of a sync, the provider; of any job that is tried again, what it does.
        to: who gets it, for people: the provider, the customer's address.
        what: of a mail, its kind.
        order_id: the order that it is about, if any.
        tried: attempts that its job had behind it when it was asked for.
    """

    verb: SendVerb
    job_id: str
    about: str
    to: str = ""
    what: str = ""
    order_id: str | None = None
    tried: int = 0


Values = tuple[tuple[str, str | None], ...]
"""Fields of a ticket with what they hold."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A ticket that was changed: what its fields held before and after."""

    id: str
    before: Values
    after: Values


@dataclass(frozen=True, slots=True)
class TicketDeed:
    """The same change to a ticket or to several.

    Attributes:
        wanted: what was asked for.
        turned: the tickets that it changed.
        past: what was done, for people: ``resolved``, ``given to Sam``.
        about: to what: ``#12``, ``3 tickets``.
    """

    wanted: Values
    turned: tuple[Turned, ...]
    past: str
    about: str

    @property
    def count(self) -> int:
        """How many tickets were changed."""
        return len(self.turned)

    @property
    def ids(self) -> frozenset[str]:
        """The tickets that were changed."""
        return frozenset(each.id for each in self.turned)


D = TypeVar("D", Deed, TicketDeed)


class Deeds:
    """A stack for undo and one for redo. Something new empties the redo."""

    def __init__(self) -> None:
        self._done: list[Deed | Sending | TicketDeed] = []
        self._undone: list[Deed | TicketDeed] = []

    def did(self, deed: Deed | TicketDeed) -> None:
        """Remember a deed; one that changed nothing is nothing to undo."""
        if deed.count:
            self._done = [*self._done, deed][-KEPT:]
            self._undone.clear()

    def sent(self, sending: Sending) -> None:
        """Remember what was asked to leave."""
        self._done = [*self._done, sending][-KEPT:]
        self._undone.clear()

    def forget(self, sending: Sending) -> None:
        """What left, or was taken back, is nothing to take back any more; nor is it done again by a key."""
        if sending in self._done:
            self._done.remove(sending)

    @property
    def to_undo(self) -> Deed | Sending | TicketDeed | None:
        """What ``z`` would take back."""
        return self._done[-1] if self._done else None

    @property
    def to_redo(self) -> Deed | TicketDeed | None:
        """What ``Z`` would do again."""
        return self._undone[-1] if self._undone else None

    def undid(self, deed: Deed | TicketDeed) -> None:
        """A deed was taken back; it may have been another than the last one by now."""
        if deed in self._done:
            self._done.remove(deed)
            self._undone.append(deed)

    def redid(self, deed: D, again: D) -> None:
        """A deed was done again; ``again`` is what it changed this time."""
        if deed in self._undone:
            self._undone.remove(deed)
            self._done.append(again)
