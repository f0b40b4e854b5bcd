"""Hearing at once from PostgreSQL that another process did something (LISTEN, NOTIFY)."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from server.kit.db import Store

if TYPE_CHECKING:
    import psycopg

_AGAIN_SECONDS = 5.0


class Listener:
    """Listens on a connection of its own, from ``start`` to ``stop``; one that breaks is made again.

    Nothing may depend on it: who hears nothing must look by itself every few seconds.

    Args:
        store: on PostgreSQL.
        channel: what is told; a constant of ours.
        heard: called in the listener's thread for what was told, once for all that came together, and once whenever
            a connection was made, for what was told while nobody listened.
        log: where trouble is noted.
    """

    def __init__(self, store: Store, channel: str, heard: Callable[[], None], log: logging.Logger) -> None:
        self._store = store
        self._channel = channel
        self._heard = heard
        self._log = log
        self._stop = threading.Event()
        self._hear, self._tell = os.pipe()
        self._thread = threading.Thread(target=self._loop, name=f"listener {channel}", daemon=True)

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
                fields = {"channel": self._channel, "because": type(error).__name__}
                self._log.warning("not listening", extra={"fields": fields})
                self._stop.wait(_AGAIN_SECONDS)

    def _listen(self) -> None:
        from server.kit.postgres import PostgresStore  # noqa: PLC0415 - its driver may not be installed

        if not isinstance(self._store, PostgresStore):
            raise TypeError("only PostgreSQL tells other processes")
        with self._store.own_connection() as raw:
            raw.execute(f"LISTEN {self._channel}".encode())
            self._heard()  # what was told while nobody listened
            while not self._stop.is_set():
                select.select([raw.fileno(), self._hear], [], [])
                if _was_told(raw):
                    self._heard()


def _was_told(raw: psycopg.Connection[object]) -> bool:
    raw.pgconn.consume_input()
    told = False
    while raw.pgconn.notifies() is not None:
        told = True
    return told
