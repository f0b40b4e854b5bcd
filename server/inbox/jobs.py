"""The inbox's own job: the nightly pruning of settled bodies."""

from __future__ import annotations

from server.inbox.service import prune
from server.jobs.jobs import NIGHTLY
from server.jobs.registry import Kind, Schedule, register, register_schedule
from server.jobs.work import Work


def _prune(work: Work) -> None:
    prune(work.store)


register(Kind(name="inbox.prune", label="Let go of old webhooks", queue="upkeep", run=_prune))
register_schedule(Schedule(name="inbox.prune", kind="inbox.prune", when=NIGHTLY))
