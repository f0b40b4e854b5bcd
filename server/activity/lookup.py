"""The statements behind a search: the window, SQLite's full text index, PostgreSQL's trigram index."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, bindparam, select, text, tuple_, union_all

from server.activity.models import activity, activity_text
from server.activity.page import page_select
from server.activity.selection import Shape, people_with
from server.kit.paging import Position
from server.kit.prepared import AnyOf, Prepared
from server.kit.tx import Tx

_BITS: Final = 21
"""The bits below the moment in the row number of the full text index (see the migration)."""
_TAG: Final = "\ue000"
_LAST_SIGN: Final = "\U0010ffff"
_FEW_WORDS: Final = 32
_TRIGRAM: Final = 3
_RUN: Final = re.compile(r"[^\W_]+")
_SURE: Final = unicodedata.ucd_3_2_0
"""An old table of letters: what is one there is one to SQLite's tokenizer, too."""
_AFTER_EVERY_ID: Final = "~"


def tokens(marked: str) -> list[str]:
    """What the full text index is asked for to meet every text that holds a marked term, and some more.

    Whole words, and beginnings of words with a ``*`` behind them; none for a term of nothing but signs.
    """
    found = []
    for run in _RUN.finditer(marked):
        letters = run[0]
        sure = next((n for n, sign in enumerate(letters) if not _is_letter(sign)), len(letters))
        follows = marked[run.end() : run.end() + 1]
        whole = sure == len(letters) and follows != "" and follows.isascii()
        if sure:
            found.append(letters[:sure] + ("" if whole else "*"))
    return found


def _is_letter(sign: str) -> bool:
    return sign.isascii() or _SURE.category(sign)[0] in "LN"


def match_all(tx: Tx, table: FullText, wanted: Iterable[str]) -> str | None:
    """A search of the full text index for all of these `tokens`; None when one of them occurs nowhere.

    A beginning is replaced by the words that begin so where they are few: the index then goes through time without
    first collecting everything they occur in, which is fifteen times as fast.
    """
    parts = []
    for token in dict.fromkeys(wanted):
        head = token.removesuffix("*")
        if head == token or not head.isascii():
            parts.append(f'"{head}"' + token[len(head) :])
            continue
        words = [word for (word,) in table.terms.rows(tx, head=head, beyond=head + _LAST_SIGN)]
        if not words:
            return None
        few = len(words) <= _FEW_WORDS
        parts.append("(" + " OR ".join(f'"{word}"' for word in words) + ")" if few else f'"{head}"*')
    return " AND ".join(parts)


def tag(name: str) -> str:
    """The token of a level or a category, as the migration's triggers index it."""
    letters = _RUN.search(name)
    return _TAG + (letters[0] if letters else "")


def like(marked: str) -> str:
    """A pattern that is met by texts holding a marked term, and some more, with ``%`` and ``_`` as themselves.

    Of a term of several words it takes the one that is likely the rarest: of an order's number the last part, since
    PostgreSQL's index would compare the many rows of the same day.
    """
    runs = list(_RUN.finditer(marked))
    if len(runs) > 1:
        numbered = [run for run in runs if len(run[0]) >= _TRIGRAM and any(sign.isdigit() for sign in run[0])]
        chosen = numbered[-1] if numbered else max(runs, key=lambda run: len(run[0]))
        marked = f" {chosen[0]}"
    return "%" + re.sub(r"([\\%_])", r"\\\1", marked) + "%"


def row_number(at: int, *, upwards: bool) -> int:
    """Where the full text index goes on from a moment, that moment included."""
    return at << _BITS if upwards else ((at + 1) << _BITS) - 1


def past(at: int, *, upwards: bool) -> Position:
    """The position right after everything that happened at a moment."""
    return Position(at + 1, "") if upwards else Position(at - 1, _AFTER_EVERY_ID)


def any_text(tx: Tx) -> bool:
    """Whether there is any stranger's text at all."""
    return bool(_ANY_TEXT.rows(tx))


def in_texts(tx: Tx, marked: str) -> bool:
    """Whether a term may occur in a stranger's text."""
    if tx.dialect == "postgresql":
        return bool(_IN_TEXTS.rows(tx, like_0=like(marked)))
    wanted = tokens(marked)
    match = match_all(tx, TEXTS, wanted) if wanted else None
    if match is None:
        return not wanted
    return bool(TEXTS.moments[True].rows(tx, match=match, from_=0, many=1))


@lru_cache(maxsize=16)
def window_end_statement(category: bool, *, positioned: bool, upwards: bool) -> Prepared:
    """The row at which a window ends. Parameters: those of a page, ``limit_`` being the window's length."""
    entry = activity.alias("entry")
    keys = (entry.c.occurred_at, entry.c.id)
    statement = select(*keys).order_by(*(key.asc() if upwards else key.desc() for key in keys))
    if category:
        statement = statement.where(entry.c.category == bindparam("category_"))
    if positioned:
        here = tuple_(bindparam("at_"), bindparam("id_"))
        statement = statement.where(tuple_(*keys) > here if upwards else tuple_(*keys) < here)
    return Prepared(statement.limit(1).offset(bindparam("limit_")))


