"""Telling the runners that there is something to do: in this process at once, in others through PostgreSQL."""

from __future__ import annotations

import threading
from typing import Final

from server.kit.tx import Tx

CHANNEL: Final = "shopbell_jobs"
_lock: Final = threading.Lock()
_runners: Final[set[threading.Event]] = set()


def listen_here(event: threading.Event) -> None:
    """Set this event whenever something is to be done, in this process."""
    with _lock:
        _runners.add(event)


def leave(event: threading.Event) -> None:
    """Do not set it any more."""
    with _lock:
        _runners.discard(event)


def wake_here() -> None:
    """Wake the runners of this process; one that has nothing to do sleeps on."""
    with _lock:
        for event in _runners:
            event.set()


def wake(tx: Tx) -> None:
    """Wake every runner once this transaction is committed."""
    if tx.dialect == "postgresql":
        tx.driver_sql(f"NOTIFY {CHANNEL}")  # told with the commit, and once for all of the transaction
    tx.after_commit(wake_here)
