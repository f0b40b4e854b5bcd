"""The rows that a window holds: their order, their content, and who takes whose place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Generic, TypeVar

from tui.api.splice import heirs

T = TypeVar("T")
_HEIRS: Final = 5000


@dataclass(frozen=True, slots=True)
class Change:
    """What a call did to the rows that are held. True when it did anything.

    Attributes:
        arrived: rows that are held now and were not before.
        left: rows that are not held any more, each with the neighbour that takes its place.
        changed: rows whose content is another than before.
        moved: rows that stay stand in another order.
        pending: the number of rows that wait above is another.
    """

    arrived: tuple[str, ...] = ()
    left: tuple[tuple[str, str | None], ...] = ()
    changed: tuple[str, ...] = ()
    moved: bool = False
    pending: bool = False

    def __bool__(self) -> bool:
        return bool(self.arrived or self.left or self.changed or self.moved or self.pending)

    def __or__(self, later: Change) -> Change:
        """Both changes as one; a row that came and went again appears in both places."""
        return Change(
            self.arrived + later.arrived,
            self.left + later.left,
            tuple(dict.fromkeys(self.changed + later.changed)),
            self.moved or later.moved,
            self.pending or later.pending,
        )


class Held(Generic[T]):
    """Rows in order, each known by its id, with a version that tells apart what was drawn of it."""

    def __init__(self, identity: Callable[[T], str]) -> None:
        self.identity = identity
        self.ids: list[str] = []
        self.place: dict[str, int] = {}
        self.waiting: list[str] = []
        """Rows that stand above the first one and were not let in yet. A row that moved up is in both lists."""
        self._rows: dict[str, T] = {}
        self._versions: dict[str, int] = {}
        self._serial = count(1)
        self._heirs: dict[str, str | None] = {}

    def row(self, row_id: str) -> T:
        """The content of a row that is held. Raises KeyError."""
        return self._rows[row_id]

    def version(self, row_id: str) -> int:
        """A number that is another whenever the content is; 0 for a row that is not held."""
        return self._versions.get(row_id, 0)

    def arrange(
        self, ids: Sequence[str], waiting: Sequence[str], fresh: Mapping[str, T] | None = None
    ) -> Change:
        """Hold these rows from now on; ``fresh`` has the content of those that are new or may have changed."""
        changed = self._take(fresh or {}, {*ids, *waiting})
        pending = len(waiting) != len(self.waiting)
        before, self.waiting = self.ids, list(waiting)
        if list(ids) == before:
            self._forget()
            return Change(changed=tuple(row for row in changed if row in self.place), pending=pending)
        was, self.ids = self.place, list(ids)
        self.place = {row: at for at, row in enumerate(self.ids)}
        left = {row: heir for row, heir in heirs(before, self.ids).items() if row not in self.place}
        self._remember(left)
        self._forget()
        return Change(
            arrived=tuple(row for row in self.ids if row not in was),
            left=tuple(left.items()),
            changed=tuple(row for row in changed if row in was and row in self.place),
            moved=[row for row in before if row in self.place] != [row for row in self.ids if row in was],
            pending=pending,
        )

    def heir(self, row_id: str) -> str | None:
        """Who takes the cursor when a row leaves, or left: the row below, else the one above, else nobody."""
        at = self.place.get(row_id)
        if at is not None:
            beside = at + 1 if at + 1 < len(self.ids) else at - 1
            return self.ids[beside] if beside >= 0 else None
        seen: set[str] = set()
        heir: str | None = row_id
        while heir is not None and heir not in self.place and heir not in seen:
            seen.add(heir)
            heir = self._heirs.get(heir)
        return heir if heir in self.place else None

    def _take(self, fresh: Mapping[str, T], wanted: set[str]) -> list[str]:
        changed = []
        for row_id, row in fresh.items():
            if row_id in wanted and (row_id not in self._rows or self._rows[row_id] != row):
                self._rows[row_id] = row
                self._versions[row_id] = next(self._serial)
                changed.append(row_id)
        return changed

    def _remember(self, left: Mapping[str, str | None]) -> None:
        for row in left:
            self._heirs.pop(row, None)
        self._heirs.update(left)
        while len(self._heirs) > _HEIRS:
            del self._heirs[next(iter(self._heirs))]

    def _forget(self) -> None:
        if len(self._rows) > len(self.ids):
            wanted = {*self.ids, *self.waiting}
            self._rows = {row: content for row, content in self._rows.items() if row in wanted}
            self._versions = {row: version for row, version in self._versions.items() if row in wanted}
