"""Who did what to one record: the acts of the audit log about it, in the story's place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tui.api import audit as calls
from tui.screens.audit_rows import history
from tui.screens.explaining import Explained
from tui.screens.outside import explain
from tui.widgets.format import count

if TYPE_CHECKING:
    from server.contract.audit import AuditRow
    from server.contract.jobs import Enqueued
    from tui.api.client import Client
    from tui.screens.desk import Desk
    from tui.screens.section import Section

MOST: Final = 50
"""Acts that are shown, the newest."""


@dataclass(frozen=True, slots=True)
class History:
    """The acts on one record, and those that concern one user.

    Attributes:
        record: the record's id.
        name: what people call it.
        user: the id of the user whom acts concern, where the record is a person with an account.
    """

    record: str
    name: str
    user: str | None = None

    async def look(self, client: Client, desk: Desk) -> Explained:
        """What was done, the newest first. Raises ApiError."""
        asked = [calls.AuditQuery(resource=self.record)]
        if self.user is not None:
            asked.append(calls.AuditQuery(target=self.user))
        pages = await asyncio.gather(*(calls.acts(client, query, limit=MOST) for query in asked))
        found: dict[str, AuditRow] = {row.id: row for page in pages for row in page.items}
        rows = sorted(found.values(), key=lambda row: (row.at, row.id), reverse=True)
        more = len(rows) > MOST or any(page.next is not None for page in pages)
        told = f"{count(min(len(rows), MOST), 'act')}, the newest first" if rows else "Nothing yet"
        return Explained(
            title="History",
            notes=(self.name,),
            verdict=f"{told}.",
            below=tuple(history(rows[:MOST], desk.times, desk.glyphs, more=more)),
            quiet=True,
        )

    async def send(self, client: Client, choice: str | None) -> NoReturn:  # noqa: ARG002
        """Its panel has no word for sending, so nothing asks for it. Raises TypeError."""
        raise TypeError("a history is read, not sent")

    def sending(self, asked: Enqueued, explained: Explained, choice: str | None) -> NoReturn:  # noqa: ARG002
        """As for `send`. Raises TypeError."""
        raise TypeError("a history is read, not sent")


def show_history(section: Section[Any], record: str | None, name: str, user: str | None = None) -> None:
    """Show who did what to a record, in the story's place."""
    if record is None:
        section.frame.say("note", "There is no record here.")
    else:
        explain(section, "history", History(record, name, user))
