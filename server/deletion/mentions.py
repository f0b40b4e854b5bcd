"""What others wrote, in which a person may be named: found, and rewritten with the mark in the person's place.

E-mails and phones are looked for wherever the registry says, since they are one person's; names and streets only in
rows that speak of the person, since others may share them. Letters' case does not matter, nor do a phone's blanks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, false, or_, select, true, update

from server.deletion import steps
from server.kit.tx import Tx
from server.people import erasure
from server.people.erasure import Mentions, Subject

_SHORTEST: Final = 3
"""What is shorter says nothing about who is meant, and stands inside many words."""
_PHONE_DIGITS: Final = 6
_OF_A_PERSON: Final = frozenset(
    {"city", "postal_code", "zip", "state", "region", "state_name", "name", "first_name", "last_name"}
)
"""What payment and print providers call the parts of an address: elsewhere the same word is a fact (``paid``)."""
_BETWEEN: Final = r"[\s().\-/\u00a0]*"
_ASCII_RUN: Final = re.compile(r"""[!#-\[\]-~]{3,}""")  # what JSON writes as it is
_DIGITS: Final = re.compile(r"[0-9]+")


class Names:
    """How a person may be named in a text.

    Args:
        subject: the person.
        linked: whether the texts are known to speak of the person.
        records: whether they are JSON of which whole values are the person's.
    """

    def __init__(self, subject: Subject, *, linked: bool, records: bool = False) -> None:
        known = subject.known
        self._values = frozenset(map(str.casefold, known.values if linked and records else ()))
        words = [*known.emails, *((*known.names, *known.streets) if linked else ())]
        self._words = [word for word in words if len(word) >= _SHORTEST]
        self._phones = [phone for phone in known.phones if len(_digits(phone)) >= _PHONE_DIGITS]
        self._shown = subject.shown
        parts = [_spelt(word) for word in sorted(self._words, key=len, reverse=True)]
        parts += [_dialled(phone) for phone in self._phones]
        self._pattern = re.compile("|".join(parts), re.IGNORECASE) if parts else None

    def may_stand_in(self, columns: Sequence[ColumnElement[str]]) -> ColumnElement[bool]:
        """A condition that every text with one of the names meets; others may meet it too."""
        anchors = {_anchor(word) for word in (*self._words, *self._values)}
        anchors |= {_tail(phone) for phone in self._phones}
        if not anchors:
            return false()
        if "" in anchors:
            return true()
        return or_(
            *(column.icontains(each, autoescape=True) for column in columns for each in sorted(anchors))
        )

    def replaced(self, text: str) -> str:
        """The text with the mark in place of each name."""
        text = text if self._pattern is None else self._pattern.sub(lambda _: self._shown, text)
        return self._emptied(text) if self._values else text

    def _emptied(self, text: str) -> str:
        """The record with the mark for each of the person's values, where a record says whom it is about."""
        changed = False

        def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            nonlocal changed
            found = dict(pairs)
            for key in found.keys() & _OF_A_PERSON:
                if isinstance(found[key], str) and found[key].strip().casefold() in self._values:
                    found[key], changed = self._shown, True
            return found

        try:
            record = json.loads(text, object_pairs_hook=read)
        except (ValueError, RecursionError):
            return text
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")) if changed else text


def noun(entry: Mentions) -> str:
    """What the texts of an entry are called in a plan."""
    return f"mentions in {entry.table.name.replace('_', ' ')}"


def found(tx: Tx, entry: Mentions, subject: Subject) -> Iterator[dict[str, Any]]:
    """The rows of an entry that name the person, with the texts that are to stand there: keys and new values.

    Rows whose text goes as a whole are left out: a rule sees to them.
    """
    names = Names(subject, linked=entry.linked is not None, records=entry.records)
    keys = list(entry.table.primary_key)
    columns = [entry.table.c[name] for name in entry.columns]
    free = {column.name: _left_alone(column, subject) for column in columns}
    condition = names.may_stand_in(columns)
    if entry.linked is not None:
        condition = and_(entry.linked(subject), condition)
    rows = tx.execute(
        select(
            *keys, *columns, *(free[column.name].label(f"free_{column.name}") for column in columns)
        ).where(condition)
    )
    for row in rows.mappings():
        changed = {
            column.name: fresh
            for column in columns
            if row[column.name] is not None
            and row[f"free_{column.name}"]
            and (fresh := names.replaced(row[column.name])) != row[column.name]
        }
        if changed:
            yield {"keys": {f"key_{key.name}": row[key.name] for key in keys}, "values": changed}


def count(tx: Tx, entry: Mentions, subject: Subject) -> int:
    """In how many rows of an entry the person is named."""
    return sum(1 for _ in found(tx, entry, subject))


def replace(tx: Tx, entry: Mentions, subject: Subject) -> int:
    """Put the mark in the person's place; in how many rows."""
    rows = list(found(tx, entry, subject))
    mine = and_(*(key == bindparam(f"key_{key.name}") for key in entry.table.primary_key))
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        new = {f"new_{name}": text for name, text in row["values"].items()}
        by_columns.setdefault(tuple(row["values"]), []).append(row["keys"] | new)
    for names, values in by_columns.items():
        changed = update(entry.table).where(mine).values({name: bindparam(f"new_{name}") for name in names})
        tx.execute(changed, values)
    return len(rows)


def _left_alone(column: Any, subject: Subject) -> ColumnElement[int]:
    """1 for rows in which no rule deletes or overwrites this text."""
    rules = [
        rule.whose(subject)
        for rule in erasure.rules()
        if rule.table is column.table and column in steps.written_columns(rule)
    ]
    return case((or_(false(), *rules), 0), else_=1)


def _spelt(word: str) -> str:
    """A word as such and as JSON writes it, not inside another word."""
    forms = dict.fromkeys((word, json.dumps(word)[1:-1]))
    return "|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for form in forms)


def _dialled(phone: str) -> str:
    """A phone with any blanks between its digits."""
    return r"(?<![0-9])\+?" + _BETWEEN.join(_digits(phone)) + "(?![0-9])"


def _digits(phone: str) -> str:
    return "".join(_DIGITS.findall(phone))


def _anchor(word: str) -> str:
    """The longest part of a word that both databases compare without regard to case; empty if there is none."""
    runs: list[str] = _ASCII_RUN.findall(word)
    return max(runs, key=len, default="")


def _tail(phone: str) -> str:
    runs: list[str] = _DIGITS.findall(phone)
    return runs[-1][-4:] if runs else ""
