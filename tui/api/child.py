"""Runs a Python module for as long as the process that started it lives.

``child.py MODULE ARGUMENTS…``, run by its path, with a pipe as standard input. When the pipe closes (the parent closed
it, ended, or was killed) the module is asked to end, and a while later made to.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from pathlib import Path

PATIENCE = 8.0
"""Seconds that the module has to end after it was asked to."""


def leave_with(pipe: int) -> None:
    """Wait for the pipe to close, then end this process."""
    while os.read(pipe, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(PATIENCE)
    os._exit(1)


def main() -> None:
    """Run the module named first, with the other arguments as its own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=leave_with, args=(pipe,), daemon=True).start()
    module, sys.argv = sys.argv[1], sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
