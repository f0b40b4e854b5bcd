"""The erasure registry: what happens to each table that can point at a person, and why.

Every room declares its rules in its ``erasure.py``; the plan, the deletion, the receipt and the export all read them
from here, so that what is shown, what is done and what is proven cannot differ. A test looks through every table of the
store: a column that refers to a person or a user and stands in no rule fails it.

How the rules are carried out (counts, one transaction, order, texts) is ``server.deletion``'s business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, false, or_

from server.contract.deletion import Fate
from server.people.models import address, billing_profile, note, person

GONE: Final = "⟨erased⟩"
"""What stands where a text of the person stood that cannot be empty."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the vault holds of a person, to look for it elsewhere. It stays out of every ``repr``.

    Attributes:
        emails: the person's own, and those of billing profiles.
        phones: likewise.
        names: in full, as the person, an address or a billing profile has them.
        streets: the first and second lines of addresses.
        others: what else is the person's own (a company, a tax id, an account elsewhere).
        values: what many share (a town, a postal code, a name of one word), and so says something only where it stands
            alone as a value of a record that is certainly about the person.
    """

    emails: tuple[str, ...] = field(default=(), repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)
    streets: tuple[str, ...] = field(default=(), repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)
    values: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an erasure is about.

    Attributes:
        person_id: the person in the vault.
        user_id: the person's account, where there is one.
        mark: the four signs that take the person's place.
        now: the moment of the erasure, milliseconds.
        known: what the vault holds of the person; empty once they are erased.
    """

    person_id: str
    user_id: str | None
    mark: str
    now: int
    known: Known = Known()

    @property
    def shown(self) -> str:
        """What stands in the person's place in sentences: ``⟨erased 7F2A⟩``."""
        return f"⟨erased {self.mark}⟩"


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

    @property
    def key(self) -> str:
        """What the rule's count is called: ``delete addresses``. No other rule has the same."""
        return f"{self.fate} {self.noun}"


@dataclass(frozen=True, slots=True)
class Mentions:
    """Texts that others wrote, in which a person may be named: the person's e-mail, phone, full name and street are
    replaced by the mark.

    Attributes:
        table: the table.
        columns: its columns of free text.
        linked: the rows that speak of the person; in these the name is replaced too, not only what is unique.
            None: no row does so by a reference, and only what is unique (e-mail, phone) is looked for, in every row.
        records: the linked rows hold JSON of which each whole value that is the person's goes, too.
    """

    table: Table
    columns: tuple[str, ...]
    linked: Whose | None = None
    records: bool = False


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
            if any(entry.key == other.key for other in _known.rules):
                raise ValueError(f"{entry.table.name}: {entry.key!r} is the name of another rule")
            _known.rules.append(entry)
        else:
            _known.mentions.append(entry)


def holds(column: ColumnElement[str], words: Iterable[str]) -> ColumnElement[bool]:
    """The condition that a text holds one of these, whatever the letters' case, also as JSON writes it.

    Nothing is held by no words at all.
    """
    spelt = {form for word in words for form in (word, json.dumps(word)[1:-1])}
    return or_(false(), *(column.icontains(form, autoescape=True) for form in sorted(spelt)))


def is_user(column: ColumnElement[Any], subject: Subject) -> ColumnElement[bool]:
    """The condition that a column names the person's account; nothing is concerned where there is none."""
    return false() if subject.user_id is None else column == subject.user_id


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


register(
    Rule(
        person,
        "contact record",
        "anonymise",
        "The row stays as a tombstone, so that what refers to it reads ⟨erased⟩; name, e-mail and phone go.",
        lambda subject: person.c.id == subject.person_id,
        ("id",),
        lambda subject: {
            "name": None,
            "name_key": None,
            "email": None,
            "email_key": None,
            "phone": None,
            "hidden_at": None,
            "erased_at": subject.now,
            "updated_at": subject.now,
        },
    ),
    Rule(
        address,
        "addresses",
        "delete",
        "Where the person lives or had goods sent to.",
        lambda subject: address.c.person_id == subject.person_id,
        ("person_id",),
    ),
    Rule(
        billing_profile,
        "billing profiles",
        "delete",
        "To whom the person's invoices were made out.",
        lambda subject: billing_profile.c.person_id == subject.person_id,
        ("person_id",),
    ),
    Rule(
        note,
        "notes about them",
        "delete",
        "What staff wrote down about the person.",
        lambda subject: note.c.person_id == subject.person_id,
        ("person_id",),
    ),
    Rule(
        note,
        "notes by them about others",
        "anonymise",
        "They belong to the records of others and stay readable; who wrote them is taken off.",
        lambda subject: is_user(note.c.author_user_id, subject),
        ("author_user_id",),
        lambda _subject: {"author_user_id": None},
    ),
    Mentions(note, ("body",)),
)
