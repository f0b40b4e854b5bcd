"""The face of the jobs: what other rooms call."""

from __future__ import annotations

from server.jobs.asking import Asked, cancel, enqueue, retry
from server.jobs.pruning import prune
from server.jobs.queues import overview, pause, resume
from server.jobs.reading import ListQuery, attempts, by_unique, counts, listing, place, row, rows, whole

__all__ = [
    "Asked",
    "ListQuery",
    "attempts",
    "by_unique",
    "cancel",
    "counts",
    "enqueue",
    "listing",
    "overview",
    "pause",
    "place",
    "prune",
    "resume",
    "retry",
    "row",
    "rows",
    "whole",
]
