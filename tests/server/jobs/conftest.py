"""Kinds of jobs that live for one test, and a runner whose clocks move when told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select

from server.jobs import registry
from server.jobs.models import job, job_attempt
from server.jobs.registry import Kind, register
from server.jobs.runner import Runner
from server.jobs.work import Then, Work
from server.kit.db import Store
from server.kit.schema import store_fact
from server.kit.tx import Tx


class Hands:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def bare() -> Iterator[None]:
    """No kind, schedule or hook but those that the test registers."""
    known: tuple[dict[str, Any], ...] = (registry.KINDS, registry.SCHEDULES, registry.QUEUES)
    before, hooks = [dict(each) for each in known], list(registry.EXHAUSTED)
    registry.KINDS.clear()
    registry.SCHEDULES.clear()
    registry.EXHAUSTED.clear()
    yield
    for each, was in zip(known, before, strict=True):
        each.clear()
        each.update(was)
    registry.EXHAUSTED[:] = hooks


Add = Callable[..., Kind]


def nothing(work: Work) -> None:
    """Do nothing, successfully."""


@pytest.fixture
def add(bare: None) -> Add:
    """Register a kind: ``add("a.b", run, max_attempts=2)``."""

    def added(name: str = "test.thing", run: Callable[[Work], Then | None] = nothing, **given: Any) -> Kind:
        return register(
            Kind(**{"name": name, "label": name.title(), "queue": "fulfilment", "run": run, **given})
        )

    return added


@pytest.fixture
def runner(store: Store, hands: Hands, bare: None) -> Runner:
    """A runner that was not started, and whose waits are exactly the kind's."""
    return Runner(store, monotonic=hands, vary=lambda: 0.5)


def leave_trace(name: str) -> Then:
    """An outcome: one more row under this name."""

    def then(tx: Tx) -> None:
        tx.execute(insert(store_fact).values(name=f"{name} {tx.new_id()}", value=name))

    return then


def traces(store: Store, name: str) -> int:
    """How often that outcome was written."""
    found = store.read(
        lambda tx: tx.execute(select(store_fact.c.name).where(store_fact.c.value == name)).all()
    )
    return len(found)


def row(store: Store, job_id: str) -> Any:
    """A job as it stands."""
    return store.read(lambda tx: tx.execute(select(job).where(job.c.id == job_id)).one())


def tried(store: Store, job_id: str) -> list[tuple[int, str | None, str | None]]:
    """Its attempts: number, outcome, error."""
    found = store.read(
        lambda tx: tx.execute(
            select(job_attempt.c.attempt, job_attempt.c.outcome, job_attempt.c.error)
            .where(job_attempt.c.job_id == job_id)
            .order_by(job_attempt.c.attempt)
        ).all()
    )
    return [(each.attempt, each.outcome, each.error) for each in found]
