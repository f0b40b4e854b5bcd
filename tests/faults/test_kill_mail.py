"""kill -9 of the worker while it hands mail over: no confirmation is lost, and no mail for once comes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from server.activity.models import activity
from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store, open_store
from server.kit.tx import Tx
from server.mail import service as mail
from server.mail.kinds import KINDS
from server.mail.models import mail as mail_table
from server.people.models import person
from server.people.service import find_or_create_customer
from server.practice.mail_server import HOST, MailServer, Step
from server.settings import service as settings
from tests.server.conftest import START, migrated
from tests.server.orders.shop import Shop
from tests.support import mail_worker

ROOT: Final = Path(__file__).parents[2]
STEPS: Final[tuple[Step, ...]] = ("greeting", "sender", "recipient", "mail", "goodbye")
BEFORE_THE_MAIL: Final = ("greeting", "sender", "recipient")


@pytest.fixture(scope="session")
def prepare_database() -> Callable[[str], None]:
    return migrated


@pytest.fixture(autouse=True)
def _kind() -> Iterator[None]:
    mail_worker.once()
    yield
    del KINDS["test"]


@dataclass
class Killer:
    """Kills the worker once for every mail, at the step planned for its recipient.

    Before the recipient is known, a conversation is taken for that of the mail whose turn it is.
    """

    plan: dict[str, Step]
    turns: list[str] = field(default_factory=list)
    worker: int | None = None
    killed: int = 0

    def __call__(self, step: Step, recipient: str | None) -> None:
        who = recipient or next((one for one in self.turns if one in self.plan), None)
        if self.worker is not None and who is not None and self.plan.get(who) == step:
            del self.plan[who]
            self.killed += 1
            os.kill(self.worker, signal.SIGKILL)
            self.worker = None


class Workers:
    """Where workers come from: one process that has everything loaded, and forks."""

    def __init__(self, url: str, data: Path) -> None:
        command = [sys.executable, "-m", "tests.support.mail_worker", url, str(data)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def run(self, now: int, killer: Killer) -> int:
        """Let a worker work until it ends or is killed; its exit status."""
        self._say(str(now))
        killer.worker = self._hear()
        self._say("go")
        status = self._hear()
        assert status in (0, -signal.SIGKILL)
        return status

    def end(self) -> None:
        """No more workers."""
        self._process.kill()
        self._process.communicate(timeout=30)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")

    def _hear(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def ask(store: Store, count: int) -> tuple[list[str], list[str]]:
    """Paid orders, and mails that must come at most once: their recipients."""
    confirmed = [f"order{number}@example.com" for number in range(count)]
    once = [f"once{number}@example.com" for number in range(count)]
    shop = Shop(store)
    for email in confirmed:
        shop.pay(shop.order(customer={"email": email, "name": "Mary Example"}))

    def unit(tx: Tx) -> None:
        for email in once:
            mail.queue(tx, "test", person_id=find_or_create_customer(tx, email=email))

    store.write(unit)
    return confirmed, once


def states(store: Store) -> dict[str, str]:
    """What became of each mail, by recipient."""
    found = select(person.c.email, mail_table.c.state).join(person, person.c.id == mail_table.c.person_id)
    return {row.email: row.state for row in store.read(lambda tx: tx.execute(found).all())}


def told_sent(store: Store) -> Counter[str]:
    """How often an entry says that a confirmation was sent, by recipient."""
    kind = "order.email.confirmation_sent"
    found = select(person.c.email).join(activity, activity.c.person_id == person.c.id)
    return Counter(store.read(lambda tx: tx.execute(found.where(activity.c.type == kind)).scalars().all()))


def ordeal(url: str, data: Path, steps: tuple[Step, ...], rounds: int) -> None:
    """One mail of each kind for each step, and the worker killed in the middle of every one."""
    clock = FrozenClock(START)
    store = open_store(url, data, clock)
    killer = Killer({})
    workers = Workers(url, data)
    try:
        with MailServer(on_step=killer) as post:
            for name, value in {
                "mail.adapter": "smtp",
                "mail.smtp.host": HOST,
                "mail.smtp.port": str(post.port),
                "mail.smtp.security": "none",
                "mail.from_address": "shop@example.com",
            }.items():
                store.write(partial(settings.set_value, name=name, text=value))
            confirmed, once = ask(store, len(steps) * rounds)
            plan: dict[str, Step] = {}
            for group in (confirmed, once):
                plan.update(zip(group, steps * rounds, strict=True))
            killer.plan, killer.turns = dict(plan), [*confirmed, *once]
            for _ in range(len(plan) + 3):
                clock.advance(MINUTE)
                if workers.run(clock.now(), killer) == 0:
                    break
            taken = Counter(one.recipient for one in post.taken)
            names = {one.recipient: set[str]() for one in post.taken}
            for one in post.taken:
                names[one.recipient].add(str(one.message["Message-ID"]))
        assert killer.plan == {}, "every mail was cut off once"
        assert killer.killed == len(plan)
        became, told = states(store), told_sent(store)
        for email in confirmed:
            assert taken[email] >= 1, f"{email} got none ({plan[email]})"
            assert len(names[email]) == 1, "however often it came, it is the same mail"
            assert (became[email], told[email]) == ("sent", 1)
            assert taken[email] == (1 if plan[email] in BEFORE_THE_MAIL else 2)
        for email in once:
            assert taken[email] == 1, f"{email} got {taken[email]} ({plan[email]})"
            assert became[email] == ("sent" if plan[email] in BEFORE_THE_MAIL else "sending")
    finally:
        workers.end()
        store.close()


@pytest.mark.timeout(120)
def test_killed_once_at_every_step(database_url: str, tmp_path: Path) -> None:
    ordeal(database_url, tmp_path, STEPS, 1)


@pytest.mark.deep
def test_killed_at_every_step_again_and_again(database_url: str, tmp_path: Path) -> None:
    ordeal(database_url, tmp_path, STEPS, 25)
