"""What an erased person left in the files: cleaned, then looked for.

SQLite overwrites what is deleted, but the write-ahead log keeps old pages until it is emptied, and the full text index
keeps words until it is merged. PostgreSQL keeps old rows until it is vacuumed. So after the commit these are done, and
then everything is searched for the person's strings, as they were and folded. The strings are kept for that search
alone, sealed under the key outside the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Final

from server.deletion import files, rows
from server.deletion.rows import Places
from server.jobs.errors import JobError
from server.kit.crypto import KeyTroubleError, UnreadableError
from server.kit.db import Store
from server.kit.sqlite import SqliteStore, make_engine
from server.kit.tx import Tx
from server.people.erasure import Known

FTS: Final = "activity_text_words"
_MERGE_PAGES: Final = 500
_MOST_MERGES: Final = 100_000
_BUSY_TRIES: Final = 20
_BUSY_SECONDS: Final = 0.25
_BUSY_MILLISECONDS: Final = 1_000

Wait = Callable[[float], bool]
"""Waits so many seconds; True when the work is to stop."""
Note = Callable[[str], None]
"""Says what is being done."""


def seal(tx: Tx, deletion_id: str, known: Known) -> str | None:
    """Whom to look for afterwards, under the key outside the store; None where there is no usable key."""
    try:
        return tx.setting_source.box.seal(_name(deletion_id), json.dumps(asdict(known), ensure_ascii=False))
    except KeyTroubleError:
        return None


def unseal(store: Store, deletion_id: str, sealed: str | None) -> Known | None:
    """What was sealed; None where it cannot be opened."""
    if sealed is None:
        return None
    try:
        told = json.loads(store.setting_source.box.open(_name(deletion_id), sealed))
    except (UnreadableError, KeyTroubleError):
        return None
    return Known(**{name: tuple(words) for name, words in told.items()})


def clean(store: Store, tables: frozenset[str], wait: Wait, note: Note) -> None:
    """Let the database really let go of what was deleted.

    Args:
        store: whose.
        tables: which tables the erasure changed.
        wait: for the pauses while somebody else uses the file.
        note: told what is being done.

    Raises:
        JobError: the write-ahead log is in use for too long: try again later.
    """
    if isinstance(store, SqliteStore):
        note("merging the index of words")
        merge(store, wait)
        note("emptying the write-ahead log")
        checkpoint(store, wait)
    else:
        note("vacuuming")
        rows.vacuum(store, tables)


def merge(store: SqliteStore, wait: Wait) -> None:
    """Merge the full text index into one piece, so that words of deleted texts are gone from it, in small steps."""
    pages = -_MERGE_PAGES  # a negative first step takes all that there is into the merge
    for _ in range(_MOST_MERGES):
        if store.write(partial(_merge_step, pages=pages)) or wait(0.0):
            return
        pages = _MERGE_PAGES


def checkpoint(store: SqliteStore, wait: Wait, busy_milliseconds: int = _BUSY_MILLISECONDS) -> None:
    """Write everything into the data file and empty the write-ahead log.

    Args:
        store: whose.
        wait: for the pauses between tries.
        busy_milliseconds: how long each try waits for readers and writers by itself.

    Raises:
        JobError: readers or writers are in the way for too long.
    """
    engine = make_engine(store.path)
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql(f"PRAGMA busy_timeout={busy_milliseconds:d}")
            for _ in range(_BUSY_TRIES):
                busy = conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
                if not busy:
                    return
                if wait(_BUSY_SECONDS):
                    break
    finally:
        engine.dispose()
    raise JobError("The data file is in use: its log cannot be emptied now.")


def look(store: Store, known: Known, person_id: str, wait: Wait, note: Note) -> Places:
    """Look for a person's strings everywhere, and shake out the file once if they are left in its free space.

    Raises:
        JobError: the write-ahead log is in use for too long.
    """
    words = rows.words_of(known)
    note("looking through the tables")
    found = rows.search(store, words, person_id)
    if not isinstance(store, SqliteStore):
        return found
    own = [word for word in words if word not in found.shared]
    note("looking through the files")
    in_files = files.search(store.path, own)
    if not found.residue and in_files.residue:
        note("shaking out the data file")
        _vacuum(store)
        checkpoint(store, wait)
        in_files = files.search(store.path, own)
    return found.with_more(in_files)


def _vacuum(store: SqliteStore) -> None:
    engine = make_engine(store.path)
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql("VACUUM")
    finally:
        engine.dispose()


def _merge_step(tx: Tx, *, pages: int) -> bool:
    """One step; whether there was nothing left to do."""
    before = _changes(tx)
    tx.driver_sql(f"INSERT INTO {FTS}({FTS}, rank) VALUES ('merge', ?)", (pages,))  # noqa: S608 - a constant
    return _changes(tx) - before < 2


def _changes(tx: Tx) -> int:
    return int(tx.driver_sql("SELECT total_changes()").scalar_one())


def _name(deletion_id: str) -> str:
    return f"deletion:{deletion_id}"
