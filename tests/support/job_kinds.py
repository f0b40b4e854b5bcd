"""Kinds of jobs for tests in processes of their own, and a program that is `shopbelld` with them.

Run as a program, the first argument says as what. ``hold URL``: a worker on a database, whose clock stands still.
``press URL KEY``: asks for one job and prints whether it was new. ``again ARGUMENTS``: for each line on stdin a
`shopbelld` with these arguments, in a process of its own, forked so that it starts without importing anything; its
number is printed, and a line when it ended.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from sqlalchemy import insert

from server.jobs import service as jobs
from server.jobs.registry import Kind, register
from server.jobs.runner import Runner
from server.jobs.work import Then, Work
from server.kit.clock import FrozenClock
from server.kit.db import open_store
from server.kit.schema import store_fact
from server.kit.tx import Tx

START = "2026-02-23T10:00:00Z"
MOMENT = 0.02
"""Seconds that a job takes outside, so that a kill finds some in the middle."""


def count(work: Work) -> Then:
    """Note before that it began, and with the outcome that it is done."""
    job_id, attempt = work.job.id, work.job.attempt

    def begin(tx: Tx) -> None:
        tx.execute(insert(store_fact).values(name=f"begun {job_id} {attempt}", value="begun"))

    def then(tx: Tx) -> None:
        tx.execute(insert(store_fact).values(name=f"done {job_id} {tx.new_id()}", value=job_id))

    work.store.write(begin)
    work.stopping.wait(MOMENT)
    return then


def hang(work: Work) -> None:
    """Say that it began, and never end."""
    work.progress(0, 1, "hanging")
    threading.Event().wait()


def register_all() -> None:
    """Make them known."""
    register(Kind(name="test.count", label="Count", queue="fulfilment", run=count))
    register(Kind(name="test.mail", label="Count too", queue="mail", run=count))
    register(Kind(name="test.hang", label="Hang", queue="sync", run=hang))


def main(argv: list[str]) -> int:
    """Run as a program."""
    register_all()
    if argv[0] in ("hold", "press"):
        store = open_store(argv[1], Path(), FrozenClock(START))
        if argv[0] == "press":
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            sys.stdin.readline()  # all begin together
            asked = store.write(lambda tx: jobs.enqueue(tx, "test.count", unique=argv[2]))
            sys.stdout.write(f"{asked.new}\n")
            store.close()
            return 0
        Runner(store).start()
        threading.Event().wait()
    assert argv[0] == "again"
    again(argv[1:])
    return 0


def again(arguments: list[str]) -> None:
    """A `shopbelld` for each line on stdin, one after the other."""
    import server.app.running
    import server.app.working  # noqa: F401 - loaded once for all
    from server.cli import main as shopbelld

    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(shopbelld(arguments))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)
        sys.stdout.write("ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
