"""A shop at work: the real kinds of jobs, whose doings a test decides, and a worker that runs what is due when told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from server.jobs import claiming
from server.jobs import service as jobs
from server.jobs.claiming import Claimed
from server.jobs.errors import JobError
from server.jobs.registry import KINDS
from server.jobs.runner import Runner
from server.jobs.work import Then, Work
from server.kit.clock import SECOND
from server.kit.tx import Tx
from tests.flows.world import World

OUT_OF_STOCK = "Printify says: variant 4012 of product 55 is out of stock"
HELD_KINDS = ("order.submit", "mail.send", "catalog.sync")


@dataclass
class Workshop:
    """The jobs of a shop. ``outcomes`` says by id why the attempts of a job fail; the others succeed."""

    world: World
    runner: Runner
    outcomes: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    """The kinds of what was done, in that order."""

    def run(self, work: Work) -> Then | None:
        """An attempt."""
        reason = self.outcomes.get(work.job.id)
        if reason is not None:
            raise JobError(reason)
        self.done.append(work.job.kind)
        return None

    def ask(self, kind: str, number: str | None = None, **how: Any) -> str:
        """Ask for a job, about an order or not: its id."""
        if number is not None:
            how["order_id"] = self.world.get(f"/v1/orders/{number}")["id"]
        return self.world.store.write(partial(jobs.enqueue, kind=kind, **how)).id

    def work(self) -> int:
        """Run all that is due: how many attempts."""
        return self.runner.drain()

    def fail(self, kind: str, number: str | None, reason: str, attempts: int = 1) -> str:
        """A job whose first attempts failed: its id."""
        job_id = self.ask(kind, number)
        self.outcomes[job_id] = reason
        for attempt in range(attempts):
            if attempt:
                self.world.clock.set(self.world.get(f"/v1/jobs/{job_id}")["run_at"])
            self.work()
        del self.outcomes[job_id]
        return job_id

    def begin(self, queue: str) -> Claimed:
        """A worker takes the job of a queue that is due, and is at it."""
        now = self.world.clock.now()
        taken = self.world.store.write(
            partial(claiming.claim, worker=self.runner.worker, free={queue: 1}, until=now)
        )
        assert len(taken) == 1
        return taken[0]

    def tell(self, mine: Claimed, done: int, total: int | None, note: str | None = None) -> None:
        """The job tells how far it is."""
        noted = partial(claiming.note_progress, mine=mine, done=done, total=total, note=note)
        assert self.world.store.write(noted)

    def finish(self, mine: Claimed) -> None:
        """It is done."""
        assert self.world.store.write(partial(claiming.finish, mine=mine, then=None))

    def job(self, job_id: str) -> dict[str, Any]:
        """A job as the server tells it."""
        return self.world.get(f"/v1/jobs/{job_id}")


@contextmanager
def workshop(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A worker for this shop; what its jobs do is the test's."""
    shop = Workshop(world, Runner(world.store, vary=lambda: 0.5))
    for name in HELD_KINDS:
        known = KINDS[name]
        mine = replace(known, run=shop.run, no_retry=None, gave_up=None, cancelled=None)
        monkeypatch.setitem(KINDS, name, mine)
    yield shop


def keep_busy(shop: Workshop) -> dict[str, str]:
    """Jobs in every state on a morning: the id of each, by its state."""
    world = shop.world
    orders = world.get("/v1/orders", limit=20)["items"]
    numbers = {row["customer"]["name"]: row["number"] for row in reversed(orders)}
    found: dict[str, str] = {}
    shop.work()  # the mails of the morning
    world.at("09:21")
    shop.ask("mail.send", numbers["Søren Kjær"])
    found["done"] = shop.ask("order.submit", numbers["Søren Kjær"])
    shop.work()
    world.at("09:40")
    found["exhausted"] = shop.fail("order.submit", numbers["Tom Avery"], OUT_OF_STOCK, attempts=3)
    world.at("10:05")
    found["withdrawn"] = shop.ask("mail.send", numbers["Priya Nair"], hold=5 * SECOND)
    world.store.write(lambda tx: jobs.cancel(tx, found["withdrawn"]))
    found["running"] = shop.ask("catalog.sync", args={"provider": "printify"}, unique="sync:printify")
    shop.tell(shop.begin("sync"), 312, 480, "Printify")
    world.at("10:12")
    found["failed"] = shop.fail(
        "mail.send", numbers["Mei Lin"], "The mail server said: 451 greylisted, try again later"
    )
    world.at("10:14")
    shop.ask("order.submit", numbers["Ana María Restrepo de la Cruz"], delay=90 * SECOND)

    def held(tx: Tx) -> str:
        staff = world.staff.users["support"]
        order = world.get(f"/v1/orders/{numbers['Ines Duarte']}")["id"]
        return jobs.enqueue(tx, "order.submit", hold=5 * SECOND, order_id=order, asked_by=staff).id

    found["held"] = world.store.write(held)
    return found
