"""Telling the runners that there is something to do: in this process at once, in others through PostgreSQL."""

from __future__ import annotations

from typing import Final

from server.kit.tx import Tx
from server.kit.waking import Waking

CHANNEL: Final = "shopbell_jobs"
RUNNERS: Final = Waking()
"""The runners of this process; one that has nothing to do sleeps on."""


def wake(tx: Tx) -> None:
    """Wake every runner once this transaction is committed."""
    if tx.dialect == "postgresql":
        tx.driver_sql(f"NOTIFY {CHANNEL}")  # told with the commit, and once for all of the transaction
    tx.after_commit(RUNNERS.wake)
