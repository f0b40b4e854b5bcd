"""``shopbelld serve``: everything around the server, from the lock to the last commit."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from server.accounts import setup
from server.app import boot
from server.app.assembly import create_app
from server.app.maintenance import Maintenance
from server.app.serve import Listening, listen, run
from server.jobs.runner import Runner
from server.kit.clock import Clock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.lock import sole_server
from server.kit.log import start_logging

_log = logging.getLogger("shopbell.serve")
CODE_FILE = "setup-code"


def serve(
    config: ServerConfig,
    *,
    host: str,
    port: int,
    uds: Path | None = None,
    working: bool = True,
    clock: Clock | None = None,
) -> None:
    """Serve until a signal says to stop; run jobs meanwhile, unless not ``working``.

    Raises:
        ConfigError, StoreError, SchemaTooNewError: one sentence, before anything is served.
    """
    start_logging(clock=clock)
    with contextlib.ExitStack() as around:
        boot.check_place(config)
        if config.is_file:
            around.enter_context(sole_server(config.data_dir))
        store = around.enter_context(boot.checked_store(config, clock))
        for sentence in boot.warnings(config, store):
            _log.warning("at start", extra={"fields": {"sentence": sentence}})
        boot.catch_up(store)
        app = create_app(store, config)
        opened, where = around.enter_context(listen(config, host, port, uds))
        around.enter_context(offered_setup(store, config))
        maintenance = Maintenance(store)
        maintenance.start()
        around.callback(maintenance.stop)
        if working:
            runner = Runner(store, alone=config.is_file)
            runner.start()
            around.callback(runner.stop)
        run(app, opened, ready=lambda: _say_ready(where))


def _say_ready(where: Listening) -> None:
    _log.info("serving", extra={"fields": {"address": str(where)}})


@contextlib.contextmanager
def offered_setup(store: Store, config: ServerConfig) -> Iterator[None]:
    """While the shop has no Owner, a one-time code in a 0600 file and on the console."""
    path = config.data_dir / CODE_FILE
    path.unlink(missing_ok=True)
    code = store.write(setup.new_code)
    if code is not None:
        write_private(path, f"{code}\n")
        sys.stderr.write(
            "This shop has no Owner yet. Make one here with `shopbelld init`, or from afar with this code, "
            f"good for 30 minutes and once: {code}\n"
        )
        sys.stderr.flush()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
