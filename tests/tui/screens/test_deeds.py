"""Undo and redo, and calls made for many records at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from server.contract.activity import Resolved
from tui.api.errors import ApiError, Unreachable
from tui.screens.acting import Done, each
from tui.screens.deeds import KEPT, Deed, Deeds


def deed(name: str, count: int = 1) -> Deed:
    return Deed("resolve", tuple(f"{name}{at}" for at in range(count)), count, name)


def test_undo_goes_back_and_redo_forth() -> None:
    deeds = Deeds()
    deeds.did(deed("a"))
    deeds.did(deed("b"))
    assert deeds.to_undo == deed("b")
    deeds.undid(deed("b"))
    assert (deeds.to_undo, deeds.to_redo) == (deed("a"), deed("b"))
    deeds.redid(deed("b"))
    assert (deeds.to_undo, deeds.to_redo) == (deed("b"), None)


def test_a_new_deed_ends_what_could_be_done_again() -> None:
    deeds = Deeds()
    deeds.did(deed("a"))
    deeds.undid(deed("a"))
    deeds.did(deed("b"))
    assert deeds.to_redo is None


def test_what_changed_nothing_is_nothing_to_undo() -> None:
    deeds = Deeds()
    deeds.did(deed("a", count=0))
    assert deeds.to_undo is None


def test_the_oldest_deeds_are_forgotten() -> None:
    deeds = Deeds()
    for number in range(KEPT + 5):
        deeds.did(deed(f"d{number}-"))
    count = 0
    while (last := deeds.to_undo) is not None:
        deeds.undid(last)
        count += 1
    assert count == KEPT


def test_a_deed_is_taken_back_once() -> None:
    deeds = Deeds()
    deeds.did(deed("a"))
    deeds.undid(deed("a"))
    deeds.undid(deed("a"))
    deeds.redid(deed("a"))
    assert deeds.to_redo is None


def calls(outcomes: list[int | ApiError], made: list[int]) -> list[Callable[[], Awaitable[Resolved]]]:
    def call(at: int) -> Callable[[], Awaitable[Resolved]]:
        async def answer() -> Resolved:
            made.append(at)
            outcome = outcomes[at]
            if isinstance(outcome, ApiError):
                raise outcome
            return Resolved(count=outcome, ids=[f"e{at}-{number}" for number in range(outcome)])

        return answer

    return [call(at) for at in range(len(outcomes))]


def run(outcomes: list[int | ApiError]) -> tuple[Done, list[int]]:
    made: list[int] = []
    return asyncio.run(each(calls(outcomes, made), "rows")), made


def test_what_each_call_changed_is_added_up() -> None:
    done, made = run([1, 2, 0, 1, 1, 1])
    assert (done.count, len(done.ids), done.error, done.about) == (6, 6, None, "rows")
    assert sorted(made) == list(range(6))


def test_after_a_failure_nothing_more_is_begun_and_what_was_done_can_be_undone() -> None:
    lost = Unreachable("gone")
    done, made = run([1, 1, lost, 1, 1, 1])
    assert done.error is lost
    assert done.count == 3
    assert sorted(made) == [0, 1, 2, 3]
    assert done.deed("resolve").count == 3
