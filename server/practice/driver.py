"""Brings the practice shop to life: its newest days at once, its older ones while somebody watches, then the present.

Each order's story is played whole and in its own order, and each action at its own moment; which day is played first
makes no difference to what is told. What shopbell does by itself, and what the providers and the mails make of it, is
done in the order of time: for the opening, and for the time through which the shop was closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from server.practice.actions import Action, Fulfil, PlaceOrder
from server.practice.clock import PracticeClock
from server.practice.errands import Errands
from server.practice.life import Life, day_of, in_order
from server.practice.opening import BEGINS, opening
from server.practice.player import Player, RefusedError
from server.practice.state import State
from server.practice.suppliers import Suppliers
from server.practice.tale import LONGEST
from server.practice.working import Overtime

T = TypeVar("T")
_log = logging.getLogger("shopbell.practice")
FIRST_DAYS: Final = 2
"""Days that are there before the first screen."""
_UNAVAILABLE: Final = 503
_AGAIN_SECONDS: Final = 2.0
_SKIPPED_AT_ONCE: Final = 100


class _Stream:
    """Actions in time order, without end, of which those up to a moment have been played."""

    def __init__(self, actions: Iterator[Action], since: int) -> None:
        self._actions = actions
        self._since = since
        self._next: Action | None = None

    async def peek(self) -> Action:
        """The next that has not been played."""
        skipped = 0
        while self._next is None:
            action = next(self._actions)
            if action.at > self._since:
                self._next = action
            skipped += 1
            if skipped % _SKIPPED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return self._next

    def take(self) -> None:
        """It has been played."""
        self._next = None


class Driver:
    """Plays a life against a server.

    Args:
        life: what happens.
        player: carries it out.
        clock: the shop's present.
        state: where the shop stands; kept up to date.
        save: keeps the state.
        suppliers: whom the shop works with.
        errands: does what they have to do.
        overtime: does the shop's jobs of the past.
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
        suppliers: Suppliers,
        errands: Errands,
        overtime: Overtime,
        days: int = 90,
        pause: float = 0.001,
    ) -> None:
        self._life = life
        self._player = player
        self._clock = clock
        self._state = state
        self._save = save
        self._suppliers = suppliers
        self._errands = errands
        self._overtime = overtime
        self._oldest = day_of(life.opened_at) - days + 1
        self._pause = pause
        self._opening = opening(life)
        self._rush: _Stream | None = None
        self._everyday: _Stream | None = None
        self._recent_filled = asyncio.Event()
        self.filled = asyncio.Event()
        """Set once all of history has been played."""
        self.refused = 0
        """How many actions the server refused that it should have taken."""

    # -- the past --------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Play the newest days up to the opening, unless they have been."""
        if self._state.filled_to is not None:
            return
        now = self._life.opened_at
        today = day_of(now)
        first = max(self._oldest, today - FIRST_DAYS + 1)
        actions = [action for action in self._opening if action.at <= now]
        for day in range(first, today + 1):
            actions += self._life.history(day)
        actions = in_order(actions)
        begins = sum(action.at <= now - BEGINS for action in actions)
        for action in actions[self._state.filled_part :]:
            if self._state.filled_part == begins:
                await _whole(self._overtime.sync, now - BEGINS)
            late = self._state.filled_part >= begins
            if late:
                await self._pass_until(action.at)
            await self._play_of_past(action, kept=late)
        await self._pass_until(now)
        await _whole(self._overtime.tell_overdue)
        self._state.filled_to, self._state.filled_part = first, 0
        self._state.lived_to = self._state.rushed_to = self._state.supplied_to = now
        self._save(self._state)

    async def fill(self) -> None:
        """Play the older days, from the younger to the older, unless they have been."""
        filled = self._state.filled_to
        if filled is None:
            raise RuntimeError("open the shop first")
        enough = day_of(self._life.opened_at - LONGEST)
        for day in range(filled - 1, self._oldest - 1, -1):
            if day < enough:
                self._recent_filled.set()
            for action in self._life.history(day)[self._state.filled_part :]:
                await self._play_of_past(action)
                await asyncio.sleep(self._pause)
            self._state.filled_to, self._state.filled_part = day, 0
            self._save(self._state)
        self._recent_filled.set()
        self.filled.set()

    async def _play_of_past(self, action: Action, *, kept: bool = True) -> None:
        """Once jobs run, how far it came is kept at once: they let go of what makes a repetition harmless."""
        await self._play(action)
        self._state.filled_part += 1
        if kept:
            self._save(self._state)

    async def catch_up(self, until: int | None = None) -> None:
        """Live through the time for which the shop was closed as if it had been open, jobs and mails included.

        Args:
            until: the moment to come to; the present when left out.
        """
        streams = [(self._rushes(), "rushed_to")]
        enough = max(self._oldest, day_of(self._life.opened_at - LONGEST))
        if self._state.filled_to is not None and self._state.filled_to <= enough:
            streams.append((self._days(), "lived_to"))
        while True:
            firsts = [(await stream.peek(), stream, name) for stream, name in streams]
            action, stream, name = min(firsts, key=lambda first: first[0].at)
            end = self._clock.present() if until is None else until
            if action.at > end:
                break
            await self._pass_until(action.at)
            await self._live_through(stream, action, name)
            await asyncio.sleep(self._pause)
        await self._pass_until(end)

    async def _pass_until(self, moment: int) -> None:
        """Do all jobs and errands up to a moment, each at its own."""
        agenda = self._suppliers.agenda
        while True:
            job, errand = await _whole(self._overtime.next_at), agenda.next_at()
            first = min((at for at in (job, errand) if at is not None), default=moment + 1)
            if first > moment:
                return
            if first == errand:
                await self._run_errand()
            else:
                await _whole(self._overtime.work, first)

    # -- the present -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Fill in the older days, and live. Never ends by itself."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.fill())
            tasks.create_task(self._live())
            tasks.create_task(self._hurry())
            tasks.create_task(self._run_errands())

    async def _live(self) -> None:
        # Stories that were under way at the opening go on here, so they must have been begun.
        await self._recent_filled.wait()
        await self._follow(self._days(), "lived_to")

    async def _hurry(self) -> None:
        await self._follow(self._rushes(), "rushed_to")

    async def _follow(self, stream: _Stream, name: str) -> None:
        """Play each action when its time has come; at once, one after the other, when it is past."""
        while True:
            action = await stream.peek()
            await asyncio.sleep(self._clock.seconds_until(action.at) or self._pause)
            await self._live_through(stream, action, name)

    async def _live_through(self, stream: _Stream, action: Action, name: str) -> None:
        await self._play(action)
        stream.take()
        setattr(self._state, name, action.at)
        self._save(self._state)

    async def _run_errands(self) -> None:
        """Do what the others have to do, whenever it is due."""
        agenda, changed = self._suppliers.agenda, asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(changed.set)

        agenda.on_change = wake
        while True:
            changed.clear()
            at = agenda.next_at()
            wait = None if at is None else self._clock.seconds_until(at)
            if wait == 0.0:
                await self._run_errand()
                await asyncio.sleep(0)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await changed.wait()

    async def _run_errand(self) -> None:
        due = self._suppliers.agenda.pop()
        if due is not None:
            await self._errands.do(due)
            self._state.supplied_to = max(self._state.supplied_to, due.at)
            self._save(self._state)

    def _days(self) -> _Stream:
        """Everyday life, and how the orders of the opening go on."""
        if self._everyday is None:
            since = self._state.lived_to
            left = iter(self._opening)
            days = self._life.after(since, self._oldest)
            self._everyday = _Stream(heapq.merge(days, left, key=lambda action: action.at), since)
        return self._everyday

    def _rushes(self) -> _Stream:
        """What is left of the rushes watched before, and the one that begins now."""
        if self._rush is None:
            state, now = self._state, self._clock.present()
            closed = [(begin, state.rushed_to + 1 if end is None else end) for begin, end in state.rushes]
            state.rushes = [(begin, end) for begin, end in closed if end > now - LONGEST]
            state.rushes.append((now, None))
            state.rushed_to = min(state.rushed_to or now, now)
            streams = [self._life.rush(begin, end) for begin, end in state.rushes]
            self._rush = _Stream(heapq.merge(*streams, key=lambda action: action.at), state.rushed_to)
        return self._rush

    async def _play(self, action: Action) -> None:
        while True:
            number = self._player.orders.get(action.story)
            try:
                await self._player.play(action)
            except RefusedError as refused:
                if refused.status == _UNAVAILABLE:
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                # Whoever practises may have dealt with the order in their own way; its story goes on regardless.
                self.refused += 1
                _log.info("not taken", extra={"fields": {"action": action.key, "status": refused.status}})
            else:
                self._tell_suppliers(action, number)
            return

    def _tell_suppliers(self, action: Action, number: str | None) -> None:
        """What the shop's own program tells the providers about an order."""
        if isinstance(action, PlaceOrder) and action.manner is not None:
            made = self._player.orders.get(action.story)
            if made is not None:
                self._suppliers.expect(made, action.manner, action.order.customer.email)
        elif isinstance(action, Fulfil) and action.step.status == "cancelled" and number is not None:
            with self._clock.at(action.at):
                self._suppliers.call_off(number)


async def _whole(call: Callable[..., T], *given: Any) -> T:
    """Call something in a thread; who is cancelled meanwhile waits for its end all the same."""
    calling = asyncio.ensure_future(asyncio.to_thread(call, *given))
    try:
        return await asyncio.shield(calling)
    finally:
        if not calling.done():
            await asyncio.wait([calling])
