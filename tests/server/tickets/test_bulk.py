"""Row D6: the same change to many tickets, all or none, and each user told of their own alone."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from server.contract.tickets import ChangeTickets
from tests.server.tickets.counter import Counter, refusal


def test_d6_each_user_is_told_only_of_their_own(counter: Counter) -> None:
    mary = counter.customer()
    tom = counter.customer("tom@example.com", "Tom Example")
    one, two = counter.open_own(mary).id, counter.open_own(mary).id
    three = counter.open_own(tom).id
    guest = counter.open(email="guest@example.com").id
    changes = {"status": "resolved", "priority": "low"}
    ids = [three, guest, one, two]
    told = counter.telling(
        lambda: counter.change_many(ids, status="resolved", priority="low", reason="strike")
    )
    assert {event for _, event, _ in told} == {"tickets_bulk_updated"}
    assert {topic: data for topic, _, data in told} == {
        "tickets:all": {"ids": ids, "changes": changes},
        f"tickets:user:{mary.user_id}": {"ids": [one, two], "changes": changes},
        f"tickets:user:{tom.user_id}": {"ids": [three], "changes": changes},
        **{f"tickets:{which}": {"ids": [which], "changes": changes} for which in ids},
    }
    assert len(told) == 7
    for which in ids:
        now = counter.get(which)
        assert (now.status, now.priority) == ("resolved", "low")
        assert {line.field: line.reason for line in now.history} == {"status": "strike", "priority": None}


def test_those_that_stood_so_already_are_not_named(counter: Counter) -> None:
    one, two = counter.open().id, counter.open(priority="high").id
    told = counter.telling(lambda: counter.change_many([one, two, one], priority="high"))
    assert told[0][2]["ids"] == [one]
    assert counter.change_many([one, two], priority="high") == []
    assert counter.telling(lambda: counter.change_many([one, two], priority="high")) == []


def test_giving_many_tells_who_gets_them(counter: Counter) -> None:
    mary = counter.customer()
    one, two = counter.open_own(mary).id, counter.open(email="guest@example.com").id
    support = counter.staff.users["support"]
    told = counter.telling(lambda: counter.change_many([one, two], assigned_to=support))
    found = {topic: data["ids"] for topic, _, data in told}
    assert found[f"tickets:user:{support}"] == [one, two]
    assert found[f"tickets:user:{mary.user_id}"] == [one]
    assert [counter.get(which).status for which in (one, two)] == ["in_progress", "in_progress"]
    counter.change_many([one], assigned_to=None)
    assert counter.get(one).assigned_to is None


@pytest.mark.parametrize("kind", ["state", "gate", "closed", "unknown"])
def test_when_one_refuses_none_is_changed(counter: Counter, kind: str) -> None:
    one, two = counter.open().id, counter.open().id
    counter.change(two, status="closed" if kind == "closed" else "resolved")
    if kind == "gate":
        counter.set(allow_reopen="off")
    before = counter.everything()
    support = counter.staff.users["support"]
    deed, why = {
        "state": (lambda: counter.change_many([one, two], status="in_progress"), (409, "invalid_transition")),
        "gate": (lambda: counter.change_many([one, two], status="open"), (409, "reopen_not_allowed")),
        "closed": (lambda: counter.change_many([one, two], assigned_to=support), (409, "ticket_closed")),
        "unknown": (lambda: counter.change_many([one, "gone"], priority="low"), (404, "not_found")),
    }[kind]
    assert refusal(deed) == why
    assert counter.everything() == before


def test_nothing_to_change_and_too_many_are_refused(counter: Counter) -> None:
    which = counter.open().id
    assert refusal(lambda: counter.change_many([which], reason="why not")) == (422, "invalid_request")
    for ids in ([], [f"t{n}" for n in range(501)]):
        with pytest.raises(ValidationError):
            ChangeTickets.model_validate({"ids": ids, "priority": "low"})


def test_five_hundred_at_once(counter: Counter) -> None:
    ids = [counter.open().id for _ in range(500)]
    assert counter.change_many(ids, status="closed") == ids
    assert counter.numbers(status="open") == []