@lru_cache(maxsize=256)
def window_statement(shape: Shape, *, folds: bool, positioned: bool, upwards: bool) -> Prepared:
    """A page as far as the row ``end_at``, ``end_id``."""
    entry = activity.alias("entry")
    row = tuple_(entry.c.occurred_at, entry.c.id)
    end = tuple_(bindparam("end_at"), bindparam("end_id"))
    statement = page_select(shape, entry, folds=folds, positioned=positioned, upwards=upwards)
    return Prepared(statement.where(row <= end if upwards else row >= end))


@lru_cache(maxsize=256)
def moments_statement(shape: Shape, *, folds: bool, upwards: bool) -> Prepared:
    """A page of what happened at one of the ``moments``."""
    entry = activity.alias("entry")
    statement = page_select(shape, entry, folds=folds, positioned=True, upwards=upwards)
    return Prepared(statement.where(AnyOf(entry.c.occurred_at, "moments")))


@lru_cache(maxsize=256)
def rows_statement(
    shape: Shape, *, folds: bool, upwards: bool, driver: int, also: tuple[int, ...]
) -> Prepared:
    """A page of the rows that PostgreSQL's trigram index points at: those with the word ``driver``.

    Args:
        shape: the query's.
        folds: whether groups fold.
        upwards: which way.
        driver: the word that is looked up, ``like_N``.
        also: words that can only stand in an entry's own words, looked up with it.
    """
    entry = activity.alias("entry")
    pointed = _pointed_at(shape, driver, also).cte("pointed_at", nesting=True).prefix_with("MATERIALIZED")
    statement = page_select(shape, entry, folds=folds, positioned=True, upwards=upwards)
    return Prepared(statement.where(entry.c.seq.in_(select(pointed.c.seq))))


def _pointed_at(shape: Shape, driver: int, also: tuple[int, ...]) -> Any:
    found = activity.alias("found")
    term = shape.terms[driver]
    in_words = [found.c.words.like(bindparam(f"like_{number}")) for number in (driver, *also)]
    parts = [select(found.c.seq).where(*in_words, *_narrow(shape, found))]
    if term.texts:
        matched = activity_text.alias("matched")
        parts.append(
            select(found.c.seq)
            .join_from(matched, found, found.c.id == matched.c.activity_id)
            .where(matched.c.words.like(bindparam(f"like_{driver}")))
        )
    if term.people == "few":
        parts.append(select(found.c.seq).where(AnyOf(found.c.person_id, f"people_{driver}")))
    elif term.people == "many":
        parts.append(select(found.c.seq).where(found.c.person_id.in_(people_with(shape.dialect, driver))))
    return union_all(*parts) if len(parts) > 1 else parts[0]


def _narrow(shape: Shape, found: FromClause) -> list[ColumnElement[bool]]:
    """Conditions that may let the planner use another index than the trigrams'."""
    return [found.c.category == bindparam("category_")] if shape.category else []


@dataclass(frozen=True)
class FullText:
    """A full text index of SQLite: its words, and the moments of what ``match``es, downwards and upwards."""

    terms: Prepared
    moments: Mapping[bool, Prepared]


def _full_text(table: str) -> FullText:
    terms = f"SELECT term FROM {table}_terms WHERE term >= :head AND term < :beyond LIMIT {_FEW_WORDS + 1}"  # noqa: S608
    moments = {}
    for upwards, compare, order in ((False, "<=", "DESC"), (True, ">=", "ASC")):
        moments[upwards] = Prepared(
            text(
                f"SELECT rowid >> {_BITS} FROM {table} "  # noqa: S608 - names of ours
                f"WHERE {table} MATCH :match AND rowid {compare} :from_ ORDER BY rowid {order} LIMIT :many"
            )
        )
    return FullText(Prepared(text(terms)), moments)


def _of_people(*, upwards: bool) -> Prepared:
    entry = activity.alias("entry")
    at = entry.c.occurred_at
    beyond = at >= bindparam("from_") if upwards else at <= bindparam("from_")
    statement = select(at).where(AnyOf(entry.c.person_id, "people"), beyond)
    return Prepared(statement.order_by(at.asc() if upwards else at.desc()).limit(bindparam("many")))


WORDS: Final = _full_text("activity_words")
"""Entries' own words: ``moments`` takes ``match``, the row number ``from_``, and ``many`` at most."""
TEXTS: Final = _full_text("activity_text_words")
"""The same for the strangers' texts."""
OF_PEOPLE: Final = {upwards: _of_people(upwards=upwards) for upwards in (False, True)}
"""Moments of entries about these ``people``, from the moment ``from_`` on, at most ``many``."""
_ANY_TEXT: Final = Prepared(select(activity_text.c.seq).limit(1))
_MATCHED: Final = (
    select(activity_text.c.seq)
    .where(activity_text.c.words.like(bindparam("like_0")))
    .cte("matched")
    .prefix_with("MATERIALIZED")
)
_IN_TEXTS: Final = Prepared(select(_MATCHED.c.seq).limit(1))
