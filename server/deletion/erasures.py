"""The list of erasures beside the data: what a restored backup must be told, in ids and counts.

Every erasure, every one that is scheduled or called off, is a line of ``erasures.jsonl`` (0600) in the data directory,
appended when it has been committed. The table ``deletion`` holds the same: whichever of the two is left after a loss,
``deletion.replay`` carries out again what a backup does not know of. A line names nobody: ids, the mark, times, counts,
and the receipt.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Row, select

from server.deletion.models import deletion
from server.kit.ids import random_text
from server.kit.schema import store_fact
from server.kit.tx import Tx
from server.kit.upsert import upsert

FILE: Final = "erasures.jsonl"
STORE_ID: Final = "store_id"
_HEX: Final = "0123456789abcdef"
DONE: Final = ("erased", "clean", "residue")
_LATER: Final = {"scheduled": 0, "restored": 1, "erased": 2}
_FIELDS: Final = (
    *("id", "person_id", "kind", "mark", "state", "asked_by", "asked_role", "asked_at", "plan_hash"),
    *("due_at", "erased_at", "counts", "receipt", "signature"),
)
_log = logging.getLogger("shopbell.erasures")


_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
_Moment = Annotated[int, Field(ge=0, le=2**53)]


class Entry(BaseModel):
    """A line of the list: a row of ``deletion`` as far as it must outlive the store. Times are milliseconds.

    ``store`` is the id of the store it was made in.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    store: str | None
    id: _Id
    person_id: _Id
    kind: Literal["customer", "staff"]
    mark: Annotated[str, Field(pattern=r"^[0-9A-F]{4}$")]
    state: Literal["scheduled", "restored", "erased"]
    asked_by: _Id | None
    asked_role: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
    asked_at: _Moment
    plan_hash: str | None
    due_at: _Moment | None
    erased_at: _Moment | None
    counts: dict[str, int] | None
    receipt: dict[str, Any] | None
    signature: str | None

    def is_later_than(self, other: Entry) -> bool:
        """Whether this says more of the same deletion than another entry."""
        return _LATER[self.state] > _LATER[other.state]

    def line(self) -> str:
        """The entry as it stands in the list."""
        return self.model_dump_json() + "\n"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list holds: the latest entry of each deletion, by its id, and how many lines could not be read."""

    entries: Mapping[str, Entry]
    broken: int = 0


def remember(tx: Tx, deletion_id: str) -> None:
    """Have a deletion, as it stands when this is called, added to the list once it is committed.

    A line that cannot be written is logged, and added at the next start or backup (`complete`): the table has it.
    """
    folder = tx.setting_source.data_dir
    if folder is None:
        return
    row = tx.execute(select(deletion).where(deletion.c.id == deletion_id)).one()
    entry = _of(row, store_id(tx))

    def add() -> None:
        try:
            append(folder / FILE, [entry])
        except OSError:
            _log.exception("the list of erasures cannot be written")

    tx.after_commit(add)


def store_id(tx: Tx) -> str:
    """What this store is called in its receipts: random, made the first time (needs a writing transaction)."""
    insert = upsert(tx.dialect, store_fact)
    tx.execute(
        insert.values(name=STORE_ID, value=random_text(16, _HEX)).on_conflict_do_nothing(
            index_elements=[store_fact.c.name]
        )
    )
    return str(tx.execute(select(store_fact.c.value).where(store_fact.c.name == STORE_ID)).scalar_one())


def in_table(tx: Tx) -> dict[str, Entry]:
    """Every deletion of the store, by its id."""
    store = _store_id(tx)
    rows = tx.execute(select(deletion).order_by(deletion.c.asked_at, deletion.c.id))
    return {row.id: _of(row, store) for row in rows}


def in_file(path: Path) -> Listed:
    """What a list holds; nothing where there is none.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return Listed({})
    with os.fdopen(handle, encoding="utf-8", errors="replace") as file:
        return read(file)


def read(lines: Iterable[str]) -> Listed:
    """What lines hold. A line that was cut off, or was never one of ours, is counted and left out."""
    found: dict[str, Entry] = {}
    broken = 0
    for line in lines:
        if not line.strip():
            continue
        entry = _entry(line)
        if entry is None:
            broken += 1
        elif (before := found.get(entry.id)) is None or entry.is_later_than(before):
            found[entry.id] = entry
    return Listed(found, broken)


def complete(path: Path, known: Mapping[str, Entry]) -> int:
    """Add to a list what it does not hold yet; how many entries that were.

    Raises:
        OSError: it cannot be read or written.
    """
    listed = in_file(path).entries
    missing = [
        entry
        for entry in known.values()
        if (before := listed.get(entry.id)) is None or entry.is_later_than(before)
    ]
    append(path, missing)
    return len(missing)


def append(path: Path, entries: Iterable[Entry]) -> None:
    """Add entries to a list, durably.

    Raises:
        OSError: it cannot be written.
    """
    text = "".join(entry.line() for entry in entries).encode()
    if not text:
        return
    with _opened(path) as handle:
        size = os.lseek(handle, 0, os.SEEK_END)
        if size and os.pread(handle, 1, size - 1) != b"\n":
            text = b"\n" + text  # a line was cut off: the next one begins on its own
        while text:
            text = text[os.write(handle, text) :]
        os.fsync(handle)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    is_new = not path.exists()
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
        if is_new:
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    finally:
        os.close(handle)


def _of(row: Row[Any], store: str | None) -> Entry:
    told = {name: getattr(row, name) for name in _FIELDS}
    return Entry(store=store, **(told | {"state": "erased" if row.state in DONE else row.state}))


def _entry(line: str) -> Entry | None:
    try:
        return Entry.model_validate_json(line)
    except ValidationError:
        return None


def _store_id(tx: Tx) -> str | None:
    wanted = select(store_fact.c.value).where(store_fact.c.name == STORE_ID)
    found: str | None = tx.execute(wanted).scalar()
    return found
