"""Undo and redo, and calls made for many records at once."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from server.contract.activity import Entry, Resolved
from server.contract.base import Page
from tests.tui.screens.test_unfolding import entry
from tui.api.client import Client, FeedQuery
from tui.api.errors import ApiError, Unreachable
from tui.screens.acting import BY_NAME, Done, fulfil, of_these, take_back
from tui.screens.deeds import KEPT, Act, Deed, Deeds, Sending, Wish


def deed(name: str, count: int = 1) -> Deed:
    wish = Wish("resolve", "entry", name)
    return Deed("resolve", (Act(wish, tuple(f"{name}{at}" for at in range(count)), count),), name)


def test_undo_goes_back_and_redo_forth() -> None:
    deeds = Deeds()
    deeds.did(deed("a"))
    deeds.did(deed("b"))
    assert deeds.to_undo == deed("b")
    deeds.undid(deed("b"))
    assert (deeds.to_undo, deeds.to_redo) == (deed("a"), deed("b"))
    deeds.redid(deed("b"), deed("b"))
    assert (deeds.to_undo, deeds.to_redo) == (deed("b"), None)


def test_what_was_sent_is_taken_back_once_and_never_done_again_by_a_key() -> None:
    deeds, sending = Deeds(), Sending("submit", "job", "SS-260223-0009", "Printify")
    deeds.did(deed("a"))
    deeds.sent(sending)
    assert deeds.to_undo is sending
    deeds.forget(sending)
    deeds.forget(sending)
    assert deeds.to_undo != sending
    assert deeds.to_redo is None


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
    while isinstance(last := deeds.to_undo, Deed):
        deeds.undid(last)
        count += 1
    assert count == KEPT


def test_a_deed_is_taken_back_once() -> None:
    deeds = Deeds()
    deeds.did(deed("a"))
    deeds.undid(deed("a"))
    deeds.undid(deed("a"))
    deeds.redid(deed("a"), deed("a"))
    assert deeds.to_redo is None


class Server:
    """Answers like a client whose server changes so many entries for each target, and remembers the calls."""

    def __init__(self, **answers: int | ApiError) -> None:
        self.answers = answers
        self.calls: list[str] = []
        self.members: list[Entry] | ApiError = []

    def _answer(self, call: str, target: str) -> Resolved:
        self.calls.append(call)
        answer = self.answers.get(target, 1)
        if isinstance(answer, ApiError):
            raise answer
        return Resolved(count=answer, ids=[f"{target}-{number}" for number in range(answer)])

    async def resolve(
        self,
        entry_id: str,
        *,
        group: bool = False,
        seen: str | None = None,
        ids: tuple[str, ...] | None = None,
    ) -> Resolved:
        only = "" if ids is None else f" only {len(ids)} from {ids[0]}"
        return self._answer(f"resolve {entry_id} {seen}{only}" if group else f"resolve {entry_id}", entry_id)

    async def feed(self, query: FeedQuery, cursor: str | None = None, limit: int = 50) -> Page[Entry]:
        if isinstance(self.members, ApiError):
            raise self.members
        begin = int(cursor or 0)
        end = begin + limit
        return Page(items=self.members[begin:end], next=str(end) if end < len(self.members) else None)

    async def reopen(self, entry_id: str, *, group: bool = False) -> Resolved:
        return self._answer(f"reopen {entry_id}{' and its act' if group else ''}", entry_id)

    async def resolve_order(self, order_id: str) -> Resolved:
        return self._answer(f"resolve order {order_id}", order_id)

    def fulfil(self, *wishes: Wish) -> Done:
        return asyncio.run(fulfil(cast(Client, self), wishes))

    def take_back(self, deed: Deed) -> Done:
        return asyncio.run(take_back(cast(Client, self), deed))


def test_each_scope_is_asked_in_its_own_way() -> None:
    server = Server(g=3)
    done = server.fulfil(
        Wish("resolve", "entry", "e"),
        Wish("resolve", "group", "g"),
        Wish("resolve", "order", "o"),
        Wish("reopen", "entry", "r"),
    )
    assert server.calls == ["resolve e", "resolve g g", "resolve order o", "reopen r"]
    assert done.count == 6
    assert done.deed("resolve", "all").ids == {"e-0", "g-0", "g-1", "g-2", "o-0", "r-0"}


def test_some_of_a_group_are_named_as_many_at_once_as_the_server_takes() -> None:
    server = Server()
    server.members = [entry(number) for number in range(BY_NAME + 20)]
    group, alone = Wish("resolve", "group", "g"), Wish("resolve", "entry", "e")
    asked = [(group, FeedQuery(q="tom", group="k")), (alone, None)]
    wishes = asyncio.run(of_these(cast(Client, server), asked))
    assert wishes[-1] is alone
    assert [name for wish in wishes[:-1] for name in wish.ids or ()] == [e.id for e in server.members]
    server.fulfil(*wishes)
    assert server.calls == ["resolve g g only 500 from e0", "resolve g g only 20 from e500", "resolve e"]


def test_members_that_cannot_be_asked_for_are_not_guessed() -> None:
    server = Server()
    server.members = Unreachable("gone")
    with pytest.raises(Unreachable):
        asyncio.run(of_these(cast(Client, server), [(Wish("resolve", "group", "g"), FeedQuery(group="k"))]))


def test_what_was_resolved_in_one_act_is_opened_by_one_call() -> None:
    server = Server(g=700, e=0)
    done = server.fulfil(Wish("resolve", "group", "g"), Wish("resolve", "entry", "e"))
    server.calls.clear()
    server.take_back(done.deed("resolve", "a group"))
    assert server.calls == ["reopen g-0 and its act"]  # what changed nothing is not undone


def test_a_reopened_entry_is_resolved_again_alone() -> None:
    server = Server()
    done = server.fulfil(Wish("reopen", "entry", "e"))
    server.calls.clear()
    server.take_back(done.deed("reopen", "an entry"))
    assert server.calls == ["resolve e"]


def test_after_a_failure_nothing_more_is_begun_and_what_was_done_can_be_undone() -> None:
    lost = Unreachable("gone")
    server = Server(e2=lost)
    done = server.fulfil(*(Wish("resolve", "entry", f"e{number}") for number in range(6)))
    assert done.error is lost
    assert sorted(server.calls) == [f"resolve e{number}" for number in range(4)]
    assert done.deed("resolve", "some").count == 3
