"""What the order's story says of the tickets beside it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from server.activity import service as activity
from server.activity.service import Actor
from server.kit.access import Principal
from server.kit.tx import Tx


def tell(tx: Tx, event: str, row: Row[Any], caller: Principal, *identity: str) -> None:
    """Write it into the story of the ticket's order; nothing for a ticket that stands beside none.

    Args:
        tx: the transaction.
        event: the entry's type.
        row: the ticket.
        caller: who did it; a shop's program acts for the customer.
        identity: what names this one event.
    """
    if row.order_id is None:
        return
    staff = caller.user_id is not None and caller.may("tickets.read")
    activity.log(
        tx,
        event,
        order_id=row.order_id,
        person_id=row.person_id,
        params={"number": row.number},
        identity=("ticket", *identity),
        actor=Actor("staff", user_id=caller.user_id) if staff else Actor("customer"),
    )
