"""What begins when a grace period ends, and what a person's record offers: wired at import."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select

from server.deletion import grace, planning, service
from server.deletion.models import deletion
from server.directory import hooks
from server.jobs.registry import Kind, register
from server.jobs.work import Job, Then, Work
from server.kit.clock import HOUR, MINUTE
from server.kit.problems import ProblemError
from server.kit.tx import Tx


def run(work: Work) -> Then:
    """An attempt of the job ``deletion.due``: the erasure stands together with the done mark."""
    return partial(end, deletion_id=str(work.job.args["deletion_id"]))


def end(tx: Tx, *, deletion_id: str) -> None:
    """Erase the person of a scheduled deletion, if its time has come and nobody called it off."""
    if not grace.is_due(tx, deletion_id):
        return
    wanted = select(deletion.c.person_id).where(deletion.c.id == deletion_id)
    person_id = str(tx.execute(wanted).scalar_one())
    service.finish(tx, planning.subject(tx, person_id), deletion_id)


def keep(tx: Tx, job: Job) -> None:
    """Refuse to withdraw the job alone: the person would stay hidden, neither restored nor ever erased.

    Raises:
        ProblemError: 409 ``deletion_scheduled`` while the erasure is awaited.
    """
    wanted = select(deletion.c.state).where(deletion.c.id == str(job.args["deletion_id"]))
    if tx.execute(wanted).scalar() == "scheduled":
        raise ProblemError(
            409,
            "deletion_scheduled",
            "This job ends a grace period. Restore the person to call the erasure off.",
        )


register(
    Kind(
        name=grace.DUE,
        label="Erase a person when the grace period ends",
        queue="upkeep",
        run=run,
        cancelled=keep,
        max_attempts=10,
        waits=(MINUTE, 10 * MINUTE, HOUR),
    )
)
hooks.offer(grace.offer)
