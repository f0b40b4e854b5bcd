"""The log over HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request, Response

from server.activity import own_events
from server.activity import service as activity
from server.activity.feed import place
from server.activity.render import ERASED
from server.activity.search import LONGEST
from server.contract.activity import (
    Entry,
    FeedTab,
    Level,
    NewEvent,
    Recorded,
    Reopen,
    Resolve,
    Resolved,
)
from server.contract.base import Page
from server.kit import refs
from server.kit.access import Principal
from server.kit.paging import Position
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.kit.web import (
    PageQuery,
    answer,
    mutate,
    page_query,
    permit,
    read,
    refuses,
    router,
    services,
    together,
)

_Id = Annotated[str, Path(max_length=64, description="an entry's id")]
_Order = Annotated[str, Path(max_length=64, description="an order's id or number")]
_Reader = Annotated[Principal, permit("activity.read")]
_Resolver = Annotated[Principal, permit("activity.resolve")]
_NAME: Final = r"^[a-z][a-z0-9_.]*$"

_entries: Final = router("/v1/activity", "activity")
_of_orders: Final = router("/v1/orders", "activity")


@_entries.get("", response_model=Page[Entry], summary="What happened, newest first")
async def read_feed(
    request: Request,
    caller: _Reader,
    paging: Annotated[PageQuery, Depends(page_query)],
    tab: Annotated[FeedTab, Query(description="everything, or open warnings and errors")] = "all",
    category: Annotated[
        str | None, Query(max_length=40, pattern=_NAME, description="orders, syncs, emails, carts, system, …")
    ] = None,
    level: Annotated[Level | None, Query(description="only this level")] = None,
    q: Annotated[
        str,
        Query(
            max_length=LONGEST,
            description="words that must all occur, each where a word begins, letter for letter: in the sentence, "
            "the type or the order's number; or anywhere in the customer's e-mail or name",
        ),
    ] = "",
    internal: Annotated[
        bool, Query(description="show internal system events in All, too; Needs attention always does")
    ] = False,
    folded: Annotated[
        bool | None,
        Query(description="one entry for each group of the same problem; by default in Needs attention only"),
    ] = None,
    type: Annotated[  # noqa: A002 - the parameter's name on the wire
        str | None, Query(max_length=100, pattern=_NAME, description="only this type")
    ] = None,
    group: Annotated[str | None, Query(max_length=200, description="the open members of this group")] = None,
) -> Response:
    """One page of the feed. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    query = activity.FeedQuery(
        tab,
        category,
        level,
        q,
        internal=internal,
        folded=folded,
        type=type,
        group=group,
    )
    cursors, name = services(request).cursors, f"activity {query.key()}"
    asked = paging.request(cursors, name)
    keyed = tab == "all" and not (q or folded or group or type)
    page = await read(request, lambda tx: activity.feed(tx, query, asked, caller), keyed=keyed)
    older, newer = cursors.around(page.rows, name, place)
    return _list(page.entries, older, newer)


@_entries.post(
    "",
    response_model=Entry,
    status_code=201,
    summary="Write an event of the shop's own",
    responses={200: {"model": Entry, "description": "told before"}, **refuses(occurred_at_in_future=422)},
)
async def write_event(
    request: Request, event: NewEvent, caller: Annotated[Principal, permit("activity.write")]
) -> Response:
    """An event whose type begins with ``custom.``. With a ``dedupe_key`` told before: 200 and the first entry.

    A repeat of an ``Idempotency-Key`` gets the entry without its sentence, which is kept in one place only.
    """
    fresh = True

    def unit(tx: Tx) -> bytes:
        nonlocal fresh
        logged = own_events.write_event(tx, event, caller)
        fresh = logged.fresh
        return activity.entry(tx, logged.id, caller).encode()

    return await mutate(
        request,
        caller,
        unit,
        lambda: 201 if fresh else 200,
        remembered=_without_sentence,
    )


