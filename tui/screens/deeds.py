"""What was done in this session and can be undone: resolves and reopens, in the order they happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verb = Literal["resolve", "reopen"]

OPPOSITE: dict[Verb, Verb] = {"resolve": "reopen", "reopen": "resolve"}
PAST: dict[Verb, str] = {"resolve": "Resolved", "reopen": "Reopened"}

KEPT = 100
"""Deeds that are remembered."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One resolve or reopen that the server confirmed.

    Attributes:
        verb: what was done.
        ids: exactly the entries that it changed, as far as the server listed them.
        count: how many it changed.
        about: what it was done to, in a few words.
    """

    verb: Verb
    ids: tuple[str, ...]
    count: int
    about: str


class Deeds:
    """A stack for undo and one for redo. Something new empties the redo."""

    def __init__(self) -> None:
        self._done: list[Deed] = []
        self._undone: list[Deed] = []

    def did(self, deed: Deed) -> None:
        """Remember a deed; one that changed nothing is nothing to undo."""
        if deed.ids:
            self._done = [*self._done, deed][-KEPT:]
            self._undone.clear()

    @property
    def to_undo(self) -> Deed | None:
        """What ``z`` would take back."""
        return self._done[-1] if self._done else None

    @property
    def to_redo(self) -> Deed | None:
        """What ``Z`` would do again."""
        return self._undone[-1] if self._undone else None

    def undid(self, deed: Deed) -> None:
        """A deed was taken back; it may have been another than the last one by now."""
        if deed in self._done:
            self._done.remove(deed)
            self._undone.append(deed)

    def redid(self, deed: Deed) -> None:
        """A deed was done again."""
        if deed in self._undone:
            self._undone.remove(deed)
            self._done.append(deed)
