"""Statements of hot paths, compiled once for each database and run without SQLAlchemy's work for each call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ClauseElement

from server.kit.tx import DialectName, Tx


class Prepared:
    """A Core statement whose values are all plain: texts, whole numbers, nothing.

    Types that convert (``schema.JSON``) are not applied, and ``in_`` with a list is not supported.
    """

    __slots__ = ("_compiled", "_statement")

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[DialectName, tuple[str, dict[str, Any], Sequence[str] | None]] = {}

    def rows(self, tx: Tx, /, **values: Any) -> list[tuple[Any, ...]]:
        """Run it with these values of its ``bindparam``s and fetch every row as the driver gives it."""
        sql, constants, order = self._compiled.get(tx.dialect) or self._compile(tx)
        if constants:
            values = {**constants, **values}
        # A parameter that is left out is an error here, never a silent NULL.
        parameters = values if order is None else tuple([values[name] for name in order])
        result = tx.driver_sql(sql, parameters)
        if not result.returns_rows:
            return []
        cursor = result.cursor
        found = cast("list[tuple[Any, ...]]", cursor.fetchall())
        result.close()
        return found

    def run(self, tx: Tx, /, **values: Any) -> int:
        """Run a statement without rows; how many rows it changed."""
        sql, constants, order = self._compiled.get(tx.dialect) or self._compile(tx)
        values = {**constants, **values}
        parameters = values if order is None else tuple([values[name] for name in order])
        return tx.driver_sql(sql, parameters).rowcount

    def sql(self, tx: Tx) -> str:
        """Its text for this database."""
        return (self._compiled.get(tx.dialect) or self._compile(tx))[0]

    def _compile(self, tx: Tx) -> tuple[str, dict[str, Any], Sequence[str] | None]:
        compiled: Any = self._statement.compile(dialect=tx.conn.dialect)
        names: Sequence[str] | None = compiled.positiontup
        required = {name for name, bind in compiled.binds.items() if bind.required}
        constants = {name: value for name, value in compiled.params.items() if name not in required}
        ready = (str(compiled), constants, tuple(names) if names is not None else None)
        self._compiled[tx.dialect] = ready
        return ready
