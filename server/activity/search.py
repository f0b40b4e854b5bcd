"""Searching the feed: the same meaning on both databases, and never a walk through everything for a rare word.

A page first looks at the next entries in time, where common words are found at once. What it has not found there it
looks up. SQLite's full text index answers moments in the order of time, so any number of hits is met a page at a time;
PostgreSQL's trigram index answers rows. Either way every row is then compared letter for letter (`selection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from server.activity import lookup
from server.activity.page import Row, page_statement, page_values
from server.activity.selection import Crowd, FeedQuery, TermShape, shape_of, values
from server.kit.folding import fold, fold_email, mark_words
from server.kit.paging import PageRequest, Position
from server.kit.prepared import Prepared
from server.kit.problems import invalid_request
from server.kit.tx import Tx
from server.people import service as people

MOST_WORDS: Final = 8
LONGEST: Final = 200
MANY_PEOPLE: Final = 200
"""A word that fits more people is looked up in the vault for each entry instead of being a list of them."""
WINDOW: Final = 1_500
"""How many entries a search looks through before it asks the index."""

_WORTH_WALKING: Final = 5
"""Hits in the first window that make a second, longer one quicker than PostgreSQL's index."""

_Source = tuple[Prepared, dict[str, Any], bool]
"""A statement that gives moments, what it asks for, and whether it counts in row numbers of the full text index."""
_WORDS_ONLY: Final = TermShape(texts=False, people="none")
_FIRST_CHUNK: Final = 128
_LARGEST_CHUNK: Final = 8_192


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a search as it is typed and as it is compared, and where it can occur."""

    word: str
    marked: str
    shape: TermShape
    people: tuple[str, ...] = ()

    @property
    def indexed(self) -> bool:
        """Whether an index can point at its occurrences."""
        return self.shape.people != "many" and bool(lookup.tokens(self.marked))


def words_of(q: str) -> list[str]:
    """The words of a search, each once.

    Raises:
        ProblemError: 422 ``invalid_request`` for more than `MOST_WORDS` words or `LONGEST` signs.
    """
    if len(q) > LONGEST:
        raise invalid_request(("q", f"must be at most {LONGEST} signs"))
    words = list(dict.fromkeys(q.split()))
    if len(words) > MOST_WORDS:
        raise invalid_request(("q", f"must be at most {MOST_WORDS} words"))
    return words


def terms_of(tx: Tx, query: FeedQuery) -> list[Term]:
    """The words of a search, and where each may occur as far as that is cheap to know.

    A type asked for is one of them: its name stands in the words of every entry of that type.

    Raises:
        ProblemError: 422, see `words_of`.
    """
    words = words_of(query.q)
    texts = bool(words) and lookup.any_text(tx)
    terms = []
    for word in words:
        ids = people.search(tx, word, MANY_PEOPLE + 1)
        how: Crowd = "many" if len(ids) > MANY_PEOPLE else "few" if ids else "none"
        listed = tuple(ids) if how == "few" else ()
        terms.append(Term(word, mark_words(word), TermShape(texts, how), listed))
    if query.type is not None and not query.open_only:
        terms.append(Term(query.type, mark_words(query.type), _WORDS_ONLY))
    return terms


def search_rows(tx: Tx, query: FeedQuery, request: PageRequest, terms: Sequence[Term]) -> list[Row]:
    """The rows of a page and one more, in the order of the walk."""
    walk = _Walk(tx, query, request, terms)
    wanted = request.limit + 1
    if query.open_only:
        return walk.page(request.position, wanted)
    rows: list[Row] = []
    position, length = request.position, WINDOW
    while True:
        end = walk.window_end(position, length)
        if end is None:
            return rows + walk.page(position, wanted - len(rows))
        rows += walk.window(position, end, wanted - len(rows))
        if len(rows) >= wanted:
            return rows
        position = end
        if tx.dialect == "sqlite" or length > WINDOW or len(rows) < _WORTH_WALKING:
            break
        # PostgreSQL's index would collect every hit there is. Walk on as far as this many promise to be enough.
        length = 2 * WINDOW * wanted // len(rows)
    sharper = [
        replace(
            term, shape=TermShape(term.shape.texts and lookup.in_texts(tx, term.marked), term.shape.people)
        )
        for term in terms
    ]
    return rows + _Walk(tx, query, request, sharper).indexed(position, wanted - len(rows))


class _Walk:
    """One search, going one way."""

    def __init__(self, tx: Tx, query: FeedQuery, request: PageRequest, terms: Sequence[Term]) -> None:
        self.tx = tx
        self.query = query
        self.request = request
        self.terms = terms
        self.upwards = request.upwards
        self.folds = query.folds
        self.shape = shape_of(query, tx.dialect, tuple(term.shape for term in terms))
        self.values = values(query) | term_values(terms)

    def page(self, position: Position | None, limit: int) -> list[Row]:
        """The rows beyond a position, wherever they are."""
        statement = page_statement(
            self.shape, folds=self.folds, positioned=position is not None, upwards=self.upwards
        )
        return statement.rows(self.tx, **self.values, **page_values(position, limit))

    def window_end(self, position: Position | None, length: int) -> Position | None:
        """The last row of a window; None when the list ends before."""
        category = self.query.category
        statement = lookup.window_end_statement(
            category is not None, positioned=position is not None, upwards=self.upwards
        )
        only = {} if category is None else {"category_": category}
        found = statement.rows(self.tx, **only, **page_values(position, length))
        return Position(*found[0]) if found else None

    def window(self, position: Position | None, end: Position, limit: int) -> list[Row]:
        """The rows beyond a position and as far as the window's end."""
        statement = lookup.window_statement(
            self.shape, folds=self.folds, positioned=position is not None, upwards=self.upwards
        )
        limits = page_values(position, limit)
        return statement.rows(self.tx, **self.values, **limits, end_at=end.at, end_id=end.id)

    def indexed(self, position: Position, limit: int) -> list[Row]:
        """The rows beyond the window that an index points at."""
        able = [number for number, term in enumerate(self.terms) if term.indexed]
        if not able:
            return self.page(position, limit)
        # The longest word is the rarest, more often than not.
        driver = max(able, key=lambda number: len(self.terms[number].marked))
        if self.tx.dialect == "sqlite":
            return self._by_moments(position, limit, driver)
        return self._by_rows(position, limit, driver)

    def _by_moments(self, position: Position, limit: int, driver: int) -> list[Row]:
        statement = lookup.moments_statement(self.shape, folds=self.folds, upwards=self.upwards)
        sources = self._sources(self.terms[driver])
        rows: list[Row] = []
        size = _FIRST_CHUNK
        while True:
            moments, more = self._moments(sources, position.at, size)
            if moments:
                left = page_values(position, limit - len(rows))
                rows += statement.rows(self.tx, **self.values, **left, moments=moments)
            if not more or len(rows) >= limit:
                return rows
            position = lookup.past(moments[-1], upwards=self.upwards)
            size = min(size * 4, _LARGEST_CHUNK)

    def _sources(self, driver: Term) -> list[_Source]:
        """Where the moments of a word come from: entries' own words, strangers' texts, people."""
        sources: list[_Source] = []
        own = lookup.tokens(driver.marked)
        narrowed = [
            *own,
            *(
                token
                for term in self.terms
                if term.shape == _WORDS_ONLY
                for token in lookup.tokens(term.marked)
            ),
        ]
        level = self.query.level if self.query.level != "info" else None  # nearly all are
        narrowed += [lookup.tag(name) for name in (level, self.query.category) if name is not None]
        if match := lookup.match_all(self.tx, lookup.WORDS, narrowed):
            sources.append((lookup.WORDS.moments[self.upwards], {"match": match}, True))
        if driver.shape.texts and (match := lookup.match_all(self.tx, lookup.TEXTS, own)):
            sources.append((lookup.TEXTS.moments[self.upwards], {"match": match}, True))
        if driver.shape.people == "few":
            sources.append((lookup.OF_PEOPLE[self.upwards], {"people": list(driver.people)}, False))
        return sources

    def _moments(self, sources: Sequence[_Source], at: int, size: int) -> tuple[list[int], bool]:
        """The next moments at which something with the word happened, and whether there may be more."""
        fetched = []
        for statement, what, full_text in sources:
            from_ = lookup.row_number(at, upwards=self.upwards) if full_text else at
            fetched.append(statement.rows(self.tx, **what, from_=from_, many=size))
        # Each source is whole as far as its last moment where it was cut off; together as far as the nearest one.
        ends = [rows[-1][0] for rows in fetched if len(rows) == size]
        found = {moment for rows in fetched for (moment,) in rows}
        if ends:
            end = min(ends) if self.upwards else max(ends)
            found = {moment for moment in found if (moment <= end if self.upwards else moment >= end)}
        return sorted(found, reverse=not self.upwards), bool(ends)

    def _by_rows(self, position: Position, limit: int, driver: int) -> list[Row]:
        also = tuple(n for n, term in enumerate(self.terms) if term.shape == _WORDS_ONLY and n != driver)
        statement = lookup.rows_statement(
            self.shape, folds=self.folds, upwards=self.upwards, driver=driver, also=also
        )
        like = {f"like_{number}": lookup.like(self.terms[number].marked) for number in (driver, *also)}
        return statement.rows(self.tx, **self.values, **page_values(position, limit), **like)


def term_values(terms: Sequence[Term]) -> dict[str, Any]:
    """The parameters of the words' conditions."""
    found: dict[str, Any] = {}
    for number, term in enumerate(terms):
        found[f"word_{number}"] = term.marked
        if term.shape.people == "few":
            found[f"people_{number}"] = list(term.people)
        elif term.shape.people == "many":
            found |= {f"email_{number}": fold_email(term.word), f"name_{number}": fold(term.word)}
    return found
