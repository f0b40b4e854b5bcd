"""One server per data file: a lock that the system takes back when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.kit.config import ConfigError

NAME = "server.lock"


class AlreadyRunningError(ConfigError):
    """Another process holds the data directory."""


@contextmanager
def sole_server(data_dir: Path) -> Iterator[None]:
    """Hold the data directory for the length of a ``with`` block.

    Raises:
        AlreadyRunningError: another process holds it.
    """
    handle = os.open(data_dir / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(
                f"A shopbelld is running on {data_dir} already. Stop it first."
            ) from None
        yield
    finally:
        os.close(handle)
