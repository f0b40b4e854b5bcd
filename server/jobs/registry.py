"""The kinds of jobs, the queues they wait in, and the schedules that ask for them. Rooms register theirs at import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from cronsim import CronSim

from server.jobs.work import Job, Then, Work
from server.kit.clock import DAY, HOUR, MINUTE, SECOND, instant, milliseconds
from server.kit.tx import Tx

T = TypeVar("T")
GaveUp = Callable[[Tx, Job, str], None]
Cancelled = Callable[[Tx, Job], None]
Exhausted = Callable[[Tx, Job, str], None]
"""Called with the job and its label (never the reason) in the transaction in which it gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of job.

    Args:
        name: stable, ``room.verb``.
        label: what it does, for people.
        queue: where it waits.
        run: does an attempt. Returns what is to be written with the done mark, or None; raises `JobError` when the
            attempt failed. It may be run again after any step: what it does outside must bear that.
        max_attempts: how often it is tried.
        waits: milliseconds before the second, third … attempt; the last one repeats. Varied by a fifth.
        outside: its effect leaves the shop.
        gave_up: called in the transaction that ends a job whose attempts are used up, with the last reason.
        cancelled: called in the transaction that cancels one.
        no_retry: why a person may not ask for this one again now (a stable code), or None.
    """

    name: str
    label: str
    queue: str
    run: Callable[[Work], Then | None]
    max_attempts: int = 3
    waits: tuple[int, ...] = (MINUTE, 5 * MINUTE)
    outside: bool = False
    gave_up: GaveUp | None = None
    cancelled: Cancelled | None = None
    no_retry: Callable[[Tx, Job], str | None] | None = None

    def wait(self, attempt: int) -> int:
        """Milliseconds to wait after this attempt failed, before they are varied."""
        return self.waits[min(attempt, len(self.waits)) - 1] if self.waits else 0


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: how many of its jobs run at once in each process that works."""

    name: str
    label: str
    limit: int


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, so many milliseconds apart."""

    interval: int

    def next(self, tx: Tx, after: int) -> int:  # noqa: ARG002 - as Cron
        """The next moment after another."""
        return after + self.interval

    def words(self, tx: Tx) -> str:  # noqa: ARG002 - as Cron
        """When, for people."""
        for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")):
            many, rest = divmod(self.interval, size)
            if not rest:
                return f"every {name}" if many == 1 else f"every {many} {name}s"
        return f"every {self.interval} milliseconds"


@dataclass(frozen=True, slots=True)
class Cron:
    """At wall clock times of the shop's time zone, as a crontab's five fields have it.

    A time that a change of the clocks leaves out comes when they have moved; one that comes twice counts once.

    Args:
        fields: the fields, or where to read them.
        said: when, for people; the zone is put behind it. The fields themselves when left out.
    """

    fields: str | Callable[[Tx], str]
    said: str | Callable[[Tx], str] | None = None

    def next(self, tx: Tx, after: int) -> int:
        """The next moment after another."""
        zone = _zone(tx)
        for found in CronSim(_read(self.fields, tx), instant(after).astimezone(zone)):
            at = milliseconds(found.astimezone(UTC))
            if at > after:  # within the hour that comes twice, the first one found has passed
                return at
        raise ValueError("a schedule that never comes")

    def words(self, tx: Tx) -> str:
        """When, for people."""
        said = _read(self.fields, tx) if self.said is None else _read(self.said, tx)
        return f"{said} ({_zone(tx).key})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A job that comes by itself. While the last one still waits or runs, no second one is asked for.

    Args:
        name: stable; what the table remembers it by.
        kind: which kind of job.
        when: `Every` or `Cron` (`NIGHTLY`).
        args: what the job is given.
        label: for people; the kind's when left out.
        unique: the job's key, where others ask for the same; ``schedule:{name}`` when left out.
        wanted: whether it is to come at all now (a setting may have switched it off).
    """

    name: str
    kind: str
    when: Every | Cron
    args: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    unique: str | None = None
    wanted: Callable[[Tx], bool] | None = None


def _read(what: str | Callable[[Tx], str], tx: Tx) -> str:
    return what if isinstance(what, str) else what(tx)


def _zone(tx: Tx) -> ZoneInfo:
    from server.settings import service as settings  # noqa: PLC0415 - not needed to register

    return ZoneInfo(settings.get(tx, "shop.time_zone"))


KINDS: Final[dict[str, Kind]] = {}
QUEUES: Final[dict[str, Queue]] = {}
SCHEDULES: Final[dict[str, Schedule]] = {}
EXHAUSTED: Final[list[Exhausted]] = []


def register(kind: Kind) -> Kind:
    """Make a kind known.

    Raises:
        ValueError: another one has its name, its queue is unknown, or it would never be tried.
    """
    if kind.queue not in QUEUES or kind.max_attempts < 1:
        raise ValueError(f"{kind.name}: an unknown queue, or no attempt")
    return _add(KINDS, kind.name, kind)


def register_queue(queue: Queue) -> Queue:
    """Make a queue known.

    Raises:
        ValueError: another one has its name, or nothing would run in it.
    """
    if queue.limit < 1:
        raise ValueError(f"{queue.name}: nothing would run in it")
    return _add(QUEUES, queue.name, queue)


def register_schedule(schedule: Schedule) -> Schedule:
    """Make a schedule known.

    Raises:
        ValueError: another one has its name, or its kind is unknown.
    """
    if schedule.kind not in KINDS:
        raise ValueError(f"{schedule.name}: an unknown kind")
    return _add(SCHEDULES, schedule.name, schedule)


def on_exhausted(call: Exhausted) -> Exhausted:
    """Have a function called whenever a job gives up."""
    EXHAUSTED.append(call)
    return call


def label_of(kind: str) -> str:
    """What a kind does, in words; its name where nobody here knows it."""
    known = KINDS.get(kind)
    return known.label if known else kind


def _add(known: dict[str, T], name: str, new: T) -> T:
    if name in known:
        raise ValueError(f"{name} is registered already")
    known[name] = new
    return new


register_queue(Queue("fulfilment", "Fulfilment", 2))
register_queue(Queue("mail", "Mail", 2))
register_queue(Queue("sync", "Syncs", 1))
register_queue(Queue("upkeep", "Upkeep", 1))