@_entries.get("/recorded", response_model=Recorded, summary="What was recorded, in that order")
def follow_log(
    request: Request,
    caller: _Reader,
    paging: Annotated[PageQuery, Depends(page_query)],
    tab: Annotated[FeedTab, Query(description="everything, or open warnings and errors")] = "all",
    category: Annotated[str | None, Query(max_length=40, pattern=_NAME, description="only this one")] = None,
    level: Annotated[Level | None, Query(description="only this level")] = None,
    internal: Annotated[bool, Query(description="internal system events, too")] = False,
    type: Annotated[  # noqa: A002 - the parameter's name on the wire
        str | None, Query(max_length=100, pattern=_NAME, description="only this type")
    ] = None,
) -> Response:
    """For readers who want every entry once: a late event's entry stands at the end here, as it was recorded.

    Without a cursor: the newest entries, or with `edge=oldest` the first ones. Errors: 400 ``invalid_cursor``.
    """
    query = activity.FeedQuery(tab, category, level, internal=internal, folded=False, type=type)
    cursors, name = services(request).cursors, f"recorded {query.key()}"
    asked = paging.request(cursors, name)
    page = services(request).store.read(lambda tx: activity.recorded(tx, query, asked, caller))

    def cursor(place: int | None) -> str | None:
        return None if place is None else cursors.write(Position(place, "", "newer"), name)

    around = f'],"next":{json.dumps(cursor(page.last))},"resume":{json.dumps(cursor(page.resume))}}}'
    items = b",".join([entry.encode() for entry in page.entries])
    return answer(b'{"items":[' + items + around.encode())


@_entries.get("/{entry_id}", response_model=Entry, summary="One entry")
def read_entry(request: Request, entry_id: _Id, caller: _Reader) -> Response:
    """An entry with its facts and what the caller may do about it now. Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: activity.entry(tx, entry_id, caller)).encode())


@_entries.post(
    "/{entry_id}/resolve",
    response_model=Resolved,
    summary="Resolve a warning or an error",
    responses=refuses(not_resolvable=409),
)
async def resolve(
    request: Request, entry_id: _Id, caller: _Resolver, body: Resolve | None = None
) -> Response:
    """Resolve one entry; its group as far as it was ``seen``; or exactly the ``ids`` that were shown of it.

    What is resolved already stays as it is.
    """
    asked = body or Resolve()

    def unit(tx: Tx) -> Resolved:
        return activity.resolve(
            tx, entry_id, caller=caller, group=asked.group, seen=asked.seen, ids=asked.ids
        )

    return await mutate(request, caller, unit, remembered=_without_entry)


@_entries.post(
    "/{entry_id}/reopen",
    response_model=Resolved,
    summary="Open a resolved entry again",
    responses=refuses(not_resolvable=409),
)
async def reopen(request: Request, entry_id: _Id, caller: _Resolver, body: Reopen | None = None) -> Response:
    """Undo a resolve: of one entry; of exactly the ``ids`` it answered; or of all it resolved (``group``)."""
    asked = body or Reopen()

    def unit(tx: Tx) -> Resolved:
        return activity.reopen(tx, entry_id, caller=caller, group=asked.group, seen=asked.seen, ids=asked.ids)

    return await mutate(request, caller, unit, remembered=_without_entry)


@_of_orders.get("/{order}/timeline", response_model=Page[Entry], summary="All that happened to an order")
def read_timeline(request: Request, order: _Order, caller: _Reader) -> Response:
    """Every entry of an order, oldest first. Errors: 404 ``not_found``."""

    def unit(tx: Tx) -> list[str]:
        found = refs.find_order(tx, order)
        if found is None:
            raise not_found("order")
        return activity.timeline(tx, found.id, caller)

    return _list(services(request).store.read(unit), None, None)


@_of_orders.post("/{order}/activity/resolve", response_model=Resolved, summary="Resolve all of an order")
async def resolve_order(request: Request, order: _Order, caller: _Resolver) -> Response:
    """Resolve every open warning and error of an order. Errors: 404 ``not_found``."""
    return await mutate(
        request,
        caller,
        lambda tx: activity.resolve_order(tx, order, caller),
        remembered=_without_entry,
    )


def _list(entries: Sequence[str], older: str | None, newer: str | None) -> Response:
    """A page whose entries are JSON already. One sign beyond ASCII would make a joined text twice as large.

    What stands around them is put to the first and the last, so that the whole is copied once.
    """
    begin, end = b'{"items":[', f'],"next":{json.dumps(older)},"prev":{json.dumps(newer)}}}'.encode()
    items = [entry.encode() for entry in entries] or [b""]
    items[0] = begin + items[0]
    items[-1] += end
    return answer(b",".join(items))


def _without_sentence(entry: bytes) -> Entry:
    return Entry.model_validate_json(entry).model_copy(update={"message": ERASED, "facts": {}})


def _without_entry(resolved: Resolved) -> Resolved:
    """What is kept for a repeat: the entry's sentence may name somebody, and names stand in the vault alone."""
    return resolved.model_copy(update={"entry": None})


routes: Final = together(_entries, _of_orders)
