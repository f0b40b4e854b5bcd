"""The erasure registry: what happens to each table that can point at a person, and why.

Every room declares its rules in its ``erasure.py``; the plan, the deletion, the receipt and the export all read them
from here, so that what is shown, what is done and what is proven cannot differ. A test looks through every table of the
store: a column that refers to a person or a user and stands in no rule fails it.

How the rules are carried out (counts, one transaction, order, texts) is ``server.deletion``'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Table

from server.contract.deletion import Fate

GONE: Final = "⟨erased⟩"
"""What stands where a text of the person stood that cannot be empty."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an erasure is about.

    Attributes:
        person_id: the person in the vault.
        user_id: the person's account, where there is one.
        mark: the four signs that take the person's place.
        now: the moment of the erasure, milliseconds.
    """

    person_id: str
    user_id: str | None
    mark: str
    now: int


Whose = Callable[[Subject], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the rows of one table that ``whose`` finds.

    Attributes:
        table: the table.
        noun: what people call these rows, in the plural (``ticket comments``).
        fate: ``delete``, ``anonymise`` (the row stays, ``values`` are written into it) or ``keep`` (nothing changes).
        why: one sentence for the plan.
        whose: the rows concerned. It may look at other tables as they stood before anything was changed.
        covers: the names of the columns that refer to a person or a user and are dealt with by this rule.
        values: what anonymising writes: nothing of the person may be left in the row.
    """

    table: Table
    noun: str
    fate: Fate
    why: str
    whose: Whose
    covers: tuple[str, ...]
    values: Callable[[Subject], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Mentions:
    """Texts that others wrote, in which a person may be named: the person's e-mail, phone, full name and street are
    replaced by the mark.

    Attributes:
        table: the table.
        columns: its columns of free text.
        linked: the rows that speak of the person; in these the name is replaced too, not only what is unique.
            None: no row does so by a reference, and only what is unique (e-mail, phone) is looked for, in every row.
    """

    table: Table
    columns: tuple[str, ...]
    linked: Whose | None = None


@dataclass(slots=True)
class _Registry:
    rules: list[Rule] = field(default_factory=list)
    mentions: list[Mentions] = field(default_factory=list)
    exempt: dict[tuple[str, str], str] = field(default_factory=dict)


_known = _Registry()


def register(*entries: Rule | Mentions) -> None:
    """Declare what happens to a room's tables."""
    for entry in entries:
        if isinstance(entry, Rule):
            if (entry.fate == "anonymise") != (entry.values is not None):
                raise ValueError(f"{entry.table.name}: values belong to anonymising, and only to it")
            _known.rules.append(entry)
        else:
            _known.mentions.append(entry)


def exempt(table: Table, column: str, why: str) -> None:
    """Declare that a column of ids needs no rule (an id that tells nothing once the person is gone), and why."""
    _known.exempt[(table.name, column)] = why


def rules() -> Sequence[Rule]:
    """All rules, in the order in which the rooms declared them."""
    return tuple(_known.rules)


def mentions() -> Sequence[Mentions]:
    """All places where others may have written about a person."""
    return tuple(_known.mentions)


def exempted() -> Mapping[tuple[str, str], str]:
    """Columns that need no rule, with the reason, by table and name."""
    return dict(_known.exempt)
