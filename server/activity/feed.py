"""The two views of the log: the shop's feed and an order's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import bindparam

from server.activity.groups import groups
from server.activity.models import activity
from server.activity.page import (
    GROUP_KEY,
    ID,
    LEVEL,
    OCCURRED_AT,
    RESOLVED_AT,
    Row,
    columns,
    page_statement,
    page_values,
)
from server.activity.render import render
from server.activity.search import search_rows, term_values, terms_of
from server.activity.selection import FeedQuery, shape_of, values
from server.kit.access import Principal
from server.kit.paging import DEFAULT_LIMIT, PageRequest, Slice, slice_of
from server.kit.prepared import Prepared
from server.kit.problems import not_found
from server.kit.tx import Tx

__all__ = ["FeedPage", "FeedQuery", "entry", "feed", "place", "timeline"]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of the feed: its rows, and each as JSON of the contract's ``Entry``."""

    rows: Slice[Row]
    entries: list[str]


def place(row: Row) -> tuple[int, str]:
    """Where a row stands in the feed."""
    return row[OCCURRED_AT], row[ID]


def feed(tx: Tx, query: FeedQuery, request: PageRequest, caller: Principal) -> FeedPage:
    """A page of the feed, newest first by when it happened.

    Returns:
        Folded, each entry stands for its group: the newest of the open
        entries that match, with how many those are. Unfolded, an entry tells of its whole group.

    Raises:
        ProblemError: 422 ``invalid_request`` for too long a search.
    """
    terms = terms_of(tx, query)
    if terms:
        rows = search_rows(tx, query, request, terms)
    else:
        statement = page_statement(
            shape_of(query, tx.dialect),
            folds=query.folds,
            positioned=request.position is not None,
            upwards=request.upwards,
            usual=request.limit == DEFAULT_LIMIT,
        )
        rows = statement.rows(tx, **values(query), **page_values(request.position, request.limit + 1))
    page = slice_of(rows, request)
    keys = open_groups(page.rows)
    if query.folds and keys:
        shape = shape_of(query, tx.dialect, tuple(term.shape for term in terms))
        found = groups(tx, keys, shape, values(query) | term_values(terms))
    else:
        found = groups(tx, keys)
    return FeedPage(page, render(tx, page.rows, caller, found))


def timeline(tx: Tx, order_id: str, caller: Principal) -> list[str]:
    """All that happened to an order, oldest first by when it happened, then by when it was recorded.

    Returns:
        JSON of the contract's ``Entry`` each.
    """
    rows = _timeline_statement().rows(tx, order_id_=order_id)
    return render(tx, rows, caller, groups(tx, open_groups(rows)))


def entry(tx: Tx, entry_id: str, caller: Principal) -> str:
    """One entry as JSON of the contract's ``Entry``.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    rows = _entry_statement().rows(tx, id_=entry_id)
    if not rows:
        raise not_found("entry")
    return render(tx, rows, caller, groups(tx, open_groups(rows)))[0]


def open_groups(rows: Sequence[Row]) -> set[str]:
    """The groups of those that are open, by which they are told how many they are."""
    return {row[GROUP_KEY] for row in rows if row[RESOLVED_AT] is None and row[LEVEL] != "info"}


@lru_cache(maxsize=1)
def _timeline_statement() -> Prepared:
    told = activity.alias("entry")
    return Prepared(
        columns(told)
        .where(told.c.order_id == bindparam("order_id_"))
        .order_by(told.c.occurred_at, told.c.seq)
    )


@lru_cache(maxsize=1)
def _entry_statement() -> Prepared:
    told = activity.alias("entry")
    return Prepared(columns(told).where(told.c.id == bindparam("id_")))
