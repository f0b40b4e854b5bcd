"""The job that follows every erasure: the files let go of the person, and are searched for what is left.

Where something is left, the shop is told, and every night it is looked for again, until it is gone or a month is over.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from sqlalchemy import Row, select, update

from server.activity import service as activity
from server.activity.service import Actor
from server.deletion import erasing, traces
from server.deletion.models import deletion
from server.deletion.rows import Places
from server.deletion.service import CLEAN
from server.jobs import service as jobs
from server.jobs.jobs import NIGHTLY
from server.jobs.registry import Kind, Schedule, register, register_schedule
from server.jobs.work import Then, Work
from server.kit.clock import DAY, MINUTE
from server.kit.tx import Tx
from server.people import erasure
from server.people.erasure import Subject

LOOK_AGAIN: Final = "deletion.look_again"
LOOKED_FOR: Final = 30 * DAY
"""How long what is left is looked for again."""
RESIDUE: Final = "deletion.residue"
_STEPS: Final = 4


def clean(work: Work) -> Then | None:
    """An attempt of the job ``deletion.clean``.

    Raises:
        JobError: the data file is in use; try again later.
    """
    row = work.store.read(lambda tx: _row(tx, str(work.job.args["deletion_id"])))
    if row is None or row.state not in ("erased", "residue", "clean"):
        return None
    steps = iter(range(1, _STEPS + 1))

    def note(what: str) -> None:
        work.progress(next(steps, _STEPS), _STEPS, what)

    work.store.write(partial(_take_latecomers, row=row))
    traces.clean(work.store, _tables(row), work.stopping.wait, note)
    known = traces.unseal(work.store, row.id, row.sealed)
    if known is None:
        return partial(_not_looked_for, row=row)
    places = traces.look(work.store, known, row.person_id, work.stopping.wait, note)
    return partial(_note, row=row, places=places)


def _take_latecomers(tx: Tx, *, row: Row[Any]) -> None:
    """What was tied to the person in the very moment of the erasure follows them. By ids alone: the same address may
    be a new customer's by now."""
    subject = Subject(row.person_id, None, row.mark, row.erased_at or tx.now)
    erasing.erase(tx, subject)


def _tables(row: Row[Any]) -> frozenset[str]:
    counted = row.counts or {}
    return frozenset(rule.table.name for rule in erasure.rules() if rule.key in counted) | {
        entry.table.name for entry in erasure.mentions() if erasing.key_of(entry) in counted
    }


def _note(tx: Tx, *, row: Row[Any], places: Places) -> None:
    """Keep what was found. While something is left, whom to look for stays sealed; then it goes."""
    now = _row(tx, row.id)
    if now is None:
        return
    told = [{"place": place, "found": many} for place, many in sorted(places.residue.items())]
    told += [
        {"place": place, "found": many, "expected": True} for place, many in sorted(places.expected.items())
    ]
    values: dict[str, Any] = {
        "state": "residue" if places.residue else "clean",
        "scan": told,
        "scanned_at": tx.now,
    }
    if not places.residue:
        values["sealed"] = None
        activity.settle(tx, RESIDUE, person_id=row.person_id)
    tx.execute(update(deletion).where(deletion.c.id == row.id).values(values))
    tx.touch("people")
    if places.residue:
        activity.log(
            tx,
            RESIDUE,
            person_id=row.person_id,
            params={"found": sum(places.residue.values()), "places": ", ".join(sorted(places.residue))},
            identity=("deletion", row.id),
            actor=Actor("job", name=CLEAN),
        )


def _not_looked_for(tx: Tx, *, row: Row[Any]) -> None:
    """The files were cleaned; whom to look for cannot be read, so nothing is claimed."""
    tx.execute(
        update(deletion).where(deletion.c.id == row.id).values(sealed=None, scan=[], scanned_at=tx.now)
    )
    tx.touch("people")


def _row(tx: Tx, deletion_id: str) -> Row[Any] | None:
    return tx.execute(select(deletion).where(deletion.c.id == deletion_id)).first()


def _look_again(_work: Work) -> Then:
    def ask(tx: Tx) -> None:
        old = deletion.c.sealed.is_not(None) & (deletion.c.erased_at < tx.now - LOOKED_FOR)
        tx.execute(update(deletion).where(old).values(sealed=None))
        left = select(deletion.c.id).where(deletion.c.sealed.is_not(None), deletion.c.erased_at.is_not(None))
        for deletion_id in tx.execute(left).scalars().all():
            jobs.enqueue(tx, CLEAN, {"deletion_id": deletion_id}, unique=f"{CLEAN}:{deletion_id}")

    return ask


register(
    Kind(
        name=CLEAN,
        label="Clean up after an erasure",
        queue="upkeep",
        run=clean,
        max_attempts=8,
        waits=(MINUTE, MINUTE, 5 * MINUTE, 30 * MINUTE),
    )
)
register(Kind(name=LOOK_AGAIN, label="Look again for what erasures left", queue="upkeep", run=_look_again))
register_schedule(Schedule(name=LOOK_AGAIN, kind=LOOK_AGAIN, when=NIGHTLY))
