"""Resolving and reopening: one entry, a folded group, all of an order, or many at once; and taking it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from tui.api.errors import ApiError
from tui.screens.deeds import Act, Deed, Verb, Wish

if TYPE_CHECKING:
    from server.contract.activity import Resolved
    from tui.api.client import Client, FeedQuery

AT_ONCE = 4
"""Requests under way at the same time."""

BY_NAME = 500
"""Entries that one request names at most."""

PAGE = 200
"""Members of a group that are asked for at once."""


@dataclass(slots=True)
class Done:
    """What some wishes came to, and the first reason why one of them could not be fulfilled."""

    acts: list[Act] = field(default_factory=list)
    error: ApiError | None = None

    @property
    def count(self) -> int:
        """How many entries were changed."""
        return sum(act.count for act in self.acts)

    def deed(self, verb: Verb, about: str) -> Deed:
        """It as something that can be undone."""
        return Deed(verb, tuple(act for act in self.acts if act.count), about)


async def fulfil(client: Client, wishes: Iterable[Wish]) -> Done:
    """Ask the server for these; after a failure nothing further is begun."""
    return await _each((wish, partial(_ask, client, wish)) for wish in wishes)


async def of_these(client: Client, asked: Sequence[tuple[Wish, FeedQuery | None]]) -> list[Wish]:
    """Wishes about groups as wishes about those members that a query lists; without a query as they are.

    The newest one seen stays the limit, so that what arrived since is not resolved with them.

    Raises:
        ApiError: a query was not answered.
    """
    found: list[Wish] = []
    waiting = iter(asked)
    while batch := list(islice(waiting, AT_ONCE)):
        for wishes in await asyncio.gather(*(_of_these(client, wish, query) for wish, query in batch)):
            found += wishes
    return found


async def _of_these(client: Client, wish: Wish, query: FeedQuery | None) -> list[Wish]:
    if query is None:
        return [wish]
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = await client.feed(query, cursor, PAGE)
        ids += [entry.id for entry in page.items]
        cursor = page.next
        if cursor is None:
            break
    parts = (ids[at : at + BY_NAME] for at in range(0, len(ids), BY_NAME))
    return [replace(wish, ids=tuple(part)) for part in parts]


async def take_back(client: Client, deed: Deed) -> Done:
    """Undo exactly what a deed changed, and nothing that came later."""
    return await _each((act.wish, partial(_undo, client, act)) for act in deed.acts)


def _ask(client: Client, wish: Wish) -> Coroutine[Any, Any, Resolved]:
    if wish.verb == "reopen":
        return client.reopen(wish.target)
    if wish.scope == "order":
        return client.resolve_order(wish.target)
    if wish.scope == "group":
        return client.resolve(wish.target, group=True, seen=wish.target, ids=wish.ids)
    return client.resolve(wish.target)


def _undo(client: Client, act: Act) -> Coroutine[Any, Any, Resolved]:
    if act.wish.verb == "reopen":
        return client.resolve(act.wish.target)
    return client.reopen(act.ids[0], group=True)  # opens all that was resolved in the same act


async def _each(calls: Iterable[tuple[Wish, Callable[[], Coroutine[Any, Any, Resolved]]]]) -> Done:
    """Make the calls, a few at a time."""
    done, waiting = Done(), iter(calls)
    while done.error is None and (batch := list(islice(waiting, AT_ONCE))):
        outcomes = await asyncio.gather(*(call() for _wish, call in batch), return_exceptions=True)
        for (wish, _call), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, ApiError):
                done.error = done.error or outcome
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                done.acts.append(Act(wish, tuple(outcome.ids), outcome.count))
    return done
