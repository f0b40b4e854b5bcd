"""What a kind of job is given when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

from server.kit.db import Store
from server.kit.tx import Tx

Then = Callable[[Tx], None]
"""The outcome of an attempt: run in the transaction that marks the job done. Pure database code."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its kind sees it.

    Args:
        id: its id, the same for all attempts.
        kind: its kind's name.
        args: ids and numbers only.
        attempt: which one this is, from 1 on.
        max_attempts: how many it has in all.
        order_id: the order it is about.
        person_id: whom it is about.
        asked_by: the user who asked for it; None for what the shop does by itself.
        created_at: when it was asked for (ms).
    """

    id: str
    kind: str
    args: Mapping[str, Any]
    attempt: int
    max_attempts: int
    order_id: str | None
    person_id: str | None
    asked_by: str | None
    created_at: int

    @property
    def has_next(self) -> bool:
        """Whether there is another attempt should this one fail."""
        return self.attempt < self.max_attempts


def job_of(row: Any) -> Job:
    """The job of a row of the table."""
    return Job(
        id=row.id,
        kind=row.kind,
        args=row.args,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        order_id=row.order_id,
        person_id=row.person_id,
        asked_by=row.asked_by,
        created_at=row.created_at,
    )


class Progress(Protocol):
    """Tells how far a job is."""

    def __call__(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """So much is done, of so much in all (None: nobody knows). Quick to call often: not every call is kept."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """An attempt at work.

    Args:
        job: what is to be done.
        store: for reading, and for writes before the outcome.
        progress: tells how far it is.
        stopping: set when the process ends or the job was given to another worker: leave soon.
    """

    job: Job
    store: Store
    progress: Progress
    stopping: Event
