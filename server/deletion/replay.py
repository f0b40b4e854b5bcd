"""The replay: what a backup that was put back does not know of is done to it again.

Whoever was erased after the backup was made is erased in it, before anything is served. An erasure that was scheduled
since is scheduled again, one that was called off is called off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import Row, insert, select, update

from server.audit import service as audit
from server.deletion import erasing, erasures, grace, planning, traces
from server.deletion.erasures import DONE, Entry, Listed
from server.deletion.models import deletion
from server.deletion.service import CLEAN
from server.jobs import service as jobs
from server.kit import topics
from server.kit.db import Store
from server.kit.tx import Tx
from server.people.models import person

_AT_ONCE: Final = 500
Done = Literal["erased", "scheduled", "restored"]
_ROW: Final = (
    *("id", "person_id", "kind", "mark", "asked_by", "asked_role", "asked_at", "plan_hash", "due_at"),
    *("erased_at", "counts", "receipt", "signature"),
)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many people were erased again, hidden again and restored again, and how many lines could not be read."""

    erased: int = 0
    scheduled: int = 0
    restored: int = 0
    broken: int = 0

    @property
    def anything(self) -> bool:
        """Whether the store was behind the list."""
        return bool(self.erased or self.scheduled or self.restored)

    def sentences(self) -> list[str]:
        """What happened, for people."""
        told = []
        if self.erased:
            told.append(f"{_people(self.erased)} erased again: the data knew nothing of it.")
        if self.scheduled:
            told.append(f"{_people(self.scheduled)} hidden again: the erasure is scheduled.")
        if self.restored:
            told.append(f"{_people(self.restored)} back again: the erasure had been called off.")
        if self.broken:
            told.append(f"{self.broken} lines of the list of erasures cannot be read.")
        return told


def catch_up(store: Store, path: Path | None = None) -> Replayed:
    """Bring the store and the list of its data directory to the same state; before anything is served.

    Args:
        store: whose settings are attached (it knows its data directory).
        path: another list.

    Raises:
        OSError: the list cannot be read or written.
    """
    folder = store.setting_source.data_dir
    file = path if path is not None else None if folder is None else folder / erasures.FILE
    if file is None:
        return Replayed()
    listed = erasures.in_file(file)
    done = replay(store, listed)
    if path is None:
        erasures.complete(file, store.read(erasures.in_table))
    return done


def replay(store: Store, listed: Listed) -> Replayed:
    """Do to the store what a list says and it does not know of, each in a transaction of its own.

    It may be cut off at any moment and begun again.
    """
    if not listed.entries:
        return Replayed(broken=listed.broken)
    behind = store.read(lambda tx: _behind(tx, listed))
    done = [store.write(partial(replay_one, entry=entry)) for entry in behind]
    return Replayed(done.count("erased"), done.count("scheduled"), done.count("restored"), listed.broken)


def replay_one(tx: Tx, entry: Entry) -> Done | None:
    """Do what one entry says; what was to be done for the person, None where nothing was.

    An entry of another store is left alone, unless this store knows the very person.
    """
    there = tx.execute(select(person).where(person.c.id == entry.person_id)).first()
    if there is None and entry.store != erasures.store_id(tx):
        return None
    row = tx.execute(select(deletion).where(deletion.c.id == entry.id).with_for_update()).first()
    if row is None:
        tx.execute(
            insert(deletion).values({name: getattr(entry, name) for name in _ROW} | {"state": entry.state})
        )
    if entry.state == "erased":
        return _erase(tx, entry, row, there)
    if entry.state == "scheduled":
        return _schedule(tx, entry, row, there)
    return _call_off(tx, row)


def _erase(tx: Tx, entry: Entry, row: Row[Any] | None, there: Row[Any] | None) -> Done | None:
    values: dict[str, Any] = {"state": "erased", "erased_at": entry.erased_at or tx.now}
    values |= {"receipt": entry.receipt, "signature": entry.signature, "counts": entry.counts}
    if there is None or there.erased_at is not None:
        if row is not None and row.state not in DONE:
            tx.execute(update(deletion).where(deletion.c.id == entry.id).values(values))
        return None
    about = planning.subject(tx, entry.person_id)
    values["sealed"] = traces.seal(tx, entry.id, about.known)
    done = erasing.erase(tx, about)
    values["counts"] = {**done, **(entry.counts or {})}
    tx.execute(
        update(deletion).where(deletion.c.id == entry.id).values(values | {"scan": None, "scanned_at": None})
    )
    audit.record(
        tx,
        "person.erased_again",
        caller=None,
        resource_type="person",
        resource_id=entry.person_id,
        target_user_id=about.user_id,
        metadata={"kind": entry.kind, "deletion_id": entry.id},
    )
    topics.publish(tx, "user_deleted", grace.TOPIC, person_id=entry.person_id, user_id=about.user_id)
    jobs.enqueue(tx, CLEAN, {"deletion_id": entry.id}, unique=f"{CLEAN}:{entry.id}")
    return "erased"


def _schedule(tx: Tx, entry: Entry, row: Row[Any] | None, there: Row[Any] | None) -> Done | None:
    if row is not None or there is None or there.erased_at is not None:
        return None
    grace.put_away(tx, entry.id)
    return "scheduled"


def _call_off(tx: Tx, row: Row[Any] | None) -> Done | None:
    if row is None or row.state != "scheduled":
        return None
    grace.take_back(tx, row)
    return "restored"


def _behind(tx: Tx, listed: Listed) -> list[Entry]:
    """The entries of which the store knows less: of the deletion itself, or by a person who is still there."""
    known = erasures.in_table(tx)
    entries = sorted(listed.entries.values(), key=lambda entry: (entry.asked_at, entry.id))
    erased = [entry.person_id for entry in entries if entry.state == "erased"]
    there: set[str] = set()
    for start in range(0, len(erased), _AT_ONCE):
        some = person.c.id.in_(erased[start : start + _AT_ONCE]) & person.c.erased_at.is_(None)
        there.update(tx.execute(select(person.c.id).where(some)).scalars())
    return [
        entry
        for entry in entries
        if (mine := known.get(entry.id)) is None
        or entry.is_later_than(mine)
        or (entry.state == "erased" and entry.person_id in there)
    ]


def _people(many: int) -> str:
    return "1 person was" if many == 1 else f"{many} people were"
