"""The search of every text of every table for a person's strings, and whose record each stands in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, LargeBinary, Row, Table, Text, cast, func, or_, select

from server.accounts.models import user
from server.kit.db import Store
from server.kit.folding import fold, fold_email, mark_words
from server.kit.schema import ID, metadata
from server.kit.tx import Tx
from server.people.erasure import Known
from server.people.models import person

SHORTEST: Final = 5
"""What is shorter stands inside many a word and tells nothing."""
_MOST_ROWS: Final = 1_000
SHOPS_OWN: Final = frozenset(
    {
        "setting",
        "store_fact",
        "category",
        "product",
        "variant",
        "product_option",
        "sync_run",
        "topic",
        "job_queue",
    }
)
"""Tables that hold the shop's own words: a product may bear a customer's name."""
_OWNERS: Final = ("person_id", "user_id", "author_user_id")


@dataclass(slots=True)
class Places:
    """Where strings were found, and how often.

    Args:
        residue: what should not be there any more.
        expected: what stands in another living person's record, among the shop's own words, or in a backup.
        shared: the strings found in such places: they are not only this person's.
    """

    residue: dict[str, int] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set, repr=False)

    def add(self, place: str, many: int, *, expected: bool = False) -> None:
        """Note that something was found somewhere; nothing found is noted as such for what is searched as a whole."""
        into = self.expected if expected else self.residue
        if many:
            into[place] = into.get(place, 0) + many

    def with_more(self, other: Places) -> Places:
        """All of both."""
        both = Places(dict(self.residue), dict(self.expected), self.shared | other.shared)
        for place, many in other.residue.items():
            both.add(place, many)
        for place, many in other.expected.items():
            both.add(place, many, expected=True)
        return both


def words_of(known: Known) -> tuple[str, ...]:
    """The strings to look for: what is certainly somebody's in particular."""
    every = (*known.emails, *known.phones, *known.names, *known.streets, *known.others)
    return tuple(dict.fromkeys(word for word in every if len(word) >= SHORTEST))


def forms(word: str) -> set[str]:
    """How a string may be spelt in a text or file: as it is, folded, as the search's words, as JSON."""
    spelt = {word, fold(word), fold_email(word), json.dumps(word)[1:-1], mark_words(word).strip()}
    return {_lowered(form) for form in spelt}


def search(store: Store, words: Sequence[str], person_id: str) -> Places:
    """How often the words stand in each table's texts; one table after the other, so that no read takes long."""
    found = Places()
    if words:
        for table in metadata.sorted_tables:
            store.read(partial(_search_table, table=table, words=words, person_id=person_id, found=found))
    return found


def vacuum(store: Store, tables: frozenset[str]) -> None:
    """Let PostgreSQL let go of the old rows of these tables."""
    from server.kit.postgres import PostgresStore  # noqa: PLC0415 - the driver loads only where it is used

    assert isinstance(store, PostgresStore)  # noqa: S101 - there are two kinds
    with store.own_connection() as conn:
        for name in sorted(tables & set(metadata.tables)):
            conn.execute(f'VACUUM "{name}"'.encode())


def texts_of(table: Table) -> list[Column[Any]]:
    """The columns of a table that can hold somebody's words: all texts but ids, and contents of files."""
    return [
        column
        for column in table.columns
        if column.type is not ID and isinstance(_impl(column), Text | LargeBinary)
    ]


def _impl(column: Column[Any]) -> object:
    return getattr(column.type, "impl_instance", column.type)


def _search_table(tx: Tx, *, table: Table, words: Sequence[str], person_id: str, found: Places) -> None:
    columns = texts_of(table)
    if not columns:
        return
    spelt = sorted({form for word in words for form in forms(word)})
    anything = or_(*(_holds(tx, column, form) for column in columns for form in spelt))
    if not tx.execute(select(func.count()).select_from(table).where(anything)).scalar_one():
        return
    for word in words:
        for column in columns:
            _search_word(tx, column, word, person_id, found)


def _search_word(tx: Tx, column: Column[Any], word: str, person_id: str, found: Places) -> None:
    table = column.table
    assert isinstance(table, Table)  # noqa: S101 - it was taken from one
    held = or_(*(_holds(tx, column, form) for form in sorted(forms(word))))
    place = f"{table.name}.{column.name}"
    for row in tx.execute(select(table).where(held).limit(_MOST_ROWS)).all():
        others = (
            table.name in SHOPS_OWN
            or _is_anothers(tx, table, row, person_id)
            or _is_shared(tx, word, person_id)
        )
        found.add(place, 1, expected=others)
        if others:
            found.shared.add(word)


def _holds(tx: Tx, column: Column[Any], form: str) -> ColumnElement[bool]:
    position = func.instr if tx.dialect == "sqlite" else func.strpos
    if not isinstance(_impl(column), LargeBinary):
        return position(func.lower(column), form) > 0
    if tx.dialect == "sqlite":
        return position(func.lower(cast(column, Text)), form) > 0
    # bytes of any encoding, read as letters one by one; so is what is looked for
    letters = form.encode().decode("latin-1")
    return position(func.lower(func.convert_from(column, "LATIN1")), letters) > 0


def _is_anothers(tx: Tx, table: Table, row: Row[Any], person_id: str) -> bool:
    """Whether a row belongs to another living person, by itself or by the row that it is part of."""
    if table is person:
        return bool(row.id != person_id)
    told = row._mapping
    for name in _OWNERS:
        owner = told.get(name)
        if owner is None:
            continue
        if name != "person_id":
            owner = tx.execute(select(user.c.person_id).where(user.c.id == owner)).scalar()
        if owner is not None and owner != person_id:
            return True
    return any(
        _is_anothers(tx, parent, above, person_id)
        for parent, above in _parents(tx, table, row)
        if parent is not person
    )


def _parents(tx: Tx, table: Table, row: Row[Any]) -> Iterator[tuple[Table, Row[Any]]]:
    for key in table.foreign_keys:
        if key.ondelete != "CASCADE":
            continue
        parent = key.column.table
        assert isinstance(parent, Table)  # noqa: S101 - foreign keys lead to tables
        above = tx.execute(select(parent).where(key.column == row._mapping[key.parent.name])).first()
        if above is not None:
            yield parent, above


def _is_shared(tx: Tx, word: str, person_id: str) -> bool:
    """Whether the string is also what the vault holds of another living person."""
    same = or_(
        person.c.email_key == fold_email(word), person.c.name_key == fold(word), person.c.phone == word
    )
    return tx.execute(select(person.c.id).where(same, person.c.id != person_id).limit(1)).first() is not None


def _lowered(text: str) -> str:
    """Without the case of ASCII letters, as both databases lower at least."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
