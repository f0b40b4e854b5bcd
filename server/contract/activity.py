"""Activity as clients see it: one table, two views (an order's timeline and the shop's feed)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from server.contract.base import ActionState, Answer, Instant, Request
from server.contract.orders import Line, Text

Level = Literal["info", "warning", "error"]
Category = Literal["orders", "syncs", "emails", "carts", "tickets", "system", "custom"]
ActorKind = Literal["customer", "staff", "system", "provider", "job"]
FeedTab = Literal["all", "attention"]
Ids = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=500)]


class OrderRef(Answer):
    """The order an entry belongs to, while that order exists."""

    id: str
    number: str


class Actor(Answer):
    """Who did it. ``name`` is filled for staff (their e-mail or name) and providers."""

    kind: ActorKind
    name: str | None = None


class Group(Answer):
    """The open entries that say the same thing. An entry that stands alone has a count of 1.

    ``orders`` counts the orders they belong to. ``seen`` is the member recorded last: what to send as ``seen`` when
    resolving the group, so that what arrives meanwhile stays open.
    """

    key: str
    count: int
    first_at: Instant
    last_at: Instant
    orders: int = 0
    seen: str | None = None


class Entry(Answer):
    """One thing that happened. The sentence is rendered when it is read, from the people as they are now."""

    id: str
    type: str
    label: str
    level: Level
    category: str
    internal: bool = False
    message: str
    order: OrderRef | None = None
    actor: Actor
    occurred_at: Instant
    inserted_at: Instant
    resolved_at: Instant | None = None
    resolved_by: str | None = None
    group: Group
    facts: dict[str, Any]
    actions: list[ActionState]


class Recorded(Answer):
    """Entries in the order in which they were recorded, oldest first.

    ``next`` leads to what was recorded after them, ``None`` when that is all for now. ``resume`` is the cursor to ask
    with once the pulse's counter ``activity`` moved: it may give some of these again, and leaves out none. Of several
    pages the first one whose ``resume`` is not its ``next`` says it.
    """

    items: list[Entry]
    next: str | None = None
    resume: str


class NewEvent(Request):
    """An event of a shop's own program. Its sentence is a stranger's text: cleaned, capped, erasable."""

    type: Annotated[str, Field(pattern=r"^custom\.[a-z0-9_]+(\.[a-z0-9_]+)*$", max_length=100)]
    level: Level = "info"
    message: Text
    category: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] | None = None
    order: Line | None = Field(default=None, description="id or number of an order")
    occurred_at: str | None = Field(default=None, description="RFC 3339 with a zone; now when left out")
    dedupe_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Resolve(Request):
    """What to resolve: the entry; with ``group`` all open entries like it, up to the newest one ``seen``; with
    ``ids`` exactly those, and with both only those of them that are of the group and were ``seen``."""

    group: bool = False
    seen: str | None = Field(default=None, max_length=64)
    ids: Ids | None = None


class Reopen(Request):
    """What to open again: the entry; with ``ids`` exactly those (of a `Resolved`); with ``group`` all that was
    resolved together with it, up to the newest one ``seen``."""

    group: bool = False
    seen: str | None = Field(default=None, max_length=64)
    ids: Ids | None = None


class Resolved(Answer):
    """What a resolve or reopen changed. ``ids`` lists at most 500 of ``count`` entries."""

    count: int
    ids: list[str]
    entry: Entry | None = None
