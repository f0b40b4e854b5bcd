"""Which entries a feed is asked for, as conditions that fit any alias of the log's table.

The conditions hold no values: those come in as parameters (`values`), so that the statements of a shape are built and
compiled once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from server.activity.event_type import LEVELS, Level
from server.activity.intake import TEXTS_KEPT
from server.activity.models import activity_text
from server.kit.prepared import AnyOf
from server.kit.tx import DialectName
from server.people import service as people
from server.people.models import person

FeedTab = Literal["all", "attention"]
Crowd = Literal["none", "few", "many"]

# Written out in the statement, or the partial indexes would not be seen to fit.
_WRITTEN: Final[dict[str, ColumnElement[str]]] = {
    level: literal_column(f"'{level}'", Text()) for level in LEVELS
}
_TEXTS_KEPT: Final[ColumnElement[str]] = literal_column(f"'\"{TEXTS_KEPT}\"'", Text())
_INFO: Final = _WRITTEN["info"]


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """What a feed shows; all parts must hold.

    Args:
        tab: everything, or what needs a human: warnings and errors that nobody resolved.
        category: only this category.
        level: only this level.
        q: words that must all occur, each where a word begins: in the sentence, the type, the order's number, the
            strangers' texts; or anywhere in the person's e-mail or name.
        internal: show internal system events in All too. Needs attention always does.
        folded: one entry for each group of the same problem; by default in Needs attention only.
        type: only this type.
        group: the open members of this group.
    """

    tab: FeedTab = "all"
    category: str | None = None
    level: Level | None = None
    q: str = ""
    internal: bool = False
    folded: bool | None = None
    type: str | None = None
    group: str | None = None

    @property
    def folds(self) -> bool:
        """Whether groups show as one entry."""
        return self.tab == "attention" if self.folded is None else self.folded

    @property
    def open_only(self) -> bool:
        """Whether only open entries can match, of which there are few."""
        return self.tab == "attention" or self.group is not None

    def key(self) -> str:
        """What tells this query from any other: cursors are bound to it."""
        words = self.q.split()
        return json.dumps(
            [self.tab, self.category, self.level, words, self.internal, self.folds, self.type, self.group]
        )


@dataclass(frozen=True, slots=True)
class TermShape:
    """Where one word of a search can occur at all: strangers' texts, and how many people (``many``: over 200)."""

    texts: bool
    people: Crowd


@dataclass(frozen=True, slots=True)
class Shape:
    """A query without its values: what its statement's text depends on."""

    dialect: DialectName
    open_only: bool
    category: bool
    level: Level | None
    internal: bool
    type: bool
    group: bool
    terms: tuple[TermShape, ...] = ()


def shape_of(query: FeedQuery, dialect: DialectName, terms: tuple[TermShape, ...] = ()) -> Shape:
    """The shape of a query on this database."""
    return Shape(
        dialect,
        query.open_only,
        query.category is not None,
        query.level,
        query.internal or query.open_only,
        query.type is not None,
        query.group is not None,
        terms,
    )


def values(query: FeedQuery) -> dict[str, Any]:
    """The parameters of a query's conditions, without those of its words."""
    found = {"category_": query.category, "type_": query.type, "group_": query.group}
    return {name: value for name, value in found.items() if value is not None}


def is_open(entry: FromClause) -> ColumnElement[bool]:
    """A warning or error that nobody resolved; written as the partial indexes have it."""
    return and_(entry.c.resolved_at.is_(None), entry.c.level != _INFO)


def matching(shape: Shape, entry: FromClause) -> list[ColumnElement[bool]]:
    """The conditions on an entry."""
    found: list[ColumnElement[bool]] = []
    if shape.open_only:
        found.append(is_open(entry))
    if not shape.internal:
        found.append(entry.c.internal == literal_column("0"))
    if shape.category:
        found.append(entry.c.category == bindparam("category_"))
    if shape.type:
        found.append(entry.c.type == bindparam("type_"))
    if shape.group:
        found.append(entry.c.group_key == bindparam("group_"))
    if shape.level is not None:
        found.append(entry.c.level == _WRITTEN[shape.level])
        if shape.level != "info":
            found.append(entry.c.level != _INFO)
    found += [_occurs(shape.dialect, term, number, entry) for number, term in enumerate(shape.terms)]
    return found


def _occurs(dialect: DialectName, term: TermShape, number: int, entry: FromClause) -> ColumnElement[bool]:
    """Whether the word with this number occurs: letter for letter, so ``%`` and ``_`` are themselves."""
    position = func.instr if dialect == "sqlite" else func.strpos
    places = [position(entry.c.words, bindparam(f"word_{number}")) > 0]
    if term.texts:
        text = activity_text.alias()
        here = position(text.c.words, bindparam(f"word_{number}")) > 0
        said = exists().where(text.c.activity_id == entry.c.id, here)
        places.append(and_(position(entry.c.params, _TEXTS_KEPT) > 0, said))  # spares most rows the look
    if term.people == "few":
        places.append(AnyOf(entry.c.person_id, f"people_{number}"))
    elif term.people == "many":
        places.append(entry.c.person_id.in_(people_with(dialect, number)))
    return or_(*places)


def people_with(dialect: DialectName, number: int) -> Any:
    """The ids of the people whose e-mail or name holds the word with this number."""
    return select(person.c.id).where(
        people.holds(dialect, bindparam(f"email_{number}"), bindparam(f"name_{number}"))
    )
