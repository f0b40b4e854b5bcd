"""What each serving process does by itself, again and again; what the shop does once is a scheduled job."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.app.errors import log_error
from server.app.unreadable import UnreadableSecrets
from server.inbox import service as inbox
from server.kit import checks
from server.kit.db import Store
from server.kit.sqlite import SqliteStore
from server.orders import deadlines

_log = logging.getLogger("shopbell.maintenance")
_LOOK_SECONDS: Final = 2.0


@dataclass(slots=True)
class Chore:
    """Something done again and again.

    Args:
        name: for the log.
        seconds: how long between two times.
        call: what to do; an exception is logged and the chore comes again in its time.
        due: by the monotonic clock.
    """

    name: str
    seconds: float
    call: Callable[[Store], object]
    due: float = 0.0


def chores() -> list[Chore]:
    """What this server does by itself."""
    return [
        Chore("inbox", 2.0, inbox.run_due),
        Chore("deadlines", 60.0, deadlines.tell_overdue),
        Chore("secrets", 60.0, UnreadableSecrets()),
        Chore("pages", 86_400.0, check_pages),
    ]


def check_pages(store: Store) -> bool:
    """Look through the data file; damage is logged and shown by ``/healthz``.

    Returns:
        Whether something is wrong.
    """
    if not isinstance(store, SqliteStore):
        return False
    try:
        checks.check_pages(store.path)
    except checks.StoreError as error:
        store.trouble = error.failure.sentence
        _log.error("the data file is not well", extra={"fields": {"failure": error.failure.kind}})
    return store.trouble is not None


class Maintenance:
    """Runs the chores in a thread of its own, from ``start`` to ``stop``."""

    def __init__(
        self, store: Store, todo: list[Chore] | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._chores = chores() if todo is None else todo
        self._monotonic = monotonic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="maintenance", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done now."""
        self._stop.set()
        self._thread.join()

    def run_due(self) -> None:
        """Do once what is due."""
        for chore in self._chores:
            now = self._monotonic()
            if now < chore.due or self._stop.is_set():
                continue
            chore.due = now + chore.seconds
            try:
                chore.call(self._store)
            except Exception as error:  # noqa: BLE001 - one chore's trouble is not the others', nor the server's
                log_error(error, "maintenance", chore.name)

    def _loop(self) -> None:
        while not self._stop.is_set():
            self.run_due()
            self._stop.wait(_LOOK_SECONDS)
