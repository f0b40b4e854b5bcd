"""Rows D7 and D8: replies that both sides see, notes that only staff see."""

from __future__ import annotations

import pytest

from server.kit.clock import FrozenClock
from tests.server.tickets.counter import Counter, refusal

SECRET = "smells of fraud"


def test_d8_both_sides_see_what_is_said(counter: Counter) -> None:
    mary = counter.customer()
    which = counter.open().id
    told = counter.telling(lambda: counter.say(which, "We look into it."))
    said = counter.get(which).comments[0]
    everybody = ["tickets:all", f"tickets:{which}", f"tickets:user:{mary.user_id}"]
    data = {"ticket_id": which, "comment_id": said.id}
    assert told == [(topic, "comment_created", data) for topic in everybody]
    assert [
        topic for topic, _, _ in counter.telling(lambda: counter.answer(which, mary, "Thank you"))
    ] == everybody

    inside, outside = counter.get(which), counter.get_own(which, mary)
    assert [(one.author_kind, one.author, one.body) for one in inside.comments] == [
        ("staff", "support@example.com", "We look into it."),
        ("customer", "mary@example.com", "Thank you"),
    ]
    assert [(one.author_kind, one.author, one.body) for one in outside.comments] == [
        ("staff", "My shop", "We look into it."),
        ("customer", "mary@example.com", "Thank you"),
    ]
    assert inside.comment_count == outside.comment_count == 2


@pytest.mark.parametrize("body", ["", " \n\t ", "\u200b\u200b", "\x07", "x" * 10_001])
def test_d8_what_is_empty_or_too_long_is_refused(counter: Counter, body: str) -> None:
    mary = counter.customer()
    which = counter.open().id
    before = counter.everything()
    assert refusal(lambda: counter.say(which, body)) == (422, "invalid_request")
    assert refusal(lambda: counter.note(which, body)) == (422, "invalid_request")
    assert refusal(lambda: counter.answer(which, mary, body)) == (422, "invalid_request")
    assert counter.everything() == before


def test_d8_the_longest_is_kept_whole_and_cleaned(counter: Counter) -> None:
    which = counter.open().id
    assert counter.say(which, "y" * 10_000).body == "y" * 10_000
    assert counter.say(which, " \r\none\r\ntwo\x00\n ").body == "one\ntwo\ufffd"


def test_d8_the_count_is_right_after_a_delete_and_a_delete_is_told(counter: Counter) -> None:
    mary = counter.customer()
    which = counter.open().id
    first, note = counter.say(which), counter.note(which)
    counter.answer(which, mary)
    assert counter.get(which).comment_count == 2
    told = counter.telling(lambda: counter.unsay(which, first.id))
    data = {"ticket_id": which, "comment_id": first.id}
    assert told == [
        (topic, "comment_deleted", data)
        for topic in ("tickets:all", f"tickets:{which}", f"tickets:user:{mary.user_id}")
    ]
    assert counter.get(which).comment_count == 1
    told = counter.telling(lambda: counter.unsay(which, note.id))
    assert [topic for topic, _, _ in told] == ["tickets:all", f"tickets:{which}"]
    assert counter.get(which).comment_count == 1
    assert refusal(lambda: counter.unsay(which, note.id)) == (404, "not_found")


def test_ones_own_comment_can_be_deleted_by_oneself_any_by_owner_and_admin(counter: Counter) -> None:
    mary = counter.customer()
    which, other = counter.open().id, counter.open().id
    theirs, hers, own = counter.say(which, role="admin"), counter.answer(which, mary), counter.say(which)
    shown = {one.id: one.actions[0] for one in counter.get(which, "support").comments}
    assert [shown[one.id].allowed for one in (theirs, hers, own)] == [False, False, True]
    assert shown[hers.id].reason == "insufficient_permissions"
    for one in (theirs, hers):
        assert refusal(lambda one=one: counter.unsay(which, one.id)) == (403, "insufficient_permissions")  # type: ignore[misc]
    assert refusal(lambda: counter.unsay(other, own.id)) == (404, "not_found")
    counter.unsay(which, own.id)
    counter.unsay(which, hers.id, "admin")
    counter.unsay(which, theirs.id, "owner")
    assert counter.get(which).comments == []


def test_a_closed_ticket_is_not_answered_by_either_side_but_can_be_noted_on(counter: Counter) -> None:
    mary = counter.customer()
    which = counter.open().id
    counter.change(which, status="closed")
    before = counter.everything()
    assert refusal(lambda: counter.say(which)) == (409, "ticket_closed")
    assert refusal(lambda: counter.answer(which, mary)) == (409, "ticket_closed")
    assert counter.everything() == before
    assert counter.note(which).is_internal
    offered = {one.name: one.reason for one in counter.get(which, "support").actions}
    assert (offered["reply"], offered["note"], offered["assign"]) == ("ticket_closed", None, "ticket_closed")
    assert [(one.name, one.reason) for one in counter.get_own(which, mary).actions] == [
        ("reply", "ticket_closed")
    ]


def test_replies_and_notes_can_be_switched_off(counter: Counter) -> None:
    mary = counter.customer()
    which = counter.open().id
    counter.set(comments="off", internal_notes="off")
    assert refusal(lambda: counter.say(which)) == (409, "comments_disabled")
    assert refusal(lambda: counter.answer(which, mary)) == (409, "comments_disabled")
    assert refusal(lambda: counter.note(which)) == (409, "internal_notes_disabled")
    offered = {one.name: one.reason for one in counter.get(which, "support").actions}
    assert (offered["reply"], offered["note"]) == ("comments_disabled", "internal_notes_disabled")


def test_d7_a_note_reaches_nothing_of_the_customers(counter: Counter, clock: FrozenClock) -> None:
    mary = counter.customer()
    which, newer = counter.open().id, None
    clock.advance(1_000)
    newer = counter.open("Another").number
    before = counter.get_own(which, mary)
    clock.advance(1_000)
    told = counter.telling(lambda: counter.note(which, SECRET))
    note = counter.get(which).comments[0]
    data = {"ticket_id": which, "comment_id": note.id}
    assert told == [
        ("tickets:all", "internal_note_created", data),
        (f"tickets:{which}", "internal_note_created", data),
    ]
    assert counter.get_own(which, mary) == before  # the time of the last activity included
    assert counter.get(which).comment_count == 0
    assert counter.own_numbers(mary) == [newer, 1]
    assert counter.own_numbers(mary, q="fraud") == []
    assert counter.numbers(q="fraud") == [1]
    mails = counter.everything()[-1]
    assert mails == []
    clock.advance(1_000)
    told = counter.telling(lambda: counter.unsay(which, note.id))
    assert f"tickets:user:{mary.user_id}" not in [topic for topic, _, _ in told]
    assert counter.get_own(which, mary) == before


def test_d7_a_customer_writes_no_note(counter: Counter) -> None:
    mary = counter.customer()
    which = counter.open().id
    before = counter.everything()
    assert refusal(lambda: counter.answer(which, mary, SECRET, is_internal=True)) == (
        403,
        "insufficient_permissions",
    )
    assert counter.everything() == before


def test_who_wrote_last_says_for_whom_it_waits(counter: Counter) -> None:
    mary = counter.customer()
    which = counter.open().id
    assert counter.get(which).waits_for == "staff"
    counter.say(which)
    assert counter.get(which).waits_for == "customer"
    counter.note(which)
    assert counter.get(which).waits_for == "customer"
    counter.answer(which, mary)
    assert counter.get(which).waits_for == "staff"
    counter.change(which, status="resolved")
    assert counter.get(which).waits_for is None
