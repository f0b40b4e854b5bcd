"""``shopbelld work``: a process that only runs jobs, beside servers on PostgreSQL."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from server.app import boot, registered  # noqa: F401 - the rooms' jobs
from server.jobs.runner import Runner
from server.kit.clock import Clock
from server.kit.config import ServerConfig
from server.kit.lock import AlreadyRunningError, sole_server
from server.kit.log import start_logging

_log = logging.getLogger("shopbell.work")


def work(config: ServerConfig, *, clock: Clock | None = None) -> None:
    """Run jobs until SIGTERM or SIGINT.

    Raises:
        AlreadyRunningError: the shop's data is a file and a server has it.
        ConfigError, StoreError, SchemaTooNewError: one sentence, before anything is run.
    """
    start_logging(clock=clock)
    stop = threading.Event()
    with contextlib.ExitStack() as around:
        boot.check_place(config)
        if config.is_file:
            around.enter_context(_sole_worker(config))
        store = around.enter_context(boot.checked_store(config, clock))
        boot.catch_up(store)
        around.enter_context(_told_to(stop))
        runner = Runner(store, alone=config.is_file)
        runner.start()
        around.callback(runner.stop)
        _log.info("working", extra={"fields": {"worker": runner.worker}})
        stop.wait()


@contextlib.contextmanager
def _sole_worker(config: ServerConfig) -> Iterator[None]:
    with contextlib.ExitStack() as around:
        try:
            around.enter_context(sole_server(config.data_dir))
        except AlreadyRunningError:
            raise AlreadyRunningError(
                f"A shopbelld is running on {config.data_dir}. It runs the jobs itself: a second process can work "
                "only where the shop's data is in PostgreSQL (SHOPBELL_DATABASE_URL)."
            ) from None
        yield


@contextlib.contextmanager
def _told_to(stop: threading.Event) -> Iterator[None]:
    """Set the event on the signals that end a process."""

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
