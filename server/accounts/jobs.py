"""The nightly pruning of the audit log. It stands here because the log itself is below the jobs."""

from __future__ import annotations

from server.audit.retention import prune
from server.jobs.jobs import NIGHTLY
from server.jobs.registry import Kind, Schedule, register, register_schedule
from server.jobs.work import Work
from server.settings import service as settings


def _prune(work: Work) -> None:
    prune(work.store, work.store.read(lambda tx: settings.get(tx, "audit.retention_days")))


register(Kind(name="audit.prune", label="Let go of old audit entries", queue="upkeep", run=_prune))
register_schedule(Schedule(name="audit.prune", kind="audit.prune", when=NIGHTLY))
