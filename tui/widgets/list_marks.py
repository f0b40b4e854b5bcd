"""Which rows of a list are marked: some, or all but some."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Marks:
    """Marked rows by id. With ``everything`` on, ``ids`` are the exceptions: rows that were unmarked again.

    ``serial`` changes whenever a mark does.
    """

    everything: bool = False
    ids: set[str] = field(default_factory=set)
    last: str | None = None
    serial: int = 0

    def __contains__(self, row_id: str) -> bool:
        return self.everything != (row_id in self.ids)

    def __bool__(self) -> bool:
        return self.everything or bool(self.ids)

    def toggle(self, row_id: str) -> None:
        """Mark a row or take its mark away; a range begins here."""
        self.ids ^= {row_id}
        self.last = row_id
        self.serial += 1

    def add(self, row_ids: set[str]) -> None:
        """Mark these rows too."""
        self.ids = self.ids - row_ids if self.everything else self.ids | row_ids
        self.serial += 1

    def mark_everything(self) -> None:
        """Mark all rows of the list, also those that are not here."""
        self.everything, self.ids, self.last = True, set(), None
        self.serial += 1

    def clear(self) -> None:
        """Take all marks away."""
        self.everything, self.ids, self.last = False, set(), None
        self.serial += 1
