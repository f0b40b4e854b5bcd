"""What the cart recovery does each night: it lets go of old carts. Suppressions stay."""

from __future__ import annotations

from server.jobs import registry
from server.jobs.jobs import NIGHTLY
from server.jobs.work import Then, Work
from server.kit.tx import Tx
from server.recovery import service as recovery
from server.settings import service as settings


def _prune(_work: Work) -> Then:
    """All of it is one statement, which stands with the done mark."""

    def gone(tx: Tx) -> None:
        recovery.prune(tx, settings.get(tx, "recovery.keep_days"))

    return gone


registry.register(registry.Kind(name="carts.prune", label="Let go of old carts", queue="upkeep", run=_prune))
registry.register_schedule(registry.Schedule(name="carts.prune", kind="carts.prune", when=NIGHTLY))
