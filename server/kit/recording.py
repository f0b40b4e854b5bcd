"""Up to where rows that are counted as they are written may be read in order, so that no reader ever skips one.

On SQLite one transaction writes at a time, so numbers rise as rows become visible. On PostgreSQL a transaction may draw
its number and commit after a later one. Whoever writes into a table there holds a lock on it from before a number is
drawn until the end of the transaction. So when all who held one are gone, every number drawn before is committed or
given up. Others may hold one by then: theirs are later numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import bindparam, text

from server.kit.prepared import Prepared
from server.kit.tx import Tx

Writers = frozenset[str]
"""Transactions that write into a table, by PostgreSQL's names for them."""


class Reach:
    """How far a table with a counting column ``seq`` may be read.

    Args:
        table: its name, a constant of ours.
    """

    def __init__(self, table: str) -> None:
        self.table = table

    def drawn(self, tx: Tx) -> int:
        """The last number drawn so far, 0 for none."""
        rows = _DRAWN[tx.dialect](tx, self.table)
        return int(rows[0][0] or 0) if rows else 0

    def writers(self, tx: Tx) -> Writers:
        """Who writes into it now; on SQLite nobody whose number was drawn."""
        if tx.dialect == "sqlite":
            return frozenset()
        return frozenset(name for (name,) in _WRITERS.rows(tx, table_=self.table))


class Frontier:
    """The place up to which everything is visible, found a step at a time and without waiting.

    Each look either finds it or remembers for whom it waits; those who began to write later are not waited for.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._drawn = 0
        self._writers: Writers = frozenset()
        self.place = -1
        """Everything up to this number is visible to who looks from now on; -1 as long as that was not found."""

    @property
    def waits(self) -> bool:
        """Whether somebody still writes what may stand before what can be seen; look again soon."""
        return bool(self._writers)

    def look(self, tx: Tx) -> int:
        """Look again; the place.

        Args:
            tx: reading; on PostgreSQL each statement must see what is committed by then.
        """
        if self._writers:
            self._writers &= self._reach.writers(tx)
            if not self._writers:
                self.place = self._drawn
        if not self._writers:
            self._drawn = self._reach.drawn(tx)
            if self._drawn > self.place:
                self._writers = self._reach.writers(tx)
                if not self._writers:
                    self.place = self._drawn
        return self.place


def _rows(statement: Prepared) -> Callable[[Tx, str], list[tuple[int | None, ...]]]:
    return lambda tx, table: statement.rows(tx, table_=table)


_DRAWN: Final = {
    "sqlite": _rows(
        Prepared(text("SELECT seq FROM sqlite_sequence WHERE name = :table_").bindparams(bindparam("table_")))
    ),
    "postgresql": _rows(
        Prepared(
            text(
                "SELECT pg_sequence_last_value("
                "CAST(pg_get_serial_sequence(CAST(:table_ AS text), 'seq') AS regclass))"
            ).bindparams(bindparam("table_"))
        )
    ),
}
_WRITERS: Final = Prepared(
    text(
        "SELECT virtualtransaction FROM pg_locks"
        " WHERE locktype = 'relation' AND relation = CAST(CAST(:table_ AS text) AS regclass)"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()"
    ).bindparams(bindparam("table_"))
)
