"""The driver plays a life into a real server: newest days first, each thing at its own moment, once."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.kit.clock import DAY, MINUTE, parse_instant, rfc3339
from server.practice.actions import Action, Fulfil, ResolveOrder, ResolveSaid, Webhook
from server.practice.caller import Caller
from server.practice.clock import PracticeClock, PracticeStore
from server.practice.driver import Driver
from server.practice.household import Household
from server.practice.life import Life, day_of
from server.practice.opening import opening
from server.practice.shop import Keys, furnish, practice_store
from server.practice.state import State
from tests.server.practice.asking import Reader

OPENED = parse_instant("2026-02-23T10:00:00Z")
TODAY = day_of(OPENED)


@dataclass
class Shop:
    """A practice shop in this process."""

    house: Household
    store: PracticeStore
    clock: PracticeClock
    state: State
    saved: list[State] = field(default_factory=list)
    _saved_more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def call(self) -> Caller:
        return self.house.call

    def driver(self, days: int) -> Driver:
        self.house.save = self._save  # type: ignore[method-assign]
        return self.house.driver(days, pause=0)

    def _save(self, state: State) -> None:
        self.saved.append(copy.deepcopy(state))
        self._saved_more.set()

    async def until(self, look: Callable[[State], bool]) -> None:
        """Wait until the driver has saved a state that looks so."""
        while not look(self.state):
            self._saved_more.clear()
            await asyncio.wait_for(self._saved_more.wait(), 20)

    @property
    def reader(self) -> Reader:
        return Reader(self.call, self.state.owner_token)


@asynccontextmanager
async def shop(
    data: Path, state: State | None = None, seed: int = 1, now: int = OPENED
) -> AsyncIterator[Shop]:
    state = state or State(seed, OPENED)
    clock = PracticeClock(max(now, state.lived))
    with practice_store(data, clock) as store:
        keys = store.write(lambda tx: furnish(tx, Keys(state.owner_token, state.program_token)))
        state.owner_token, state.program_token = keys.owner, keys.program
        with Household(data, store, clock, state) as house:
            house.connect()
            yield Shop(house, store, clock, state)


async def played(data: Path, days: int, seed: int = 1) -> list[tuple[Any, ...]]:
    async with shop(data, seed=seed) as one:
        driver = one.driver(days)
        await driver.open()
        await driver.fill()
        assert driver.refused == 0
        return await one.reader.told()


def history(days: int, seed: int = 1) -> list[Action]:
    life = Life(seed, OPENED)
    actions = [action for day in range(TODAY - days + 1, TODAY + 1) for action in life.history(day)]
    return actions + opening(life)


def test_the_same_seed_gives_the_same_shop(tmp_path: Path) -> None:
    one = asyncio.run(played(tmp_path / "one", 4))
    two = asyncio.run(played(tmp_path / "two", 4))
    assert len(one) > 200
    assert one == two
    other = asyncio.run(played(tmp_path / "other", 1, seed=2))
    assert not {row[1] for row in other} <= {row[1] for row in one}


def test_every_entry_stands_at_its_moment_whatever_happens_beside_it(tmp_path: Path) -> None:
    """While old days are filled in, somebody works in the present; neither is stamped with the other's time."""
    present = OPENED + 17

    async def both() -> tuple[list[Any], list[Any]]:
        async with shop(tmp_path) as one:
            driver = one.driver(5)
            await driver.open()
            one.clock.run(1e-9)  # the present has begun, and hardly moves
            filling = asyncio.create_task(driver.fill())
            count = 0
            while not filling.done():
                count += 1
                event = {
                    "type": "custom.watcher.note",
                    "message": f"note {count}",
                    "dedupe_key": f"note {count}",
                }
                await one.reader.post("/v1/activity", event)
                assert parse_instant((await one.reader.get("/v1/pulse"))["now"]) in range(OPENED, present)
            await filling
            assert driver.refused == 0
            assert count > 50
            return await one.reader.entries(), await one.reader.whole_orders()

    entries, orders = asyncio.run(both())
    heard = {rfc3339(action.at) for action in history(5)}
    happened = heard | {rfc3339(action.created) for action in history(5) if isinstance(action, Webhook)}
    happened |= {rfc3339(parse_instant(text)) for action in history(5) if (text := _told_time(action))}
    resolved = {rfc3339(a.at) for a in history(5) if isinstance(a, ResolveOrder | ResolveSaid)}
    now = {rfc3339(at) for at in range(OPENED, present)}
    watched = [entry for entry in entries if entry["type"] == "custom.watcher.note"]
    assert {entry["inserted_at"] for entry in watched} <= now
    ours = {order["number"] for order in orders if order["handled_by"] == "shopbell"}
    told = [
        entry
        for entry in entries
        if entry["type"] != "custom.watcher.note"
        and not entry["type"].startswith(("sync.", "abandoned_cart."))
        and (entry["order"] or {}).get("number") not in ours
    ]
    assert len(told) > 250
    for entry in told:
        assert entry["inserted_at"] in heard, entry
        assert entry["occurred_at"] in happened, entry
        # A failed submission is settled by the one that goes through.
        assert entry["resolved_at"] is None or entry["resolved_at"] in resolved | heard, entry
    assert {order["created_at"] for order in orders} <= heard
    assert min(order["created_at"] for order in orders) < rfc3339(OPENED - 3 * DAY)


def _told_time(action: Action) -> str | None:
    return action.step.occurred_at if isinstance(action, Fulfil) else None


