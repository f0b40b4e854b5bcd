"""Hearing from PostgreSQL at once that another process asked for a job."""

from __future__ import annotations

import logging
import os
import select
import threading
from typing import TYPE_CHECKING

from server.jobs.waking import CHANNEL, wake_here
from server.kit.db import Store

if TYPE_CHECKING:
    import psycopg

_log = logging.getLogger("shopbell.jobs")
_AGAIN_SECONDS = 5.0


class Listener:
    """Listens on a connection of its own, from ``start`` to ``stop``; one that breaks is made again.

    Nothing depends on it: a runner that hears nothing looks by itself every few seconds.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = threading.Event()
        self._hear, self._tell = os.pipe()
        self._thread = threading.Thread(target=self._loop, name="jobs-listener", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        os.write(self._tell, b".")
        self._thread.join()
        os.close(self._hear)
        os.close(self._tell)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 - whatever broke it, it is made again
                _log.warning("not listening for jobs", extra={"fields": {"because": type(error).__name__}})
                self._stop.wait(_AGAIN_SECONDS)

    def _listen(self) -> None:
        from server.kit.postgres import PostgresStore  # noqa: PLC0415 - its driver may not be installed

        if not isinstance(self._store, PostgresStore):
            raise TypeError("only PostgreSQL tells other processes")
        with self._store.own_connection() as raw:
            raw.execute(f"LISTEN {CHANNEL}".encode())
            wake_here()  # what was told while nobody listened
            while not self._stop.is_set():
                select.select([raw.fileno(), self._hear], [], [])
                if self._heard(raw):
                    wake_here()

    def _heard(self, raw: psycopg.Connection[object]) -> bool:
        raw.pgconn.consume_input()
        heard = False
        while raw.pgconn.notifies() is not None:
            heard = True
        return heard
