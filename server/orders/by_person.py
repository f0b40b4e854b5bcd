"""The orders of people: how many each has, and the latest of one."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from server.contract.base import Money
from server.contract.people import RecentOrder
from server.kit.clock import instant
from server.kit.tx import Tx
from server.orders.models import order


def counts(tx: Tx, person_ids: Collection[str]) -> dict[str, int]:
    """How many orders people have, by person; one without any is left out. One statement, for a page of people."""
    mine = order.c.person_id.in_(set(person_ids))
    statement = (
        select(order.c.person_id, func.count().label("orders")).where(mine).group_by(order.c.person_id)
    )
    return {row.person_id: row.orders for row in tx.execute(statement)} if person_ids else {}


def latest(tx: Tx, person_id: str, most: int) -> list[RecentOrder]:
    """A person's newest orders, ``most`` of them."""
    statement = (
        select(order)
        .where(order.c.person_id == person_id)
        .order_by(order.c.created_at.desc(), order.c.id.desc())
        .limit(most)
    )
    return [
        RecentOrder(
            id=row.id,
            number=row.number,
            total=Money(amount=row.total, currency=row.currency),
            payment_status=row.payment_status,
            fulfilment_status=row.fulfilment_status,
            created_at=instant(row.created_at),
        )
        for row in tx.execute(statement)
    ]