def test_a_handful_of_groups_is_open_at_the_start_and_late_ones_look_late(tmp_path: Path) -> None:
    async def open_only() -> tuple[Any, list[Any], list[Any]]:
        async with shop(tmp_path) as one:
            driver = one.driver(7)
            await driver.open()
            await driver.fill()
            assert driver.refused == 0
            reader = one.reader
            groups = await reader.get("/v1/activity", tab="attention", folded="true")
            return await reader.get("/v1/pulse"), groups["items"], await reader.entries()

    pulse, groups, entries = asyncio.run(open_only())
    assert 3 <= pulse["attention"] <= 8
    assert pulse["shop"]["environment"] == "practice"
    assert max(group["group"]["count"] for group in groups) >= 3, "the same problem, folded"
    late = [
        entry
        for entry in entries
        if parse_instant(entry["inserted_at"]) - parse_instant(entry["occurred_at"]) > 60 * MINUTE
    ]
    assert late
    assert len(late) < len(entries) / 10


def test_after_a_break_it_goes_on_where_it_stood(tmp_path: Path) -> None:
    """Filled in two parts, with a stop after any day, the history is the same as in one go."""

    async def first_part() -> State:
        async with shop(tmp_path / "parts") as one:
            driver = one.driver(6)
            await driver.open()
            filling = asyncio.create_task(driver.fill())
            await one.until(lambda state: state.filled_to == TODAY - 3 and state.filled_part > 9)
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)
            return one.saved[-2]  # what a kill leaves behind: the last action that was played is not in it

    async def second_part(state: State) -> list[tuple[Any, ...]]:
        async with shop(tmp_path / "parts", state) as one:
            driver = one.driver(6)
            await driver.open()
            await driver.fill()
            assert driver.refused == 0
            return await one.reader.told()

    stopped = asyncio.run(first_part())
    assert stopped.filled_to == TODAY - 3
    assert stopped.filled_part > 0
    assert asyncio.run(second_part(stopped)) == asyncio.run(played(tmp_path / "whole", 6))


def test_an_opening_that_was_cut_off_goes_on_where_it_stood(tmp_path: Path) -> None:
    """Killed at any action, and with the last ones played but not remembered: it is the same shop."""

    async def whole() -> list[tuple[Any, ...]]:
        async with shop(tmp_path / "whole") as one:
            await one.driver(3).open()
            return await one.reader.told()

    async def first_part() -> State:
        async with shop(tmp_path / "parts") as one:
            opening = asyncio.create_task(one.driver(3).open())
            await one.until(lambda state: state.supplied_to > OPENED - 80 * MINUTE)
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            assert one.state.filled_to is None
            return one.saved[-3]

    async def second_part(state: State) -> list[tuple[Any, ...]]:
        async with shop(tmp_path / "parts", state) as one:
            driver = one.driver(3)
            await driver.open()
            assert driver.refused == 0
            return await one.reader.told()

    assert asyncio.run(second_part(asyncio.run(first_part()))) == asyncio.run(whole())


def test_life_goes_on_and_stories_of_the_past_with_it(tmp_path: Path) -> None:
    async def an_hour_or_so() -> tuple[Shop, list[Any], set[str]]:
        async with shop(tmp_path) as one:
            driver = one.driver(4)
            await driver.open()
            one.clock.run(36_000)  # ten hours a second
            living = asyncio.create_task(driver.run())
            await one.until(lambda state: min(state.lived_to, state.rushed_to) > OPENED + 60 * MINUTE)
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            assert driver.refused == 0
            whole = await one.reader.whole_orders()
            ours = {order["number"] for order in whole if order["handled_by"] == "shopbell"}
            return one, await one.reader.entries(), ours

    one, entries, ours = asyncio.run(an_hour_or_so())
    after = [entry for entry in entries if parse_instant(entry["inserted_at"]) > OPENED]
    assert {entry["type"] for entry in after} >= {"order.created", "order.submitted", "order.production"}
    moments = {rfc3339(action.at) for action in _until(one.state)}
    past = [entry for entry in after if entry["order"] and entry["order"]["number"] not in ours]
    assert past
    assert {entry["inserted_at"] for entry in past} <= moments
    assert one.state.rushes[-1][1] is None
    assert all(state.lived_to >= OPENED for state in one.saved if state.filled_to is not None)


def _until(state: State) -> list[Action]:
    life = Life(state.seed, state.opened_at)
    lived = life.after(OPENED, TODAY - 3)
    rush = life.rush(state.rushes[-1][0])
    actions: list[Action] = []
    for stream, end in ((lived, state.lived_to), (rush, state.rushed_to)):
        for action in stream:
            if action.at > end + DAY:
                break
            actions.append(action)
    return actions


def test_a_rush_that_was_left_is_not_begun_again_but_its_orders_go_on(tmp_path: Path) -> None:
    async def ten_minutes(state: State | None, rushes: int) -> State:
        def enough(seen: State) -> bool:
            return len(seen.rushes) == rushes and seen.rushed_to > seen.rushes[-1][0] + 10 * MINUTE

        async with shop(tmp_path, state) as one:
            driver = one.driver(3)
            await driver.open()
            one.clock.run(3_600)
            living = asyncio.create_task(driver.run())
            await one.until(enough)
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            assert driver.refused == 0
            return one.saved[-1]

    first = asyncio.run(ten_minutes(None, 1))
    begun = {story for story in first.orders if story.startswith("rush")}
    assert len(begun) >= 3
    second = asyncio.run(ten_minutes(first, 2))
    assert [end is None for _, end in second.rushes] == [False, True]
    names = {name.rpartition("-")[0] for name in second.orders if name.startswith("rush")}
    assert len(names) == 2, "orders of both rushes are under way"
