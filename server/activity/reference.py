"""The catalogue as a page of the documentation (``docs/events.md``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from server.activity.catalog import TYPES
from server.activity.event_type import CATEGORIES, ORDER, EventType

_TITLES: Final = {
    "orders": "Orders",
    "emails": "Emails",
    "syncs": "Syncs",
    "carts": "Carts",
    "tickets": "Tickets",
    "system": "System",
}
_KINDS: Final = {
    "money": "money",
    "text": "text",
    "count": "number",
    "instant": "time",
}


def events_part() -> str:
    """The part of ``docs/events.md`` that follows from the catalogue."""
    lines: list[str] = []
    for category in CATEGORIES:
        kinds = [kind for kind in TYPES.values() if kind.category == category]
        if kinds:
            lines += [f"## {_TITLES[category]}", "", *_table(kinds), ""]
    return "\n" + "\n".join(lines).rstrip("\n") + "\n"


def _table(kinds: list[EventType]) -> Iterator[str]:
    yield "| type | level | sentence | facts | the same problem when these agree |"
    yield "|---|---|---|---|---|"
    for kind in kinds:
        level = f"{kind.level}, internal" if kind.internal else kind.level
        yield f"| `{kind.name}` | {level} | {kind.sentence.text} | {_facts(kind)} | {_same(kind)} |"


def _facts(kind: EventType) -> str:
    facts = [f"`{name}` {_KINDS[how]}" for name, how in kind.params.items()]
    facts += [f"`{name}` stranger's text" for name in kind.texts]
    return ", ".join(facts) or ""


def _same(kind: EventType) -> str:
    if kind.level == "info":
        return ""
    if kind.same is None:
        return "stands alone"
    if not kind.same:
        return "always"
    return ", ".join("the order" if name == ORDER else f"`{name}`" for name in kind.same)
