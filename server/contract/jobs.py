"""Background work as clients see it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.activity import OrderRef
from server.contract.base import ActionState, Answer, Instant, Request

JobState = Literal["waiting", "running", "done", "exhausted", "cancelled"]
JobTab = Literal["all", "running", "waiting", "failed", "exhausted", "done"]
"""``waiting`` were not tried yet; ``failed`` failed and will be tried again. A cancelled job is only under ``all``."""


class Progress(Answer):
    """How far a job is. ``total`` is None while nobody knows."""

    done: int
    total: int | None = None
    note: str | None = None


class Attempt(Answer):
    """One try of a job. ``lost`` means that its worker died. ``error`` may hold a stranger's words."""

    attempt: int
    started_at: Instant
    finished_at: Instant | None = None
    outcome: Literal["done", "failed", "lost"] | None = None
    error: str | None = None


class JobRow(Answer):
    """A job in a list.

    ``label`` is what it does in words. ``run_at`` is when it is due, if it waits. Until ``held_until`` it can be
    taken back and nothing has left. ``outside`` says that its effect leaves the shop.
    """

    id: str
    kind: str
    label: str
    queue: str
    state: JobState
    attempt: int
    max_attempts: int
    run_at: Instant
    held_until: Instant | None = None
    outside: bool = False
    progress: Progress | None = None
    error: str | None = None
    order: OrderRef | None = None
    asked_by: str | None = None
    created_at: Instant
    started_at: Instant | None = None
    finished_at: Instant | None = None
    actions: list[ActionState]


class Job(JobRow):
    """A job whole: its tries, oldest first, and what it was given (ids and numbers only)."""

    attempts: list[Attempt]
    args: dict[str, str | int | bool | None]


class JobCounts(Answer):
    """How many jobs stand under each tab. ``done`` counts those still kept."""

    all: int
    running: int
    waiting: int
    failed: int
    exhausted: int
    done: int


class Queue(Answer):
    """A queue: how many of its jobs run at once in each process, how many wait, and whether somebody paused it."""

    name: str
    label: str
    limit: int
    running: int
    waiting: int
    paused_at: Instant | None = None
    paused_by: str | None = None
    actions: list[ActionState]


class Schedule(Answer):
    """A job that comes by itself. ``when`` says it in words, in the shop's time zone."""

    name: str
    label: str
    when: str
    next_at: Instant
    last_at: Instant | None = None


class Queues(Answer):
    """All queues and all schedules."""

    queues: list[Queue]
    schedules: list[Schedule]


class Enqueued(Answer):
    """What was asked for. ``new`` is False when the same was waiting or running already."""

    job: JobRow
    new: bool


class Ask(Request):
    """Ask for an outside action. ``hold_seconds`` overrides the shop's undo window (0: leave at once)."""

    hold_seconds: Annotated[int, Field(ge=0, le=60)] | None = None
