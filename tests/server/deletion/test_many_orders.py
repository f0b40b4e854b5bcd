"""Somebody with a hundred thousand orders: one transaction all the same, short, and the shop goes on meanwhile."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest
from sqlalchemy import func, select

from server.contract.deletion import Delete
from server.contract.orders import Address
from server.deletion import service as deletions
from server.deletion.jobs import clean
from server.jobs.models import job
from server.jobs.work import Work, job_of
from server.kit import topics
from server.kit.db import Store
from server.kit.tx import Tx
from server.orders.models import order
from server.people import service as people
from tests.server.conftest import Staff
from tests.server.deletion import world

MANY = [20_000, pytest.param(100_000, marks=pytest.mark.deep)]
SLACK = 4.0
"""Seconds for a machine that does other things: alone it takes two seconds for a hundred thousand orders on SQLite."""

_ORDERS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})
INSERT INTO shop_order (id, number, person_id, address_id, currency, total, payment_status, fulfilment_status,
    fulfilment_error, tracking_number, created_at, updated_at)
SELECT 'order-' || i, 'SS-000000-' || i, '{person}', '{place}', 'GBP', i, 'paid', 'delivered',
    CASE WHEN i % 50 = 0 THEN 'nobody at home' END, 'T-' || i, i, i FROM n
"""
_ENTRIES = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})
INSERT INTO activity (id, type, level, category, internal, order_id, person_id, actor_kind, params, words, identity,
    group_key, occurred_at, inserted_at)
SELECT 'entry-' || i, 'order.paid', 'info', 'orders', 0, 'order-' || i, '{person}', 'system', '{{}}', 'order paid',
    'identity-' || i, 'group-' || i, i, i FROM n
"""
_TEXTS = """
INSERT INTO activity_text (activity_id, name, person_id, occurred_at, value, words)
SELECT id, 'reason', person_id, occurred_at, 'nobody at home', ' nobody at home' FROM activity
WHERE occurred_at % 50 = 0 AND id LIKE 'entry-%'
"""
_MAILS = """
INSERT INTO mail (id, kind, person_id, order_id, message_id, state, created_at)
SELECT 'mail-' || id, 'confirmation', person_id, id, '<' || id || '@shop>', 'sent', created_at FROM shop_order
"""


def fill(tx: Tx, many: int) -> str:
    """A customer with many orders, an entry and a mail for each."""
    who = people.find_or_create_customer(tx, email="mary@example.com", name="Mary Example")
    place = people.add_address(tx, who, Address(line1="12 Long Lane", city="Leeds"))
    for statement in (_ORDERS, _ENTRIES, _TEXTS, _MAILS):
        told = statement.format(many=many, person=who, place=place)
        tx.driver_sql(told if tx.dialect == "sqlite" else told.replace("%", "%%"))
    return who


class Watcher:
    """A client that polls in the middle of it: the pulse, and a page of orders."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.waits: list[float] = []

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.is_set():
            asked = time.perf_counter()
            self._store.version()
            self._store.read(topics.counters)
            self._store.read(lambda tx: tx.execute(select(order.c.number).limit(50)).all())
            self.waits.append(time.perf_counter() - asked)
            self._done.wait(0.005)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("many", MANY)
def test_many_orders(store: Store, staff: Staff, many: int) -> None:
    who = store.write(partial(fill, many=many))
    caller = staff.principal("owner")
    begun = time.perf_counter()
    plan = world.planned(store, who, caller)
    planned = time.perf_counter() - begun
    told = Delete(plan=plan.hash, confirm=plan.confirm)
    begun = time.perf_counter()
    with Watcher(store) as watcher:
        result = store.write(lambda tx: deletions.delete(tx, who, told, caller))
        took = time.perf_counter() - begun
    longest = max(watcher.waits)
    print(  # noqa: T201 - the figure, shown with -s
        f"{store.dialect}: {many} orders planned in {planned:.2f} s, erased in {took:.2f} s, "
        f"{len(watcher.waits)} polls meanwhile, the longest {longest * 1000:.0f} ms"
    )
    counts = result.counts or {}
    assert counts["anonymise orders"] == counts["anonymise e-mail logs"] == many
    assert counts["delete words of others beside entries"] == many // 50
    if store.dialect == "sqlite":  # there everybody who writes waits for it
        assert took < 2.0 * many / 100_000 + SLACK
    assert longest < 1.0
    left = select(func.count()).select_from(order).where(order.c.person_id.is_not(None))
    assert store.read(lambda tx: tx.execute(left).scalar_one()) == 0


def test_the_cleaning_says_how_far_it_is(store: Store, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress of the job, as its list shows it."""
    who = store.write(lambda tx: people.find_or_create_customer(tx, email="mary@example.com"))
    erased = world.delete(store, who, staff.principal("owner"))
    told: list[tuple[int, int | None, str | None]] = []

    def progress(done: int, total: int | None = None, note: str | None = None) -> None:
        told.append((done, total, note))

    row = store.read(lambda tx: tx.execute(select(job).where(job.c.kind == deletions.CLEAN)).one())
    work = Work(job_of(row), store, progress, threading.Event())
    then = clean(work)
    assert then is not None
    store.write(then)
    assert store.read(lambda tx: deletions.get(tx, erased.id)).state == "clean"
    parts = [part for part, _, _ in told]
    assert parts == list(range(1, len(told) + 1))
    assert len(told) >= 2
    assert all(note and total and part <= total for part, total, note in told)
