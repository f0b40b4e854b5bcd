"""What the carts do each night: those that guests left are let go of."""

from __future__ import annotations

from server.carts import service as carts
from server.jobs import registry
from server.jobs.jobs import NIGHTLY
from server.jobs.work import Work


def _expire(work: Work) -> None:
    while not work.stopping.is_set() and work.store.write(carts.expire):
        pass


registry.register(
    registry.Kind(name="shop_carts.expire", label="Let go of guests' carts", queue="upkeep", run=_expire)
)
registry.register_schedule(
    registry.Schedule(name="shop_carts.expire", kind="shop_carts.expire", when=NIGHTLY)
)
