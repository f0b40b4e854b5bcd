"""A shop that sends mail: its orders, its mail server, and a worker that runs what is due when told."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import select, update

from server.activity.models import activity, activity_text
from server.contract.mail import MailRow
from server.contract.orders import Order
from server.jobs.models import job, job_attempt
from server.jobs.runner import Runner
from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.paging import PageRequest
from server.mail import service as mail
from server.mail.models import mail as mails_table
from server.mail.service import Queued
from server.orders import mails
from server.orders.policy import MailName
from server.people.models import person
from server.practice.mail_server import HOST, MailServer
from server.settings import service as settings
from tests.server.orders.shop import Shop, caller


class Desk:
    """A store whose mail leaves through ``post``."""

    def __init__(self, store: Store, clock: FrozenClock, post: MailServer) -> None:
        self.store = store
        self.clock = clock
        self.post = post
        self.shop = Shop(store)
        self.runner = Runner(store, vary=lambda: 0.5)
        self.set(
            {
                "shop.name": "Wool & Co",
                "mail.adapter": "smtp",
                "mail.smtp.host": HOST,
                "mail.smtp.port": str(post.port),
                "mail.smtp.security": post.security,
                "mail.from_address": "hello@wool.example",
            }
        )

    def set(self, values: dict[str, str]) -> None:
        """Change settings; an empty text unsets one."""
        for name, value in values.items():
            change = partial(settings.set_value, text=value) if value else settings.unset
            self.store.write(partial(change, name=name))

    def paid(self, **changed: Any) -> Order:
        """An order that was just paid."""
        return self.shop.pay(self.shop.order(**changed))

    def work(self, later: int = 0) -> int:
        """Let time pass (ms), and run what is due then; how many tries at sending there were."""
        before = self._tries()
        self.clock.advance(later)
        self.runner.drain()
        return self._tries() - before

    def _tries(self) -> int:
        of_mails = select(job_attempt.c.job_id).join(job, job.c.id == job_attempt.c.job_id)
        statement = of_mails.where(job.c.kind == mail.SEND)
        return len(self.store.read(lambda tx: tx.execute(statement).all()))

    def send(self, order: Order, kind: MailName, hold_seconds: int | None = 0) -> Queued:
        """Press M."""
        return self.store.write(
            lambda tx: mails.send(tx, order.id, kind, caller=caller("support"), hold_seconds=hold_seconds)
        )

    def mails(self) -> list[MailRow]:
        """All mails, oldest first."""
        return list(reversed(self.store.read(lambda tx: mail.listing(tx, PageRequest())).rows))

    def states(self) -> list[str]:
        """What became of them, oldest first."""
        return [row.state for row in self.mails()]

    def entries(self, order: Order) -> list[str]:
        """The mail entries of an order, oldest first."""
        return [name for name in self.shop.entries(order) if "email" in name]

    def all_words(self) -> str:
        """Every text of mails, jobs and entries, as the database has it."""
        columns = [
            *(mails_table.c.reason, mails_table.c.message_id),
            *(job.c.error, job_attempt.c.error, activity.c.params, activity_text.c.value),
        ]
        found = []
        for column in columns:
            statement = select(column)
            found += self.store.read(lambda tx, wanted=statement: tx.execute(wanted).scalars().all())  # type: ignore[misc]
        return "\n".join(map(str, found))

    def erase(self, order: Order) -> None:
        """Take the customer out of the vault."""
        assert order.customer is not None
        gone = dict.fromkeys(("name", "email", "email_key", "name_key", "phone"))
        person_id = order.customer.id
        self.store.write(
            lambda tx: tx.execute(
                update(person).where(person.c.id == person_id).values(**gone, erased_at=tx.now)
            )
        )
