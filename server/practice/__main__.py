"""``python -m server.practice``: the practice shop as a process, for ``shopbell demo``.

Prints one line of JSON, ``{"token": "…", "uds": "…"}``, when the first screen can be shown, and runs until it is told
to stop or the process that started it is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from server.app.maintenance import Maintenance
from server.app.serve import listen, make_server
from server.kit.checks import StoreError
from server.kit.clock import SystemClock
from server.kit.config import ConfigError, make_data_dir
from server.kit.lock import AlreadyRunningError, sole_server
from server.kit.log import start_logging
from server.kit.migrate import SchemaTooNewError
from server.practice import state as memory
from server.practice.clock import PracticeClock, PracticeStore
from server.practice.driver import Driver
from server.practice.household import Household
from server.practice.shop import Keys, furnish, practice_store
from server.practice.state import State, StateError
from server.practice.working import PracticeRunner

DEFAULT_SEED: Final = 1
_LOOK_SECONDS: Final = 1.0
_EXIT_CODES: Final[dict[type[Exception], int]] = {
    AlreadyRunningError: 6,
    ConfigError: 3,
    StateError: 3,
    StoreError: 4,
    SchemaTooNewError: 5,
}
"""The same as those of ``shopbelld``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the practice shop; gives the exit status."""
    given = _parser().parse_args(arguments)
    try:
        run(
            given.data.expanduser().absolute(), given.uds, seed=given.seed, speed=given.speed, days=given.days
        )
    except tuple(_EXIT_CODES) as error:
        sys.stderr.write(f"{error}\n")
        return next(code for kind, code in _EXIT_CODES.items() if isinstance(error, kind))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server.practice", description="The practice shop.")
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of its data; made if it is not there"
    )
    parser.add_argument("--uds", type=Path, required=True, help="Unix socket to listen on")
    parser.add_argument("--seed", type=int, help=f"another seed, another life (default {DEFAULT_SEED})")
    parser.add_argument(
        "--speed", type=_speed, default=1.0, help="how fast its time runs (60: a minute a second)"
    )
    parser.add_argument("--days", type=_days, default=90, help="days of history (default 90)")
    return parser


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.01 <= speed <= 10_000:
        raise argparse.ArgumentTypeError("must be 0.01 to 10000")
    return speed


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 366:
        raise argparse.ArgumentTypeError("must be 1 to 366")
    return days


def run(data: Path, uds: Path, *, seed: int | None, speed: float, days: int) -> None:
    """Serve the practice shop in a data directory until it is told to stop.

    Raises:
        ConfigError, StoreError, StateError, SchemaTooNewError: one sentence, before anything is served.
    """
    make_data_dir(data)
    with contextlib.ExitStack() as around:
        around.enter_context(sole_server(data))
        state = _state(data, seed)
        clock = PracticeClock(max(SystemClock().now(), state.lived))
        start_logging(clock=clock)
        store = around.enter_context(practice_store(data, clock))
        kept = Keys(state.owner_token, state.program_token, state.colleague_token)
        keys = store.write(lambda tx: furnish(tx, kept))
        state.owner_token, state.program_token = keys.owner, keys.program
        state.colleague_token = keys.colleague
        memory.save(data, state)
        asyncio.run(_Process(data, uds, store, clock, state).run(speed, days))


def _state(data: Path, seed: int | None) -> State:
    """What is remembered, or a beginning."""
    state = memory.load(data)
    if state is None:
        state = State(DEFAULT_SEED if seed is None else seed, SystemClock().now())
        memory.save(data, state)
    elif seed is not None and seed != state.seed:
        raise ConfigError(
            f"The practice shop in {data} lives by the seed {state.seed}. Choose another directory."
        )
    return state


class _Process:
    """The server, the driver and what ends them, in one event loop."""

    def __init__(
        self, data: Path, uds: Path, store: PracticeStore, clock: PracticeClock, state: State
    ) -> None:
        self._data = data
        self._uds = uds
        self._store = store
        self._clock = clock
        self._state = state
        self._stop = asyncio.Event()

    async def run(self, speed: float, days: int) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        with Household(self._data, self._store, self._clock, self._state) as house:
            house.connect()
            driver = house.driver(days)
            with listen(house.config, uds=self._uds) as (opened, where):
                server = make_server(house.app)
                serving = asyncio.create_task(server.serve(sockets=[opened]))
                living = asyncio.create_task(self._live(driver, str(where.uds), speed))
                try:
                    await self._until_stopped(serving, living)
                    await _end(living)
                finally:
                    server.should_exit = True
                    await serving

    async def _live(self, driver: Driver, uds: str, speed: float) -> None:
        await driver.open()
        self._clock.run(speed)
        sys.stdout.write(json.dumps({"token": self._state.owner_token, "uds": uds}) + "\n")
        sys.stdout.flush()
        await driver.catch_up()
        runner = PracticeRunner(self._store, self._clock)
        runner.start()
        maintenance = Maintenance(self._store)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(driver.run())
                await driver.filled.wait()
                # Not before: to the present, what the past still waits for would look forgotten.
                maintenance.start()
                try:
                    await asyncio.Event().wait()
                finally:
                    await asyncio.to_thread(maintenance.stop)
        finally:
            await asyncio.to_thread(runner.stop)

    async def _until_stopped(self, *running: asyncio.Task[None]) -> None:
        """Until a signal, the end of the process that started us, or the end of something that should run."""
        parent = os.getppid()
        stopped = asyncio.create_task(self._stop.wait())
        while os.getppid() == parent:
            done, _ = await asyncio.wait(
                {stopped, *running}, timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED"
            )
            if done:
                break
        stopped.cancel()


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end. Raises what it failed with, if it had failed before."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    sys.exit(main())
