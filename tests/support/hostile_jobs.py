"""Jobs whose every text is a stranger's: kinds, queues, reasons, what they were given. Written past the server.

The server cleans what it is told; here its own database holds the strings as they are, so that the client's nets are
what stands between them and the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert

from server.jobs.models import job, job_attempt
from server.kit.clock import SystemClock
from server.kit.db import open_store
from server.kit.tx import Tx
from tests.support.hostile import Hostile

ATTEMPTS = 2


def bring_jobs(data: Path, strings: Sequence[Hostile]) -> int:
    """Put jobs that gave up into the database of a server that does not run, one for each string that it can hold."""
    texts = [text for text in (hostile.text for hostile in strings) if _holds(text)]
    store = open_store(f"sqlite:///{data / 'shop.db'}", data, SystemClock())

    def unit(tx: Tx) -> None:
        for text in texts:
            _bring(tx, text)

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


def _bring(tx: Tx, text: str) -> None:
    job_id = tx.new_id()
    tx.execute(
        insert(job).values(
            id=job_id, kind=text[:500], queue=text[:500], args={text[:200]: text}, state="exhausted",
            attempt=ATTEMPTS, max_attempts=ATTEMPTS, run_at=tx.now, error=text, created_at=tx.now,
            started_at=tx.now, finished_at=tx.now,
        )
    )  # fmt: skip
    for attempt in range(ATTEMPTS):
        tx.execute(
            insert(job_attempt).values(
                job_id=job_id, attempt=attempt + 1, started_at=tx.now, finished_at=tx.now, outcome="failed",
                error=text,
            )
        )  # fmt: skip
