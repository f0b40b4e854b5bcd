"""Where in a held stretch of a list the server's cursors can begin again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


class Marks:
    """Cursors kept with the rows at which their pages ended or began.

    A cursor is a place in the list, not a row. While the row that carries it stays where it is, the cursor leads
    to exactly what follows (or precedes) that row. When the row goes away, a neighbour takes the cursor on: one
    from which the cursor leads over rows that are held already, never past rows that are not.
    """

    def __init__(self) -> None:
        self._older: dict[str, str] = {}
        self._newer: dict[str, str] = {}

    def page(self, rows: Sequence[str], older: str | None, newer: str | None) -> None:
        """Keep the cursors of a page: ``older`` leads on below its last row, ``newer`` above its first one."""
        if rows and older is not None:
            self._older[rows[-1]] = older
        if rows and newer is not None:
            self._newer[rows[0]] = newer

    def take(self, other: Marks, rows: Collection[str]) -> None:
        """Take over what another one knows of these rows."""
        self._older.update((row, cursor) for row, cursor in other._older.items() if row in rows)
        self._newer.update((row, cursor) for row, cursor in other._newer.items() if row in rows)

    def release(self, leaving: Collection[str], order: Sequence[str]) -> None:
        """Rows go away from their place in ``order``: their cursors pass to neighbours that stay."""
        if not leaving:
            return
        _pass_on(self._newer, leaving, order)
        _pass_on(self._older, leaving, reversed(order))

    def keep(self, rows: Collection[str]) -> None:
        """Keep only what is known of these rows."""
        self._older = {row: cursor for row, cursor in self._older.items() if row in rows}
        self._newer = {row: cursor for row, cursor in self._newer.items() if row in rows}

    def older(self, row: str) -> str | None:
        """The cursor to what follows this row."""
        return self._older.get(row)

    def newer(self, row: str) -> str | None:
        """The cursor to what stands above this row."""
        return self._newer.get(row)

    def can_go_older(self, rows: Iterable[str]) -> str | None:
        """The first of these rows from which a cursor leads on below."""
        return next((row for row in rows if row in self._older), None)

    def can_go_newer(self, rows: Iterable[str]) -> str | None:
        """The first of these rows from which a cursor leads on above."""
        return next((row for row in rows if row in self._newer), None)


def _pass_on(cursors: dict[str, str], leaving: Collection[str], order: Iterable[str]) -> None:
    heir: str | None = None
    for row in order:
        if row not in leaving:
            heir = row
        elif (cursor := cursors.pop(row, None)) is not None and heir is not None:
            cursors.setdefault(heir, cursor)
