"""Keeps a server alive exactly as long as the process that started this one.

``keeper.py DIRECTORY USER COMMAND…`` runs the command (as the numeric user, ``-`` for the caller's) until
standard input ends. That happens when the caller closes it and also when the caller is killed with -9, so
neither the server nor its directory can outlive a test run. Should the server end by itself, its status
becomes the keeper's. It runs with ``python -I -S`` and imports nothing but the standard library.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

PATIENCE = 10.0  # seconds to end after the request


def main(directory: Path, user: int | None, command: list[str]) -> None:
    """Run the command until standard input ends, then remove the directory."""
    with (directory / "log").open("ab") as log:
        server = subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user,
            group=None if user is None else directory.stat().st_gid,
            extra_groups=None if user is None else [],
        )
    asked_to_end = threading.Event()
    threading.Thread(target=leave_with, args=(server, asked_to_end), daemon=True).start()
    sys.stdin.buffer.read()
    asked_to_end.set()
    server.send_signal(signal.SIGQUIT)  # at once: nothing in it is worth a clean shutdown
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    shutil.rmtree(directory, ignore_errors=True)


def leave_with(server: subprocess.Popen[bytes], asked_to_end: threading.Event) -> None:
    """End this process when the server ends by itself, without waiting for standard input."""
    status = server.wait()
    if not asked_to_end.is_set():
        os._exit(abs(status) or 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), None if sys.argv[2] == "-" else int(sys.argv[2]), sys.argv[3:])
