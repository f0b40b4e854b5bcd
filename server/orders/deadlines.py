"""The event that did not happen: what an order should do next, by when, and what is said when it does not.

Each state has an expected successor and a time it may take (settings ``deadlines.…``; 0 expects nothing). An order that
is late gets one entry that needs attention; it closes by itself when the step comes, and the story says how late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select, update

from server.activity import service as activity
from server.contract.orders import Expected, FulfilmentStatus
from server.kit.clock import DAY, HOUR, MINUTE, instant
from server.kit.db import Store
from server.kit.tx import Tx
from server.orders.models import order
from server.orders.states import FORWARD
from server.settings import service as settings

OVERDUE: Final = "order.overdue"
BATCH: Final = 500
FORGOTTEN: Final = 30 * DAY
"""An order that has been late for longer, before anybody looked, is history: nobody is told."""

_STEP: Final[dict[FulfilmentStatus, str]] = {
    "submitted": "submitted",
    "processing": "in production",
    "shipped": "shipped",
    "delivered": "delivered",
}
_NOUN: Final[dict[FulfilmentStatus, str]] = {
    "submitted": "Submission",
    "processing": "Production",
    "shipped": "Shipping",
    "delivered": "Delivery",
}
_STAMP: Final[dict[FulfilmentStatus, str]] = {
    "unfulfilled": "paid_at",
    "submitted": "submitted_at",
    "processing": "processing_at",
    "shipped": "shipped_at",
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What follows a state, and how many milliseconds it may take."""

    step: FulfilmentStatus
    time: int


Deadlines = dict[FulfilmentStatus, Allowed]


def deadlines(tx: Tx) -> Deadlines:
    """What each state expects, as the shop's settings have it; a state that expects nothing is left out.

    A shop without a provider submits nothing: there the next thing to happen to a paid order is that it is shipped.
    """
    shipped = settings.get(tx, "deadlines.shipped_hours") * HOUR
    if settings.get(tx, "fulfilment.provider") == "none":
        first = Allowed("shipped", shipped)
    else:
        first = Allowed("submitted", settings.get(tx, "deadlines.submitted_minutes") * MINUTE)
    found: Deadlines = {
        "unfulfilled": first,
        "submitted": Allowed("processing", settings.get(tx, "deadlines.processing_hours") * HOUR),
        "processing": Allowed("shipped", shipped),
        "shipped": Allowed("delivered", settings.get(tx, "deadlines.delivered_days") * DAY),
    }
    return {state: allowed for state, allowed in found.items() if allowed.time}


def expected(tx: Tx, row: Row[Any]) -> Expected | None:
    """The next step of an order and by when; None when nothing is expected of it."""
    allowed, due = _next(deadlines(tx), row)
    if allowed is None:
        return None
    return Expected(status=allowed.step, label=_STEP[allowed.step], by=instant(due), overdue=due <= tx.now)


def tell_overdue(store: Store) -> int:
    """Say which orders are late and have not been said to be, some hundred at a time.

    Returns:
        How many entries were written.
    """
    return store.write(_tell)


def came(tx: Tx, before: Row[Any], step: FulfilmentStatus, at: int) -> None:
    """An order took a step: what was said to be overdue and is settled by it is closed, and its story says how late.

    Args:
        tx: the transaction of the step.
        before: the order as it was.
        step: the state that it is in now.
        at: when that happened, milliseconds UTC.
    """
    late: FulfilmentStatus | None = before.overdue_for
    if late is None or (step in FORWARD and FORWARD.index(step) < FORWARD.index(late)):
        return
    due_at: int = before.overdue_since
    tx.execute(update(order).where(order.c.id == before.id).values(overdue_for=None, overdue_since=None))
    activity.settle(tx, OVERDUE, order_id=before.id)
    if step not in FORWARD:
        return  # failed or cancelled: that is told by itself
    activity.log(
        tx,
        "order.came_late",
        order_id=before.id,
        person_id=before.person_id,
        params={"expected": _NOUN[late], "late_by": span(max(at - due_at, 0)), "due_at": due_at},
        occurred_at=at,
        identity=(before.id, late, "order.came_late"),
        actor=activity.Actor("system"),
    )


def over(tx: Tx, row: Row[Any]) -> None:
    """Nothing is expected of an order any more (its money went back): what was overdue is closed."""
    if row.overdue_for is not None:
        tx.execute(update(order).where(order.c.id == row.id).values(overdue_for=None, overdue_since=None))
        activity.settle(tx, OVERDUE, order_id=row.id)


def span(milliseconds: int) -> str:
    """A length of time as people say it: ``12 min``, ``3 h``, ``2 days``."""
    if milliseconds < HOUR:
        return f"{max(milliseconds // MINUTE, 1)} min"
    if milliseconds < 2 * DAY:
        return f"{milliseconds // HOUR} h"
    return f"{milliseconds // DAY} days"


def _next(rules: Deadlines, row: Row[Any]) -> tuple[Allowed | None, int]:
    allowed = rules.get(row.fulfilment_status) if row.payment_status == "paid" else None
    since = None if allowed is None else getattr(row, _STAMP[row.fulfilment_status])
    if allowed is None or since is None:
        return None, 0
    return allowed, since + allowed.time


def _tell(tx: Tx) -> int:
    told = 0
    for state, allowed in deadlines(tx).items():
        since = order.c[_STAMP[state]]
        due = tx.now - allowed.time
        late = tx.execute(
            select(order)
            .where(order.c.fulfilment_status == state, order.c.payment_status == "paid")
            .where(since <= due, since > due - FORGOTTEN, order.c.overdue_for.is_(None))
            .order_by(order.c.created_at, order.c.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for row in late:
            _say(tx, row, allowed, getattr(row, _STAMP[state]) + allowed.time)
        told += len(late)
    return told


def _say(tx: Tx, row: Row[Any], allowed: Allowed, due_at: int) -> None:
    tx.execute(
        update(order).where(order.c.id == row.id).values(overdue_for=allowed.step, overdue_since=due_at)
    )
    tx.touch("orders")
    activity.log(
        tx,
        OVERDUE,
        order_id=row.id,
        person_id=row.person_id,
        params={"expected": _NOUN[allowed.step], "due_at": due_at},
        identity=(row.id, allowed.step, OVERDUE),
        actor=activity.Actor("system"),
    )
