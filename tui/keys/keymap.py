"""The keys in force: the table's, with the user's changes on top, and no key that means two things at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tui.keys.command import Command, Scope
from tui.keys.everywhere import EVERYWHERE
from tui.keys.names import KeymapError, canonical, show_key
from tui.keys.sections import SECTIONS

if TYPE_CHECKING:
    from textual.binding import Binding

COMMANDS: tuple[Command, ...] = (*EVERYWHERE, *SECTIONS)
"""All commands, in the order in which help lists them."""

BY_ID: Mapping[str, Command] = {command.id: command for command in COMMANDS}

TOGETHER: tuple[frozenset[Scope], ...] = (
    frozenset({"everywhere", "list", "orders"}),
    frozenset({"everywhere", "story", "orders"}),
    frozenset({"everywhere", "story", "panel", "orders"}),
    frozenset({"everywhere", "list", "activity"}),
    frozenset({"everywhere", "story", "activity"}),
    frozenset({"everywhere", "story", "panel", "activity"}),
    frozenset({"everywhere", "list", "people"}),
    frozenset({"everywhere", "story", "people"}),
    frozenset({"everywhere", "story", "panel", "people"}),
    frozenset({"story", "deletion"}),
    frozenset({"everywhere", "list", "tickets"}),
    frozenset({"everywhere", "story", "tickets"}),
    frozenset({"everywhere", "story", "panel", "tickets"}),
    frozenset({"everywhere", "list", "jobs"}),
    frozenset({"everywhere", "story", "jobs"}),
    frozenset({"everywhere", "list", "settings"}),
    frozenset({"everywhere", "story", "settings"}),
    frozenset({"everywhere", "list", "audit"}),
    frozenset({"everywhere", "story", "audit"}),
    frozenset({"editing"}),
    frozenset({"composing"}),
)
"""Scopes that are live at the same time: a list or a story, in a section, in the frame."""

NEVER_ALONE = frozenset(
    [f"ctrl+{key}" for key in ("a", "b", "s", "q", "\\", "backslash", "z", "h", "i", "j", "m")]
    + [f"f{number}" for number in range(1, 25)]
    + list("@[]{}\\|~")
)
"""Keys that tmux, terminals or their drivers keep for themselves, or that keyboards hide behind AltGr."""


class Keymap:
    """The keys in force: the table's, with the user's changes on top."""

    def __init__(self, changed: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.changed: Mapping[str, tuple[str, ...]] = dict(changed or {})

    def keys(self, command: Command) -> tuple[str, ...]:
        """The live keys of a command."""
        return self.changed.get(command.id, command.keys)

    def shown(self, command_id: str, *, every: bool = False, ascii_only: bool = False) -> str:
        """The live keys as a person reads them: the first one, or with ``every`` all of them."""
        keys = self.keys(BY_ID[command_id])
        return " ".join(show_key(key, ascii_only=ascii_only) for key in (keys if every else keys[:1]))

    def for_textual(self) -> dict[str, str]:
        """The changes as ``App.set_keymap`` takes them."""
        return {
            command_id: ",".join("comma" if key == "," else key for key in keys)
            for command_id, keys in self.changed.items()
        }


def keymap(changes: Mapping[str, str]) -> Keymap:
    """Lay the user's ``[keys]`` (command id → keys separated by commas) over the table.

    Raises:
        KeymapError: an unknown id, an unreadable key, or one key for two commands that are live together.
    """
    changed: dict[str, tuple[str, ...]] = {}
    for command_id, text in changes.items():
        if command_id not in BY_ID:
            near = difflib.get_close_matches(command_id, BY_ID, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " The ids stand in the client's help (?)."
            raise KeymapError(f"there is no command {command_id!r}.{hint}")
        keys = tuple(canonical(command_id, part) for part in text.split(",") if part.strip())
        if not keys:
            raise KeymapError(f"{command_id!r} is left without a key.")
        changed[command_id] = keys
    result = Keymap(changed)
    clash = next(iter(clashes(result)), None)
    if clash is not None:
        key, one, other = clash
        raise KeymapError(
            f"{show_key(key)!r} would mean both {one.id!r} and {other.id!r}. Give one of them another key."
        )
    return result


def clashes(live: Keymap) -> Iterable[tuple[str, Command, Command]]:
    """Each key that means two things at the same time: (key, one command, the other)."""
    for scopes in TOGETHER:
        taken: dict[str, Command] = {}
        for command in COMMANDS:
            if not scopes.intersection(command.scopes):
                continue
            for key in live.keys(command):
                other = taken.setdefault(key, command)
                if other is not command:
                    yield key, other, command


def bindings(*scopes: Scope) -> list[Binding]:
    """The table's commands of these scopes as Textual bindings (ids kept, so that a keymap can move them)."""
    from textual.binding import Binding  # noqa: PLC0415 - the command line reads this table without the UI

    return [
        Binding(",".join(command.keys), command.action, command.label, show=False, id=command.id)
        for command in COMMANDS
        if command.keys and set(scopes).intersection(command.scopes)
    ]
