"""Brings the practice shop to life: its newest days at once, its older ones while somebody watches, then the present.

Each order's story is played whole and in its own order, and each action at its own moment; which day is played first
makes no difference to what is told.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from server.practice.actions import Action
from server.practice.clock import PracticeClock
from server.practice.life import Life, day_of, in_order
from server.practice.player import Player, RefusedError
from server.practice.state import State
from server.practice.tale import LONGEST

_log = logging.getLogger("shopbell.practice")
FIRST_DAYS: Final = 3
"""Days that are there before the first screen."""
_UNAVAILABLE: Final = 503
_AGAIN_SECONDS: Final = 2.0


class Driver:
    """Plays a life against a server.

    Args:
        life: what happens.
        player: carries it out.
        clock: the shop's present.
        state: where the shop stands; kept up to date.
        save: keeps the state.
        days: how many days of history there are, the opening day included.
        pause: seconds to leave to others after each action of the past.
    """

    def __init__(
        self,
        life: Life,
        player: Player,
        clock: PracticeClock,
        state: State,
        save: Callable[[State], None],
        *,
        days: int = 90,
        pause: float = 0.001,
    ) -> None:
        self._life = life
        self._player = player
        self._clock = clock
        self._state = state
        self._save = save
        self._oldest = day_of(life.opened_at) - days + 1
        self._pause = pause
        self._recent_filled = asyncio.Event()
        self.filled = asyncio.Event()
        """Set once all of history has been played."""
        self.refused = 0
        """How many actions the server refused that it should have taken."""

    async def open(self) -> None:
        """Play the newest days up to the opening, unless they have been."""
        if self._state.filled_to is not None:
            return
        today = day_of(self._life.opened_at)
        first = max(self._oldest, today - FIRST_DAYS + 1)
        actions = self._life.opening()
        for day in range(first, today + 1):
            actions += self._life.history(day)
        for action in in_order(actions):
            await self._play(action)
        self._state.filled_to = first
        self._state.lived_to = self._state.rushed_to = self._life.opened_at
        self._save(self._state)

    async def run(self) -> None:
        """Fill in the older days, and live. Never ends by itself."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.fill())
            tasks.create_task(self._live())
            tasks.create_task(self._rush())

    async def fill(self) -> None:
        """Play the older days, from the younger to the older, unless they have been."""
        filled = self._state.filled_to
        if filled is None:
            raise RuntimeError("open the shop first")
        enough = day_of(self._life.opened_at - LONGEST)
        for day in range(filled - 1, self._oldest - 1, -1):
            if day < enough:
                self._recent_filled.set()
            for action in self._life.history(day):
                await self._play(action)
                await asyncio.sleep(self._pause)
            self._state.filled_to = day
            self._save(self._state)
        self._recent_filled.set()
        self.filled.set()

    async def _live(self) -> None:
        # Stories that were under way at the opening go on here, so they must have been begun.
        await self._recent_filled.wait()
        since = self._state.lived_to
        async for action in self._due(self._life.after(since, self._oldest), since):
            await self._play(action)
            self._state.lived_to = action.at
            self._save(self._state)

    async def _rush(self) -> None:
        rushes = self._rushes()
        async for action in self._due(rushes, self._state.rushed_to):
            await self._play(action)
            self._state.rushed_to = action.at
            self._save(self._state)

    def _rushes(self) -> Iterator[Action]:
        """What is left of the rushes watched before, and the one that begins now."""
        state, now = self._state, self._clock.present()
        closed = [(begin, state.rushed_to + 1 if end is None else end) for begin, end in state.rushes]
        state.rushes = [(begin, end) for begin, end in closed if end > now - LONGEST]
        state.rushes.append((now, None))
        state.rushed_to = min(state.rushed_to or now, now)
        streams = [self._life.rush(begin, end) for begin, end in state.rushes]
        return heapq.merge(*streams, key=lambda action: action.at)

    async def _due(self, actions: Iterator[Action], since: int) -> AsyncIterator[Action]:
        """Each action after ``since`` when its time has come; at once, one after the other, when it is past."""
        for action in actions:
            if action.at > since:
                await asyncio.sleep(self._clock.seconds_until(action.at) or self._pause)
                yield action
            else:
                await asyncio.sleep(0)

    async def _play(self, action: Action) -> None:
        while True:
            try:
                await self._player.play(action)
            except RefusedError as refused:
                if refused.status == _UNAVAILABLE:
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                # Whoever practises may have dealt with the order in their own way; its story goes on regardless.
                self.refused += 1
                _log.info("not taken", extra={"fields": {"action": action.key, "status": refused.status}})
            return
