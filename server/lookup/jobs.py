"""What the order look-up does each night: it lets go of links that open nothing any more."""

from __future__ import annotations

from server.jobs import registry
from server.jobs.jobs import NIGHTLY
from server.jobs.work import Then, Work
from server.kit.tx import Tx
from server.lookup import service as lookup


def _prune(_work: Work) -> Then:
    """All of it is one statement, which stands with the done mark."""

    def gone(tx: Tx) -> None:
        lookup.prune(tx)

    return gone


registry.register(registry.Kind(name="links.prune", label="Let go of old links", queue="upkeep", run=_prune))
registry.register_schedule(registry.Schedule(name="links.prune", kind="links.prune", when=NIGHTLY))
