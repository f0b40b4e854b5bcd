"""``shopbell activity``: what happened."""

from __future__ import annotations

from typing import Final

from server.contract.activity import Entry, Reopen, Resolve, Resolved
from server.contract.base import Page
from tui.api.client import FeedQuery, segment
from tui.commands import follow
from tui.commands.printing import Cell, Column, Printer
from tui.commands.work import DONE, UsageError, Work
from tui.widgets.format import lateness, level_mark

_COLUMNS: Final = (
    Column("WHEN"),
    Column("LEVEL"),
    Column("ORDER", spare=1),
    Column("WHAT", flows=True),
    Column("STATE", spare=2),
    Column("ID"),
)


async def listing(work: Work) -> int:
    """List what happened, or go on with what comes."""
    query = FeedQuery(
        tab=work.option("tab", "all"),
        category=work.option("category"),
        level=work.option("level"),
        q=work.option("query", ""),
        internal=work.option("internal", default=False),
        folded=work.option("folded", default=False),
        type=work.option("type"),
    )
    if work.option("follow", default=False):
        _fits_following(work, query)
        return await follow.follow(work, query)
    if work.option("every") is not None:
        raise UsageError("--every says how often --follow looks; it means nothing alone.")
    return await work.print_page(
        "/v1/activity", query.parameters(), Page[Entry].model_validate, _COLUMNS, _row
    )


def _fits_following(work: Work, query: FeedQuery) -> None:
    """Raises UsageError for what says nothing about entries that come one by one."""
    given = {
        "-q": query.q,
        "--folded": query.folded,
        "--all": work.option("all"),
        "--cursor": work.option("cursor"),
    }
    for name, value in given.items():
        if value:
            raise UsageError(f"--follow prints each new entry; {name} cannot be used with it.")


def _row(out: Printer, entry: Entry) -> list[str | Cell]:
    state = "resolved" if entry.resolved_at else "" if entry.level == "info" else "open"
    return [
        out.when(entry.occurred_at),
        out.marked(level_mark(entry.level, out.glyphs)),
        entry.order.number if entry.order else "",
        sentence(entry),
        Cell(
            f"{state} ({entry.group.count})" if state == "open" and entry.group.count > 1 else state, "muted"
        ),
        Cell(entry.id, "muted"),
    ]


def sentence(entry: Entry) -> str:
    """What an entry says, and how late it came."""
    late = lateness(entry.occurred_at, entry.inserted_at)
    return f"{entry.message} ({late})" if late else entry.message


async def resolve(work: Work) -> int:
    """Resolve an entry, or its group as far as it was seen."""
    asked = Resolve(group=work.given.group, seen=await _seen(work))
    return await _mark(work, "resolve", asked, "Resolved")


async def reopen(work: Work) -> int:
    """Open an entry again, or all that was resolved with it."""
    asked = Reopen(group=work.given.group, seen=work.given.seen)
    return await _mark(work, "reopen", asked, "Opened again")


async def _seen(work: Work) -> str | None:
    """How far the group was seen: what the command line says, or what it is now."""
    if not work.given.group:
        if work.given.seen:
            raise UsageError("--seen says how far a group was seen; use it with --group.")
        return None
    if work.given.seen:
        seen: str = work.given.seen
        return seen
    entry = (await work.client.document(_path(work))).read(Entry.model_validate)
    return entry.group.seen


async def _mark(work: Work, verb: str, asked: Resolve | Reopen, done: str) -> int:
    body = asked.model_dump_json(exclude_none=True).encode()
    found = await work.client.changed(f"{_path(work)}/{verb}", body)
    resolved = found.read(Resolved.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
    else:
        what = f" {resolved.entry.message}" if resolved.entry and resolved.count == 1 else ""
        work.out.line(f"{done}: {resolved.count}.{what}")
    return DONE


def _path(work: Work) -> str:
    return f"/v1/activity/{segment(work.given.entry, 'entry')}"
