"""In which order an erasure's rules are carried out.

A rule finds its rows by columns that another rule may empty: who wrote a text beside an entry is found by the entry,
whose mail it was by the order. So every rule stands before all that change what it reads. What a rule reads is taken
from its own condition, so that nobody has to keep a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Column, Table
from sqlalchemy.sql import visitors

from server.deletion import erasure as _rooms  # noqa: F401 - all rooms' rules are known from here on
from server.kit.schema import metadata
from server.people import erasure
from server.people.erasure import Rule, Subject

_ANYBODY: Final = Subject(
    "person",
    "user",
    "0000",
    0,
    erasure.Known(("e-mail",), ("phone",), ("name",), ("street",), ("other",), ("value",)),
)
"""Somebody with everything that rules ask about: so their conditions are whole."""


def in_order() -> tuple[Rule, ...]:
    """All rules, each before those that change what it reads; deletions of children before their parents.

    Raises:
        ValueError: two rules each read what the other changes.
    """
    return _sorted(tuple(erasure.rules()))


def written_columns(rule: Rule) -> frozenset[Column[object]]:
    """What carrying out a rule changes, through foreign keys too."""
    return _written(rule)


@lru_cache(maxsize=8)
def _sorted(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    depth = {table.name: place for place, table in enumerate(metadata.sorted_tables)}
    waiting = sorted(rules, key=lambda rule: -depth[rule.table.name])
    reads = {rule.key: _read(rule) for rule in waiting}
    writes = {rule.key: _written(rule) for rule in waiting}
    done: list[Rule] = []
    while waiting:
        free = [rule for rule in waiting if not _waits(rule, waiting, reads, writes)]
        if not free:
            raise ValueError("each reads what another changes: " + ", ".join(rule.key for rule in waiting))
        quick = next((rule for rule in free if not _is_referred_to(rule, waiting)), free[0])
        waiting.remove(quick)
        done.append(quick)
    return tuple(done)


def _waits(
    rule: Rule,
    waiting: Sequence[Rule],
    reads: Mapping[str, frozenset[Column[object]]],
    writes: Mapping[str, frozenset[Column[object]]],
) -> bool:
    """Whether another rule that is still to come reads what this one changes.

    Two rules of one table that each read what the other changes are about different rows of it.
    """
    for other in waiting:
        if other is rule or not reads[other.key] & writes[rule.key]:
            continue
        apart = other.table is rule.table and bool(reads[rule.key] & writes[other.key])
        if not apart:
            return True
    return False


def _is_referred_to(rule: Rule, waiting: Sequence[Rule]) -> bool:
    """Whether another rule that is still to come empties references to rows that this one deletes.

    Deleting them first would be right too, but each reference would be emptied one by one, and then once more.
    """
    return rule.fate == "delete" and any(
        other.fate == "anonymise" and key.parent in _written(other) and key.column.table is rule.table
        for other in waiting
        for key in other.table.foreign_keys
    )


def _read(rule: Rule) -> frozenset[Column[object]]:
    return frozenset(
        column
        for column in visitors.iterate(rule.whose(_ANYBODY))
        if isinstance(column, Column) and isinstance(column.table, Table)
    )


def _written(rule: Rule) -> frozenset[Column[object]]:
    if rule.fate == "keep":
        return frozenset()
    if rule.values is not None:
        return frozenset(rule.table.c[name] for name in rule.values(_ANYBODY))
    return frozenset(_gone_with(rule.table, set()))


def _gone_with(table: Table, seen: set[str]) -> set[Column[object]]:
    """The columns that deleting rows of a table changes, there and by foreign keys elsewhere."""
    if table.name in seen:
        return set()
    seen.add(table.name)
    found: set[Column[object]] = set(table.c)
    for other in metadata.tables.values():
        for key in other.foreign_keys:
            if key.column.table is not table:
                continue
            if key.ondelete == "CASCADE":
                found |= _gone_with(other, seen)
            elif key.ondelete == "SET NULL":
                found.add(key.parent)
    return found
