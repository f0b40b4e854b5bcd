"""Upkeep of the jobs' own and of the kit's tables, each night."""

from __future__ import annotations

from typing import Final

from server.jobs.pruning import prune, prune_answers, prune_events
from server.jobs.registry import Cron, Every, Kind, Schedule, register, register_schedule
from server.jobs.work import Work
from server.kit.clock import HOUR
from server.kit.tx import Tx
from server.settings import service as settings


def _at(tx: Tx) -> str:
    hour, minute = settings.get(tx, "jobs.nightly_at").split(":")
    return f"{int(minute)} {int(hour)} * * *"


NIGHTLY: Final = Cron(_at, said=lambda tx: f"every night at {settings.get(tx, 'jobs.nightly_at')}")
"""Each night, when the shop's setting says."""


def _prune_jobs(work: Work) -> None:
    prune(work.store, work.store.read(lambda tx: settings.get(tx, "jobs.keep_days")))


def _prune_answers(work: Work) -> None:
    prune_answers(work.store)


def _prune_events(work: Work) -> None:
    prune_events(work.store)


register(Kind(name="jobs.prune", label="Let go of old jobs", queue="upkeep", run=_prune_jobs))
register(Kind(name="answers.prune", label="Let go of old answers", queue="upkeep", run=_prune_answers))
register(Kind(name="events.prune", label="Let go of old events", queue="upkeep", run=_prune_events))
register_schedule(Schedule(name="jobs.prune", kind="jobs.prune", when=NIGHTLY))
register_schedule(Schedule(name="answers.prune", kind="answers.prune", when=Every(HOUR)))
register_schedule(Schedule(name="events.prune", kind="events.prune", when=NIGHTLY))
