"""The worker: takes jobs that are due, runs them, and takes over those whose worker died.

One thread decides, each queue has as many threads as jobs of it run at once. It sleeps until the next job is due or
somebody wakes it, and looks around every ten seconds: it holds its jobs for longer, and sees who no longer does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from server.jobs import claiming, schedules, waking
from server.jobs.claiming import LEASE, Claimed, Held
from server.jobs.errors import JobError
from server.jobs.lanes import Lane, ProgressNotes, Running
from server.jobs.registry import KINDS, QUEUES
from server.jobs.work import Then, Work
from server.kit.clock import SECOND
from server.kit.db import Store
from server.kit.failures import explain
from server.kit.ids import random_fraction
from server.kit.listening import Listener
from server.kit.log import places
from server.kit.tx import Tx

_log = logging.getLogger("shopbell.jobs")

LOOK_SECONDS: Final = 10.0
"""How often a worker looks around; a third of a lease, so that it may miss two."""
GRACE_SECONDS: Final = 10.0
"""How long jobs may go on when the process is to end."""
SURE_SECONDS: Final = 15.0
"""How long a lease that ran out must have been seen unchanged: a clock that jumped ahead takes no job away."""
UNSEEN_SECONDS: Final = LEASE / SECOND + LOOK_SECONDS
"""How long a lease may be seen unchanged, whatever the clock says about its end."""
SPREAD: Final = 0.2
_AFTER_STOP: Final = 10 * SECOND
_TROUBLE_SECONDS: Final = 2.0
_CROWD_SECONDS: Final = 0.1  # what was due had gone to another worker


class Runner:
    """A worker on a store.

    Args:
        store: whose jobs it runs.
        alone: no other process works on this store, so whatever runs when it starts was left by a dead one.
        monotonic: seconds for its own pauses, which no change of the clock touches.
        vary: a number from 0 up to 1, for spreading waits.
        grace: seconds that jobs may go on for after ``stop``.
    """

    def __init__(
        self,
        store: Store,
        *,
        alone: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        vary: Callable[[], float] = random_fraction,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self.worker = store.ids.new()
        self._store = store
        self._alone = alone
        self._monotonic = monotonic
        self._vary = vary
        self._grace = grace
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._running: dict[tuple[str, int], Running] = {}
        self._changed = threading.Condition()
        self._lanes: dict[str, Lane] = {}
        self._seen: dict[Held, float] = {}
        self._look_due = 0.0
        self._next_schedule: int | None = None
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)
        self._listener = (
            Listener(store, waking.CHANNEL, waking.RUNNERS.wake, _log)
            if store.dialect == "postgresql"
            else None
        )

    # -- from start to stop ----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work, in threads of its own."""
        waking.RUNNERS.listen(self._wake.set)
        if self._listener is not None:
            self._listener.start()
        self._thread.start()

    def stop(self) -> None:
        """Take no more jobs, let those that run end within the grace, and put back the rest."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        waking.RUNNERS.leave(self._wake.set)
        if self._listener is not None:
            self._listener.stop()
        with self._changed:
            for running in self._running.values():
                running.stopping.set()
            self._changed.wait_for(lambda: not self._running, self._grace)
            left = list(self._running.values())
        for lane in self._lanes.values():
            lane.end()
        for running in left:
            try:
                self._store.write(partial(claiming.release, mine=running.mine, wait=_AFTER_STOP))
            except Exception as error:  # noqa: BLE001 - the process ends all the same; its lease runs out
                _complain("job not put back", error)

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                pause = self._round()
            except Exception as error:  # noqa: BLE001 - the store's trouble ends; the worker stays
                _complain("worker cannot work", error)
                pause = _TROUBLE_SECONDS
            self._wake.wait(pause)

    def _round(self) -> float:
        """Do what there is to do now; how many seconds there is nothing."""
        if self._monotonic() >= self._look_due:
            self._look_due = self._monotonic() + LOOK_SECONDS
            self._next_schedule = None
            self.renew()
            self.rescue()
        now = self._store.clock.now()
        if self._next_schedule is None or now >= self._next_schedule:
            self._next_schedule = schedules.ask_for_due(self._store) or now + 60 * SECOND
        free = self._free()
        first = self._store.read(lambda tx: claiming.due(tx, free))
        now = self._store.clock.now()
        ready = {queue: free[queue] for queue, at in first.items() if at <= now}
        if ready:
            return 0.0 if self._take(ready, now) else _CROWD_SECONDS
        soonest = min([*first.values(), self._next_schedule])
        return max(0.0, min((soonest - now) / SECOND, self._look_due - self._monotonic()))

    def _free(self) -> dict[str, int]:
        with self._changed:
            busy = [running.mine.queue for running in self._running.values()]
        return {
            name: queue.limit - busy.count(name)
            for name, queue in QUEUES.items()
            if queue.limit > busy.count(name)
        }

    def _take(self, ready: dict[str, int], until: int) -> bool:
        taken = self._store.write(lambda tx: claiming.claim(tx, self.worker, ready, until))
        for mine in taken:
            running = Running(mine)
            with self._changed:
                self._running[running.key] = running
                at_once = sum(other.mine.queue == mine.queue for other in self._running.values())
            if mine.queue not in self._lanes:
                self._lanes[mine.queue] = Lane(mine.queue, self._perform)
            self._lanes[mine.queue].give(running, at_once)
        return bool(taken)

    # -- one job ---------------------------------------------------------------------------------------

    def _perform(self, running: Running) -> None:
        try:
            self._settle(running, self._attempt(running), patient=True)
        except Exception as error:  # noqa: BLE001 - its lease runs out, and then it is rescued
            _complain("job not settled", error)
        finally:
            with self._changed:
                del self._running[running.key]
                self._changed.notify_all()
            self._wake.set()

    def _attempt(self, running: Running) -> Then | Exception | None:
        """Run a job; what came of it."""
        which = running.mine.job
        progress = ProgressNotes(self._store, running, self._monotonic)
        try:
            return KINDS[which.kind].run(Work(which, self._store, progress, running.stopping))
        except Exception as error:  # noqa: BLE001 - whatever a room raises is a failed attempt
            _note_failure(running.mine, error)
            return error
        except BaseException as error:  # noqa: BLE001 - nothing that a job raises ends the worker
            return JobError(type(error).__name__)

    def _settle(self, running: Running, came: Then | Exception | None, *, patient: bool) -> None:
        """Write down what came of an attempt. What the store refuses for a while is tried again, not thrown away."""
        mine = running.mine
        failed = came if isinstance(came, Exception) else self._finish(running, came, patient=patient)
        if failed is None:
            return
        wait = self._wait(mine, failed)
        try:
            self._until_written(running, lambda tx: claiming.fail(tx, mine, failed, wait), patient=patient)
        except Exception as error:
            if explain(error) is not None:
                raise
            _complain("job's end not written as its room wants it", error)
            self._store.write(lambda tx: claiming.fail(tx, mine, failed, wait, hooks=False))

    def _finish(self, running: Running, then: Then | None, *, patient: bool) -> Exception | None:
        """Mark a job done with its outcome; what the outcome raised, if it cannot be written."""
        mine = running.mine
        try:
            self._until_written(running, lambda tx: claiming.finish(tx, mine, then), patient=patient)
        except Exception as error:
            if explain(error) is not None:
                raise
            _note_failure(mine, error)
            return error
        return None

    def _until_written(self, running: Running, unit: Callable[[Tx], bool], *, patient: bool) -> None:
        written: bool | None = None
        while written is None:
            try:
                written = self._store.write(unit)
            except Exception as error:
                if not patient or explain(error) is None or running.stopping.is_set():
                    raise
                _complain("job's outcome waits for the store", error)
                running.stopping.wait(_TROUBLE_SECONDS)
        if not written:
            _log.warning("job was another worker's", extra={"fields": {"job": running.mine.job.id}})

    def _wait(self, mine: Claimed, error: Exception) -> int:
        if isinstance(error, JobError) and error.after is not None:
            return max(0, error.after)
        wait = KINDS[mine.job.kind].wait(mine.job.attempt)
        return round(wait * (1 - SPREAD + 2 * SPREAD * self._vary()))

    # -- looking around --------------------------------------------------------------------------------

    def renew(self) -> None:
        """Hold the jobs in hand for another lease; a job that is another worker's by now is told to leave."""
        with self._changed:
            mine = dict(self._running)
        if not mine:
            return
        still = self._store.write(lambda tx: claiming.renew(tx, self.worker, {job_id for job_id, _ in mine}))
        for key, running in mine.items():
            if key not in still:
                running.stopping.set()

    def rescue(self) -> int:
        """Put back jobs whose worker died, as far as that is sure; how many."""
        now, seen_at = self._store.clock.now(), self._monotonic()
        with self._changed:
            mine = set(self._running)
        others = [
            held
            for held in self._store.read(claiming.held)
            if held.worker != self.worker or (held.id, held.attempt) not in mine
        ]
        self._seen = {held: self._seen.get(held, seen_at) for held in others}
        dead = [held for held in others if self._alone or self._is_dead(held, now, seen_at)]
        rescued = sum(self._store.write(partial(claiming.rescue, dead=held)) for held in dead)
        if rescued:
            _log.warning("jobs of a dead worker put back", extra={"fields": {"count": rescued}})
        return rescued

    def _is_dead(self, held: Held, now: int, seen_at: float) -> bool:
        unchanged = seen_at - self._seen[held]
        return unchanged >= (SURE_SECONDS if held.lease_until <= now else UNSEEN_SECONDS)

    # -- without threads -------------------------------------------------------------------------------

    def drain(self, until: int | None = None) -> int:
        """Run everything that is due, one after the other, in the calling thread; nothing sleeps.

        Args:
            until: due by then (ms); by now when left out. The clock is not moved.

        Returns:
            How many attempts ran.

        Raises:
            Exception: what the store raised; a job's own failure is noted like any other.
        """
        ran = 0
        while True:
            by = self._store.clock.now() if until is None else until
            schedules.ask_for_due(self._store)
            first = self._store.read(lambda tx: claiming.due(tx, QUEUES))
            ready = {at: queue for queue, at in first.items() if at <= by}
            if not ready:
                return ran
            taken = self._store.write(
                partial(claiming.claim, worker=self.worker, free={ready[min(ready)]: 1}, until=by)
            )
            for mine in taken:
                running = Running(mine)
                self._settle(running, self._attempt(running), patient=False)
                ran += 1


def _note_failure(mine: Claimed, error: Exception) -> None:
    """One line: which job and what kind of error, where in our own code; never its words."""
    fields = {
        "kind": mine.job.kind,
        "job": mine.job.id,
        "attempt": mine.job.attempt,
        "because": type(error).__name__,
    }
    if not isinstance(error, JobError):
        fields["where"] = " < ".join(reversed(places(error.__traceback__)))
    _log.warning("attempt failed", extra={"fields": fields})


def _complain(what: str, error: Exception) -> None:
    failure = explain(error)
    fields = {"failure": failure.kind if failure else type(error).__name__}
    if failure is None:
        fields["where"] = " < ".join(reversed(places(error.__traceback__)))
    _log.error(what, extra={"fields": fields})
