"""Where a list of any length gets its rows from, and the plain list as the simplest such place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class RowSource(Protocol[T_co]):
    """Rows in their order, newest first, of which perhaps only a window is here.

    A source tells nobody of its changes: whoever changes it calls ``RecordList.rows_changed()``.
    """

    def __len__(self) -> int:
        """How many rows can be asked for now."""
        ...

    def row_at(self, index: int) -> T_co | None:
        """The row at an index from 0 to len - 1; ``None`` while it is not here yet."""
        ...

    def index_of(self, row_id: str) -> int | None:
        """Where the row stands now; ``None`` when it is not here."""
        ...

    def version(self, row_id: str) -> int:
        """A number that changes whenever the row's content does."""
        ...

    @property
    def has_older(self) -> bool:
        """Whether the server holds rows below the last one."""
        ...

    @property
    def has_newer(self) -> bool:
        """Whether the server holds rows above the first one that were dropped from here."""
        ...

    @property
    def pending(self) -> int:
        """How many rows arrived above and wait to be let in."""
        ...


class Extent(Protocol):
    """How many rows of the list lie above and below what is here; perhaps a guess."""

    @property
    def above(self) -> int: ...  # noqa: D102 - said above
    @property
    def below(self) -> int: ...  # noqa: D102 - said above


@runtime_checkable
class KnowsExtent(Protocol):
    """A source that can tell how long the whole list is."""

    @property
    def extent(self) -> Extent:
        """The length of the list around what is here."""
        ...


@runtime_checkable
class KnowsHeirs(Protocol):
    """A source that remembers whose place a row took when that one left."""

    def neighbour(self, row_id: str) -> str | None:
        """Who takes the cursor when this row leaves, or left; None when nobody is known."""
        ...


class ListRows(Generic[T]):
    """A whole list in memory as a row source. ``row_id`` names a row; rows that compare equal are unchanged."""

    def __init__(self, rows: Sequence[T] = (), *, row_id: Callable[[T], str]) -> None:
        self.has_older = False
        self.has_newer = False
        self.pending = 0
        self._row_id = row_id
        self._rows: list[T] = []
        self._index: dict[str, int] = {}
        self._versions: dict[str, int] = {}
        self.replace(rows)

    def replace(self, rows: Sequence[T]) -> None:
        """Take another list; rows of the same id that differ get a new version."""
        before = {row_id: self._rows[at] for row_id, at in self._index.items()}
        self._rows = list(rows)
        self._index = {self._row_id(row): at for at, row in enumerate(self._rows)}
        for row_id, at in self._index.items():
            if row_id in before and before[row_id] != self._rows[at]:
                self._versions[row_id] = self._versions.get(row_id, 0) + 1

    def __len__(self) -> int:
        return len(self._rows)

    def row_at(self, index: int) -> T | None:
        """The row at ``index``; raises IndexError outside the list."""
        return self._rows[index]

    def index_of(self, row_id: str) -> int | None:
        """Where the row stands; ``None`` for an unknown id."""
        return self._index.get(row_id)

    def version(self, row_id: str) -> int:
        """How often the row's content changed."""
        return self._versions.get(row_id, 0)
