"""The feed's rows with some groups unfolded: the members stand below the row that speaks for them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from tui.api.window import Window

if TYPE_CHECKING:
    from server.contract.activity import Entry


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the feed: an entry, which may speak for its group, or a member of an unfolded group."""

    entry: Entry
    member: bool = False
    last: bool = False


def speaks_for_group(entry: Entry) -> bool:
    """Whether an entry is open and may be one of many: what the feed folds."""
    return entry.level != "info" and entry.resolved_at is None


def entry_id(entry: Entry) -> str:
    """What names an entry of the folded feed for as long as it lives: an open one goes by its group's key.

    So the cursor stays on a group when a newer member comes to speak for it.
    """
    return f"group:{entry.group.key}" if speaks_for_group(entry) else entry.id


def row_id(row: Row) -> str:
    """What names a line of the feed."""
    return f"member:{row.entry.id}" if row.member else entry_id(row.entry)


class Unfolding:
    """A row source over a window of the folded feed. Whoever changes either calls :meth:`lay`."""

    def __init__(self, window: Window[Entry]) -> None:
        self._window = window
        self._members: dict[str, list[Row]] = {}
        self._after: list[int] = []
        self._groups: list[str] = []
        self._starts: list[int] = [0]
        self._serial = 0

    @property
    def unfolded(self) -> Sequence[str]:
        """The ids of the groups that are unfolded."""
        return list(self._members)

    def unfold(self, group: str, entries: Sequence[Entry]) -> None:
        """Show these entries below their group's row."""
        last = len(entries) - 1
        self._members[group] = [Row(entry, member=True, last=at == last) for at, entry in enumerate(entries)]
        self._serial += 1
        self.lay()

    def fold(self, group: str) -> bool:
        """Fold a group again; whether it was unfolded."""
        found = self._members.pop(group, None) is not None
        self.lay()
        return found

    def lay(self) -> None:
        """Find out anew where the unfolded groups stand; those that left the window are folded."""
        places = {group: self._window.index_of(group) for group in self._members}
        self._members = {group: rows for group, rows in self._members.items() if places[group] is not None}
        order = sorted((at, group) for group, at in places.items() if at is not None)
        self._after = [at for at, _group in order]
        self._groups = [group for _at, group in order]
        self._starts = [0, *accumulate(len(self._members[group]) for group in self._groups)]

    # A row source.

    def __len__(self) -> int:
        return len(self._window) + self._starts[-1]

    def row_at(self, index: int) -> Row:
        """The line at an index. Raises IndexError outside."""
        for number, (after, group) in enumerate(zip(self._after, self._groups, strict=True)):
            begin = after + 1 + self._starts[number]
            if index < begin:
                return Row(self._window.row_at(index - self._starts[number]))
            if index < begin + len(self._members[group]):
                return self._members[group][index - begin]
        return Row(self._window.row_at(index - self._starts[-1]))

    def index_of(self, row_id: str) -> int | None:
        """Where a line stands; None when it is not here."""
        at = self._window.index_of(row_id)
        if at is not None:
            return at + self._starts[bisect_right(self._after, at - 1)]
        for number, (after, group) in enumerate(zip(self._after, self._groups, strict=True)):
            for offset, row in enumerate(self._members[group]):
                if row_id == f"member:{row.entry.id}":
                    return after + 1 + self._starts[number] + offset
        return None

    def version(self, row_id: str) -> int:
        """A number that is another whenever the line's content is."""
        return self._window.version(row_id) or self._serial

    @property
    def has_older(self) -> bool:
        """Whether the feed goes on below."""
        return self._window.has_older

    @property
    def has_newer(self) -> bool:
        """Whether the feed goes on above with rows that are not held."""
        return self._window.has_newer

    @property
    def pending(self) -> int:
        """How many rows wait above."""
        return self._window.pending
