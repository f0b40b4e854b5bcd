"""Order numbers: ``SS-YYMMDD-XXXX``, counted from 1 on each day of the shop's time zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from server.kit.clock import instant
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.orders.models import order_day
from server.settings import service as settings


def next_number(tx: Tx) -> str:
    """The next number of today. The day's counter moves with the transaction, so no two orders share one.

    A day with more than 9999 orders gets longer numbers.
    """
    zone = settings.get(tx, "shop.time_zone")
    now = instant(tx.now)
    day = (now if zone == "UTC" else now.astimezone(ZoneInfo(zone))).strftime("%y%m%d")
    insert = upsert(tx.dialect, order_day)
    count: int = tx.execute(
        insert.values(day=day, last=1)
        .on_conflict_do_update(index_elements=[order_day.c.day], set_={"last": order_day.c.last + 1})
        .returning(order_day.c.last)
    ).scalar_one()
    return f"SS-{day}-{count:04d}"
