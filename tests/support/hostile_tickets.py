"""Tickets whose every text is a stranger's: titles, what was said, why something was changed, what files are called.

Written past the server, which cleans what it is told: its own database holds the strings as they are, so that the
client's nets are what stands between them and the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert

from server.content.models import file
from server.kit.clock import SystemClock
from server.kit.db import open_store
from server.kit.tx import Tx
from server.tickets.models import comment, history, ticket
from tests.support.hostile import Hostile

LONGEST = 10_000


def bring_tickets(data: Path, strings: Sequence[Hostile]) -> int:
    """Put tickets into the database of a server that does not run, one for each string that it can hold: how many."""
    texts = [hostile.text for hostile in strings if _holds(hostile.text)]
    store = open_store(f"sqlite:///{data / 'shop.db'}", data, SystemClock())

    def unit(tx: Tx) -> None:
        for number, text in enumerate(texts, start=1):
            _bring(tx, number, text)

    try:
        store.write(unit)
    finally:
        store.close()
    return len(texts)


def _holds(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bring(tx: Tx, number: int, text: str) -> None:
    ticket_id = tx.new_id()
    tx.execute(
        insert(ticket).values(
            id=ticket_id, number=number, slug=f"t{number}", title=text[:255], description=text[:LONGEST],
            status="open", priority="urgent", comment_count=1, created_at=tx.now, updated_at=tx.now,
        )
    )  # fmt: skip
    for internal, kind in ((0, "customer"), (1, "staff")):
        tx.execute(
            insert(comment).values(
                id=tx.new_id(), ticket_id=ticket_id, is_internal=internal, author_kind=kind,
                author_mark=text[:40], body=text[:LONGEST], created_at=tx.now,
            )
        )  # fmt: skip
    tx.execute(
        insert(history).values(
            id=tx.new_id(), ticket_id=ticket_id, field="assigned_to", value_from=text[:60], value_to=text[:60],
            reason=text[:1000], created_at=tx.now,
        )
    )  # fmt: skip
    tx.execute(
        insert(file).values(
            id=tx.new_id(), name=text[:255], media_type=text[:60], size=1, ticket_id=ticket_id, person_mark=text[:40],
            created_at=tx.now,
        )
    )  # fmt: skip
