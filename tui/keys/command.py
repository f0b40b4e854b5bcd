"""What a command is: one thing that a person can do by a key, the palette or the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Scope = Literal[
    "everywhere",
    "list",
    "story",
    "orders",
    "activity",
    "people",
    "tickets",
    "jobs",
    "settings",
    "audit",
    "editing",
    "composing",
    "panel",
    "deletion",
]
Focus = Literal[
    "orders",
    "order",
    "activity",
    "entry",
    "people",
    "person",
    "tickets",
    "ticket",
    "jobs",
    "job",
    "settings",
    "setting",
    "audit",
    "act",
    "editing",
    "choosing",
    "composing",
    "panel",
    "explained",
    "deletion",
    "confirming",
    "receipt",
]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do.

    Attributes:
        id: the stable name, used in the config file and on the command line.
        keys: the default keys; single characters stand for themselves, others are Textual's names.
        action: the action that it runs, looked for from the focused widget upwards.
        label: one or two words for the footer.
        help: one sentence for help and palette.
        group: the heading under which help lists it.
        scopes: where it holds.
        outside: it reaches the outside world (shown with ↗).
        listed: it stands in the palette; plain cursor movement does not.
        needs: the permission without which it is neither shown nor run.
    """

    id: str
    keys: tuple[str, ...]
    action: str
    label: str
    help: str
    group: str
    scopes: tuple[Scope, ...]
    outside: bool = False
    listed: bool = True
    needs: str | None = None


Row = tuple[str, str, str, str, str]


def group(
    heading: str,
    scopes: tuple[Scope, ...],
    *rows: Row,
    listed: bool = True,
    needs: str | None = None,
    outside: bool = False,
) -> Iterable[Command]:
    """Rows of (id, keys apart by blanks, action, label, help) under one heading."""
    for command_id, keys, action, label, sentence in rows:
        yield Command(
            command_id,
            tuple(keys.split()),
            action,
            label,
            sentence,
            heading,
            scopes,
            outside=outside,
            listed=listed,
            needs=needs,
        )
