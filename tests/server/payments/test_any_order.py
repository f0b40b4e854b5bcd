"""Whatever order events come in, however often: the end is the same."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from server.activity.models import activity
from server.inbox.models import inbox
from server.kit.db import Store
from server.orders.models import order
from tests.server.payments.desk import Desk
from tests.support.stripe_events import AT, Purchase

_STAMPS = ("paid_at", "payment_failed_at", "refunded_at")


def _end(store: Store, buys: Purchase) -> dict[str, Any]:
    """Everything that the events of a purchase led to."""

    def unit(tx: Any) -> dict[str, Any]:
        found = tx.execute(select(order).where(order.c.payment_intent == buys.intent)).all()
        entries = tx.execute(
            select(activity.c.type, activity.c.params, activity.c.occurred_at)
            .where(activity.c.order_id.in_([row.id for row in found]))
            .order_by(activity.c.type, activity.c.occurred_at)
        ).all()
        states = tx.execute(
            select(inbox.c.state).where(inbox.c.event_id.like(f"evt_{buys.name}_%"))
        ).scalars()
        return {
            "orders": [
                (row.payment_status, row.refunded, row.total, *(getattr(row, stamp) for stamp in _STAMPS))
                for row in found
            ],
            "entries": [(row.type, row.params, row.occurred_at) for row in entries],
            "states": set(states),
        }

    return store.read(unit)


def _events(buys: Purchase, *, twice: bool) -> list[dict[str, Any]]:
    """The life of a debit that failed, came after all, and was given back in two parts."""
    name = f"evt_{buys.name}_"
    again = "again" if twice else ""
    return [
        buys.awaiting(event_id=f"{name}placed{again}", created=AT - 500),
        buys.failed(event_id=f"{name}failed{again}", created=AT - 400),
        buys.succeeded(event_id=f"{name}paid{again}", created=AT - 300),
        buys.refund(1000, event_id=f"{name}part{again}", created=AT - 200),
        buys.refund(4300, event_id=f"{name}all{again}", created=AT - 100),
    ]


def _wanted() -> list[tuple[str, int]]:
    return [
        ("order.created", AT - 500),
        ("order.paid", AT - 300),
        ("order.payment_failed", AT - 400),
        ("order.refunded", AT - 200),
        ("order.refunded", AT - 100),
    ]


_turn = iter(range(1, 1_000_000))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.permutations([0, 1, 2, 3, 4]),
    repeats=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4), st.booleans()), max_size=6),
    named=st.booleans(),
)
def test_any_order_with_any_repeats_ends_the_same(
    desk: Desk, told: list[int], repeats: list[tuple[int, int, bool]], named: bool
) -> None:
    turn = next(_turn)
    reference = desk.order()["number"] if named else None
    buys = Purchase(f"turn{turn}", reference=reference)
    once, again = _events(buys, twice=False), _events(buys, twice=True)
    events = [once[number] for number in told]
    for place, number, other_id in repeats:
        events.insert(place, (again if other_id else once)[number])
    desk.tell(*events)
    end = _end(desk.store, buys)
    assert end["orders"] == [
        ("refunded", 4300, 4300, (AT - 300) * 1000, (AT - 400) * 1000, (AT - 100) * 1000)
    ]
    assert [(kind, at // 1000) for kind, _, at in end["entries"]] == _wanted()
    assert end["states"] == {"done"}


def test_all_at_once_ends_the_same(desk: Desk) -> None:
    for turn in range(6):
        buys = Purchase(f"crowd{turn}")
        events = _events(buys, twice=False) * 2 + _events(buys, twice=True)
        gate = threading.Barrier(len(events))
        problems: list[Exception] = []

        def one(
            told: dict[str, Any], gate: threading.Barrier = gate, problems: list[Exception] = problems
        ) -> None:
            try:
                gate.wait(20)
                desk.tell(told)
            except Exception as problem:  # noqa: BLE001 - shown below
                problems.append(problem)

        threads = [threading.Thread(target=one, args=(told,)) for told in events]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not problems
        end = _end(desk.store, buys)
        assert end["orders"] == [
            ("refunded", 4300, 4300, (AT - 300) * 1000, (AT - 400) * 1000, (AT - 100) * 1000)
        ]
        assert [(kind, at // 1000) for kind, _, at in end["entries"]] == _wanted()
        assert end["states"] == {"done"}
