"""``shopbell activity --follow``: each new entry once, in the order in which it was recorded.

The pulse says whether anything was recorded; an unchanged one costs the server next to nothing. Then all that was
recorded since the last look is read. The server says from where to look the next time, which may be a little before the
end; what was printed in between is remembered and not printed again.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
from typing import Final

from server.contract.activity import Entry, Recorded
from tui.api.client import FeedQuery, page_query
from tui.api.errors import ApiError, Refused
from tui.api.poller import Poller, State
from tui.commands.printing import Cell
from tui.commands.work import DONE, Work
from tui.widgets.format import lateness, level_mark

_PATH: Final = "/v1/activity/recorded"
_FIRST: Final = 50
_PAGE: Final = 200


class Following:
    """Where a reader of the log stands.

    Args:
        work: the server, and where to print.
        query: which entries.
    """

    def __init__(self, work: Work, query: FeedQuery) -> None:
        self._work = work
        told = query.parameters()
        self._params = {
            name: told[name] for name in ("tab", "category", "level", "internal", "type") if name in told
        }
        self._resume = ""
        self._shown: set[str] = set()

    async def begin(self, last: int) -> None:
        """Take a stand at the end; of what is there print the ``last`` ones. Raises ApiError."""
        params = {**self._params} | page_query(None, max(last, _FIRST), "newest")
        found = await self._work.client.document(_PATH, params)
        page = found.read(Recorded.model_validate)
        self._shown = {entry.id for entry in page.items}
        begin = len(page.items) - last if last else len(page.items)
        for raw, entry in list(zip(found.raw["items"], page.items, strict=True))[max(begin, 0) :]:
            self._print(raw, entry)
        self._resume = page.resume

    async def look(self) -> None:
        """Print what was recorded since. After an ApiError the next look goes on where this one ended."""
        here: set[str] = set()
        cursor: str | None = self._resume
        resume, settled = self._resume, True
        while cursor is not None:
            params = {**self._params} | page_query(cursor, _PAGE, "newest")
            found = await self._work.client.document(_PATH, params)
            page = found.read(Recorded.model_validate)
            for raw, entry in zip(found.raw["items"], page.items, strict=True):
                here.add(entry.id)
                if entry.id not in self._shown:
                    self._shown.add(entry.id)
                    self._print(raw, entry)
            if settled:
                resume, settled = page.resume, page.resume == page.next
            cursor = page.next
        self._resume, self._shown = resume, here

    def _print(self, raw: object, entry: Entry) -> None:
        out = self._work.out
        if out.as_json:
            out.document(raw, flush=True)
            return
        late = lateness(entry.occurred_at, entry.inserted_at)
        out.following(
            [
                (out.when(entry.occurred_at), 6 if out.terminal else 19),
                (out.marked(level_mark(entry.level, out.glyphs)), 9),
                (Cell(entry.order.number if entry.order else "", "accent"), 14),
                (f"{entry.message} ({late})" if late else entry.message, 0),
            ]
        )


async def follow(work: Work, query: FeedQuery) -> int:
    """Go on until nobody reads any more, or the server takes the token no longer.

    Raises:
        ApiError: there is no server at the beginning; or it does not let this reader in.
    """
    following = Following(work, query)
    await following.begin(work.option("limit", 0))
    poller = Poller(work.clock, float(work.option("every") or work.poll_seconds))
    owed, counter = True, -1
    away = False
    while not _nobody_reads():
        try:
            pulse = await work.client.pulse()
            if pulse is not None and pulse.topics.get("activity") != counter:
                counter, owed = pulse.topics.get("activity", -1), True
            if owed:
                await following.look()
                owed = False
            poller.answered()
            if away:
                work.out.note("The server answers again.")
            away = False
        except ApiError as error:
            poller.failed(error)
            if poller.connection.state is State.REFUSED or _will_stay(error):
                raise
            if not away:
                work.out.note(f"{error.sentence} Trying again until it answers.")
            away = True
        await asyncio.sleep(poller.ask_in() or 0.0)
    return DONE


def _will_stay(error: ApiError) -> bool:
    """Whether asking again would bring the same: the place where we stood is unknown, as in another shop's data."""
    return isinstance(error, Refused) and error.code != "rate_limited"


def _nobody_reads() -> bool:
    """Whether the other end of standard output's pipe is closed: there may be nothing to print for a long time."""
    with contextlib.suppress(OSError, ValueError):
        watched = select.poll()
        watched.register(sys.stdout.fileno(), 0)
        return any(event & select.POLLERR for _, event in watched.poll(0))
    return False
