"""Workers that send what is due and end, each a process of its own that is there to be killed.

``mail_worker.py URL DATA`` reads moments (ms) from standard input. For each it forks a worker whose clock stands there,
says its process id, lets it begin at the next line, and says how it ended. Beside the shop's own mails they know one
kind that must come at most once (``test``).
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import server.mail.jobs
import server.orders.mails  # noqa: F401 - they register themselves
from server.jobs.runner import Runner
from server.kit.clock import FrozenClock
from server.kit.db import open_store
from server.kit.tx import Tx
from server.mail.kinds import KINDS, Mail, MailKind, register
from server.mail.service import Composed


def once() -> MailKind:
    """The kind that must come at most once, made known."""

    def compose(tx: Tx, which: Mail) -> Composed:
        return Composed("Once", "Only once.\n")

    def sent(tx: Tx, which: Mail) -> None:
        """Its state says enough."""

    return KINDS.get("test") or register(MailKind("test", "Test mail", compose, sent, at_most_once=True))


def work(url: str, data: Path, now: int) -> None:
    """Take over what a dead worker left, then send everything that is due."""
    store = open_store(url, data, FrozenClock(now))
    try:
        runner = Runner(store, alone=True)
        runner.rescue()
        runner.drain()
    finally:
        store.close()


def main(url: str, data: Path) -> None:
    """Fork one worker for every moment that is asked for."""
    once()
    for line in sys.stdin:
        gate, opener = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(gate, 1)
            try:
                work(url, data, int(line))
            except BaseException:  # noqa: BLE001 - told by the status, and in full on standard error
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)  # noqa: T201
        sys.stdin.readline()
        os.write(opener, b"x")
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201
        os.close(gate)
        os.close(opener)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
