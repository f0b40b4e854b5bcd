"""Which activity to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.contract.activity import FeedTab, Level


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """Which activity to list.

    Attributes:
        tab: ``all`` or ``attention`` (open warnings and errors).
        category: only this one (``orders``, ``syncs``, ``emails``, ``carts``, ``tickets``, ``system``, ``custom``).
        level: only this one.
        type: only this event type.
        group: only the members of the group with this key.
        q: words to find.
        internal: the program's own events too; the attention tab has them always.
        folded: entries that say the same thing as one row with a count.
    """

    tab: FeedTab = "all"
    category: str | None = None
    level: Level | None = None
    q: str = ""
    internal: bool = False
    folded: bool = True
    type: str | None = None
    group: str | None = None

    def parameters(self) -> dict[str, str]:
        """The query parameters of ``GET /v1/activity``."""
        told = {"tab": self.tab, "internal": _flag(self.internal), "folded": _flag(self.folded)}
        chosen = {"category": self.category, "level": self.level, "q": self.q.strip()}
        chosen |= {"type": self.type, "group": self.group}
        return told | {name: value for name, value in chosen.items() if value}


def _flag(value: bool) -> str:
    return "true" if value else "false"
