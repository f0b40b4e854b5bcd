"""The log's own job, the nightly pruning, and the entry that is written when any job gives up."""

from __future__ import annotations

from server.activity.log import Actor, log
from server.activity.retention import prune
from server.jobs.jobs import NIGHTLY
from server.jobs.registry import Kind, Schedule, on_exhausted, register, register_schedule
from server.jobs.work import Job, Work
from server.kit.tx import Tx
from server.settings import service as settings


def _prune(work: Work) -> None:
    prune(work.store, work.store.read(lambda tx: settings.get(tx, "activity.retention_days")))


def tell_exhausted(tx: Tx, job: Job, label: str) -> None:
    """A job gave up: its label and how often it was tried; the reason stays with the attempt."""
    log(
        tx,
        "job.exhausted",
        order_id=job.order_id,
        person_id=job.person_id,
        params={"job": label, "attempts": job.attempt, "kind": job.kind, "job_id": job.id},
        identity=(job.id, job.attempt),
        actor=Actor("job", name=label),
    )


register(Kind(name="activity.prune", label="Let go of old activity", queue="upkeep", run=_prune))
register_schedule(Schedule(name="activity.prune", kind="activity.prune", when=NIGHTLY))
on_exhausted(tell_exhausted)
