"""Statements of hot paths, compiled once for each database and run without SQLAlchemy's work for each call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import BindParameter, ClauseElement, ColumnElement, SelectBase, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import Boolean

from server.kit.tx import DialectName, Tx


class AnyOf(ColumnElement[bool]):
    """``column IN (list)`` with the whole list in one parameter, so that the statement's text stays the same."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.names: BindParameter[Any] = bindparam(name)

    def self_group(self, against: OperatorType | None = None) -> AnyOf:  # noqa: ARG002
        """Itself: without this SQLite gets ``… = 1``, which no index serves."""
        return self


@compiles(AnyOf, "sqlite")
def _any_of_sqlite(element: AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, names = compiler.process(element.column, **kw), compiler.process(element.names, **kw)
    return f"{column} IN (SELECT value FROM json_each({names}))"  # noqa: S608 - both are the compiler's


@compiles(AnyOf, "postgresql")
def _any_of_postgresql(element: AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} = ANY({compiler.process(element.names, **kw)})"


def _driver(tx: Tx) -> Any:
    """The driver's own connection: reading through it takes a third of the time."""
    return tx.conn.connection.dbapi_connection


class Prepared:
    """A Core statement whose values are all plain: texts, whole numbers, nothing.

    Types that convert (``schema.JSON``) are not applied; a list goes in through `AnyOf`, not through ``in_``.
    """

    __slots__ = ("_compiled", "_reads", "_statement")

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._reads = isinstance(statement, SelectBase)
        self._compiled: dict[DialectName, tuple[str, dict[str, Any], Sequence[str] | None]] = {}

    def rows(self, tx: Tx, /, **values: Any) -> list[tuple[Any, ...]]:
        """Run it with these values of its ``bindparam``s and fetch every row as the driver gives it."""
        sql, parameters = self.ready(tx, values)
        if self._reads and tx.dialect == "sqlite":
            with suppress(Exception):  # told again, as SQLAlchemy has it, by the slower way below
                return cast("list[tuple[Any, ...]]", _driver(tx).execute(sql, parameters).fetchall())
        result = tx.driver_sql(sql, parameters)
        if not result.returns_rows:
            return []
        cursor = result.cursor
        found = cast("list[tuple[Any, ...]]", cursor.fetchall())
        result.close()
        return found

    def run(self, tx: Tx, /, **values: Any) -> int:
        """Run a statement without rows; how many rows it changed."""
        return tx.driver_sql(*self.ready(tx, values)).rowcount

    def ready(self, tx: Tx, values: dict[str, Any]) -> tuple[str, dict[str, Any] | tuple[Any, ...]]:
        """Its text for this database, and its parameters as the driver takes them."""
        sql, constants, order = self._compiled.get(tx.dialect) or self._compile(tx)
        if constants:
            values = {**constants, **values}
        if order is None:
            return sql, values
        # A parameter that is left out is an error here, never a silent NULL.
        found = [values[name] for name in order]
        return sql, tuple([json.dumps(value) if type(value) is list else value for value in found])

    def _compile(self, tx: Tx) -> tuple[str, dict[str, Any], Sequence[str] | None]:
        compiled: Any = self._statement.compile(dialect=tx.conn.dialect)
        names: Sequence[str] | None = compiled.positiontup
        required = {name for name, bind in compiled.binds.items() if bind.required}
        constants = {name: value for name, value in compiled.params.items() if name not in required}
        ready = (str(compiled), constants, tuple(names) if names is not None else None)
        self._compiled[tx.dialect] = ready
        return ready
