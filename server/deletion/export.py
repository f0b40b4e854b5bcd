"""All that the store holds about a person, by table: found by the same rules that would erase it.

Nothing is stored: it is read when it is asked for, table by table, so that a person with a hundred thousand orders
takes no more memory than their ids. What opens a door (secrets, and hashes of them) is left out, as `WITHHELD` says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, LargeBinary, Table, func, or_, select, tuple_

from server.contract.deletion import Export
from server.deletion import planning
from server.kit.clock import instant, rfc3339
from server.kit.db import Store
from server.kit.schema import INT
from server.kit.tx import Tx
from server.people import erasure
from server.people.erasure import Subject

WITHHELD: Final[dict[tuple[str, str], str]] = {
    ("token", "secret_hash"): "what a token is recognised by",
    ("invitation", "code_hash"): "what an invitation is recognised by",
    ("lookup_link", "token_hash"): "what a link is recognised by",
    ("lookup_session", "secret_hash"): "what a session is recognised by",
    ("cart", "session_hash"): "what a session at the shop's front is recognised by",
    ("idempotency", "key"): "what a repeated request is recognised by",
    ("idempotency", "request_hash"): "what a repeated request is recognised by",
    ("person", "email_key"): "the e-mail once more, as it is compared",
    ("person", "name_key"): "the name once more, as it is compared",
    ("activity", "identity"): "a hash by which an event that is told twice is known",
    ("activity", "group_key"): "a hash by which entries about one problem are known",
    ("activity", "words"): "the entry once more, as it is searched",
    ("activity_text", "words"): "the text once more, as it is searched",
    ("submission", "fingerprint"): "a hash of what was sent",
    ("cart_line", "specs_hash"): "a hash of the line's own choices",
}
"""Columns that are not exported, and why."""
_AT_ONCE: Final = 500
_TIMES: Final = ("_at", "_until", "_since")


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that are about the person."""

    table: Table
    whose: ColumnElement[bool]

    @property
    def key(self) -> list[Any]:
        """The columns of the table's primary key."""
        return list(self.table.primary_key)


def parts(about: Subject) -> list[Part]:
    """Every table that may hold something about a person: where a rule finds rows, and where others' texts speak of
    the person by a reference. Sorted by name."""
    found: dict[Table, list[ColumnElement[bool]]] = {}
    for rule in erasure.rules():
        found.setdefault(rule.table, []).append(rule.whose(about))
    for entry in erasure.mentions():
        if entry.linked is not None:
            found.setdefault(entry.table, []).append(entry.linked(about))
    tables = sorted(found, key=lambda table: table.name)
    return [Part(table, or_(*found[table])) for table in tables]


def count(tx: Tx, about: Subject) -> int:
    """How many rows an export would hold."""
    statements = (select(func.count()).select_from(part.table).where(part.whose) for part in parts(about))
    return sum(int(tx.execute(statement).scalar_one()) for statement in statements)


def export(tx: Tx, person_id: str) -> Export:
    """All that the store holds about a person, at once.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    about = planning.subject(tx, person_id)
    tables: dict[str, list[dict[str, Any]]] = {}
    for part in parts(about):
        keys = _keys(tx, part)
        if keys:
            tables[part.table.name] = [row for some in _some(keys) for row in _rows(tx, part, some)]
    return Export(person_id=person_id, made_at=instant(tx.now), tables=tables)


def stream(store: Store, about: Subject) -> Iterator[bytes]:
    """The JSON of an `Export`, piece by piece. Each piece is read for itself, so nobody waits for the whole."""
    head = json.dumps({"person_id": about.person_id, "made_at": rfc3339(about.now)})
    yield f'{head[:-1]}, "tables": {{'.encode()
    comma = ""
    for part in parts(about):
        keys = store.read(partial(_keys, part=part))
        if not keys:
            continue
        yield f"{comma}\n{json.dumps(part.table.name)}: [".encode()
        comma = ","
        between = b"\n"
        for some in _some(keys):
            rows = store.read(partial(_rows, part=part, keys=some))
            for row in rows:
                yield between + json.dumps(row, ensure_ascii=False).encode()
                between = b",\n"
        yield b"]"
    yield b"}}\n"


def is_time(column: Any) -> bool:
    """Whether a column holds a moment."""
    return column.type is INT and column.name.endswith(_TIMES)


def _keys(tx: Tx, part: Part) -> list[tuple[Any, ...]]:
    found = tx.execute(select(*part.key).where(part.whose).order_by(*part.key))
    return [tuple(row) for row in found]


def _some(keys: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _rows(tx: Tx, part: Part, keys: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    shown = [column for column in part.table.columns if (part.table.name, column.name) not in WITHHELD]
    alone = len(part.key) == 1
    mine = part.key[0].in_([key[0] for key in keys]) if alone else tuple_(*part.key).in_(keys)
    statement = select(*shown).where(mine).order_by(*part.key)
    return [
        {column.name: _value(column, row[n]) for n, column in enumerate(shown)}
        for row in tx.execute(statement)
    ]


def _value(column: Any, value: Any) -> Any:
    if value is None:
        return None
    if is_time(column):
        return rfc3339(value)
    if isinstance(column.type, LargeBinary):
        return base64.b64encode(value).decode("ascii")
    return value
