"""Resolving and reopening: one entry, a folded group, all of an order, or many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from tui.api.errors import ApiError
from tui.screens.deeds import Deed, Verb

if TYPE_CHECKING:
    from server.contract.activity import Resolved
    from tui.api.client import Client

AT_ONCE = 4
"""Requests under way at the same time."""


@dataclass(slots=True)
class Done:
    """What some calls changed, and the first reason why one of them could not.

    ``about`` is what was acted on, in a few words.
    """

    ids: list[str] = field(default_factory=list)
    count: int = 0
    error: ApiError | None = None
    about: str = ""

    def add(self, resolved: Resolved) -> None:
        """Count what one call changed."""
        self.ids += resolved.ids
        self.count += resolved.count

    def deed(self, verb: Verb) -> Deed:
        """It as something that can be undone."""
        return Deed(verb, tuple(self.ids), self.count, self.about)


async def each(calls: Iterable[Callable[[], Awaitable[Resolved]]], about: str = "") -> Done:
    """Make the calls, a few at a time; after a failure no further ones are begun."""
    done, waiting = Done(about=about), iter(calls)
    while done.error is None and (batch := list(islice(waiting, AT_ONCE))):
        for outcome in await asyncio.gather(*(call() for call in batch), return_exceptions=True):
            if isinstance(outcome, ApiError):
                done.error = done.error or outcome
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                done.add(outcome)
    return done


def entry_calls(client: Client, verb: Verb, ids: Iterable[str]) -> list[Callable[[], Awaitable[Resolved]]]:
    """Resolve or reopen exactly these entries."""
    call = client.resolve if verb == "resolve" else client.reopen
    return [partial(call, entry_id) for entry_id in ids]


def order_calls(client: Client, ids: Iterable[str]) -> list[Callable[[], Awaitable[Resolved]]]:
    """Resolve all that is open on these orders."""
    return [partial(client.resolve_order, order_id) for order_id in ids]


def group_calls(client: Client, ids: Iterable[str]) -> list[Callable[[], Awaitable[Resolved]]]:
    """Resolve the groups whose newest entries, as far as they were seen, are these."""
    return [partial(client.resolve, entry_id, group=True, seen=entry_id) for entry_id in ids]
