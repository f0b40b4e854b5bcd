"""What a kind of event is made of: its words, its level, and what makes two of them the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from server.activity.template import Kind, Template

Level = Literal["info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("info", "warning", "error")
CATEGORIES: Final = ("orders", "syncs", "emails", "carts", "tickets", "system", "custom")
CUSTOM: Final = "custom."
"""How the types of a shop's own programs begin."""
ORDER: Final = "order"
"""In ``same``: only entries of one order are the same."""


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


def of(
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
    """A kind of event; see ``EventType``."""
    return EventType(
        name, label, level, category, Template(sentence), params or {}, texts, same, internal=internal
    )
