"""Row D11, and what an erasure leaves of tickets: nothing of the person, all that staff said."""

from __future__ import annotations

from typing import Any

import server.app.registered  # noqa: F401 - every room's rules
from server.deletion import erasing, planning
from server.kit.clock import FrozenClock
from server.kit.tx import Tx
from server.people.erasure import GONE
from tests.server.tickets.counter import Counter, Customer


def erase(counter: Counter, person_id: str) -> tuple[dict[str, int], dict[str, int]]:
    """Erase a person: what was planned, and what was done."""

    def unit(tx: Tx) -> tuple[dict[str, int], dict[str, int]]:
        whom = planning.subject(tx, person_id)
        planned = erasing.counts(tx, whom)
        return planned, erasing.erase(tx, whom)

    return counter.store.write(unit)


def held(counter: Counter) -> str:
    """All texts of the room's tables."""
    return repr(counter.everything()[:3]).lower()


def told_of(counter: Counter, mary: Customer) -> tuple[str, str]:
    """A ticket of hers with all that can be in one, and one of somebody else's that names her."""
    which = counter.open_own(mary, "Mary Example asks", description="mary@example.com here").id
    counter.answer(which, mary, "I am Mary Example of Canary Lane")
    counter.say(which, "Dear Mary Example, we wrote to MARY@example.com.")
    counter.note(which, "mary example called twice")
    counter.change(which, status="resolved", reason="Mary Example is happy")
    other = counter.open(
        "For mary@example.com", email="tom@example.com", description="Mary Example is my aunt"
    ).id
    counter.note(other, "see mary@example.com")
    return which, other


def test_what_the_person_wrote_goes_and_what_staff_wrote_reads_on(counter: Counter) -> None:
    mary = counter.customer()
    which, other = told_of(counter, mary)
    counts = counter.get(which).comment_count
    planned, done = erase(counter, mary.person_id)
    assert planned == done
    assert done["anonymise tickets"] == 1
    assert done["anonymise ticket comments"] == 1
    now = counter.get(which)
    assert (now.title, now.description, now.slug) == (GONE, GONE, f"erased_{now.number}")
    assert now.customer is not None
    mark = f"⟨erased {now.customer.erased}⟩"
    assert now.customer.model_dump(exclude={"erased"}, exclude_none=True) == {}
    assert now.anonymized_at is not None
    assert [(one.author_kind, one.author, one.body) for one in now.comments] == [
        ("customer", mark, GONE),
        ("staff", "support@example.com", f"Dear {mark}, we wrote to {mark}."),
        ("staff", "support@example.com", f"{mark} called twice"),
    ]
    assert now.history[0].reason == f"{mark} is happy"
    assert now.comment_count == counts
    seen = counter.get(other)
    assert (seen.title, seen.comments[0].body) == (f"For {mark}", f"see {mark}")
    assert "mary" not in seen.slug
    words = held(counter)
    for canary in ("mary@example", "canary lane", mary.person_id, mary.user_id):
        assert canary not in words


def test_d11_an_anonymised_ticket_can_be_viewed_changed_and_commented(
    counter: Counter, clock: FrozenClock
) -> None:
    mary = counter.customer()
    which = counter.open_own(mary).id
    erase(counter, mary.person_id)
    support = counter.staff.users["support"]
    before = counter.place()
    counter.change(which, assigned_to=support, priority="high", title="A parcel that was lost")
    counter.say(which, "For the record.")
    counter.note(which)
    counter.change(which, status="resolved")
    counter.change_many([which], status="closed", priority="low")
    told = counter.told(before)
    topics = {topic for topic, _, _ in told}
    assert topics == {"tickets:all", f"tickets:{which}", f"tickets:user:{support}"}
    assert {event for _, event, _ in told} == {
        "ticket_updated",
        "ticket_assigned",
        "ticket_status_changed",
        "ticket_priority_changed",
        "comment_created",
        "internal_note_created",
        "tickets_bulk_updated",
    }
    assert counter.everything()[-1] == []  # no mail
    now = counter.get(which)
    assert (now.status, now.title, now.comment_count) == ("closed", "A parcel that was lost", 1)
    assert counter.numbers(status="closed") == [1]
    counter.delete(which)


def test_a_ticket_that_somebody_made_look_erased_is_no_trap(counter: Counter) -> None:
    mary = counter.customer()
    assert counter.open("Erased 2", email="tom@example.com").slug == "erased-2"
    counter.open("erased_2", email="tom@example.com")
    counter.open_own(mary)
    counter.open_own(mary)
    erase(counter, mary.person_id)
    assert [counter.get(str(n)).slug for n in (3, 4)] == ["erased_3", "erased_4"]
    assert counter.open("Where is it?").number == 5


def test_who_worked_here_is_taken_off_and_the_tickets_stay(counter: Counter) -> None:
    which = counter.open().id
    support, admin = counter.staff.users["support"], counter.staff.users["admin"]
    counter.change(which, assigned_to=support)
    counter.say(which, "You have it on Monday.")
    counter.change(which, "admin", assigned_to=admin)
    counter.change(which, "admin", assigned_to=support)
    person_id = counter.store.read(lambda tx: _person(tx, support))
    planned, done = erase(counter, person_id)
    assert planned == done
    now = counter.get(which)
    assert (now.assigned_to, now.status) == (None, "in_progress")
    assert now.comments[0].body == "You have it on Monday."
    mark = now.comments[0].author
    assert mark is not None
    assert mark.startswith("⟨erased ")
    lines = [(line.field, line.value_from, line.value_to, line.who) for line in now.history]
    assert lines == [
        ("assigned_to", None, mark, None),
        ("status", "open", "in_progress", None),
        ("assigned_to", mark, "admin@example.com", "admin@example.com"),
        ("assigned_to", "admin@example.com", mark, "admin@example.com"),
    ]
    assert support not in held(counter)
    assert counter.change(which, "admin", assigned_to=admin).assigned_to is not None


def _person(tx: Tx, user_id: str) -> Any:
    from server.accounts import users

    return users.person_of(tx, user_id)
