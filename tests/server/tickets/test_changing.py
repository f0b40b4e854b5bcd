"""Rows D4 and D5, and what else a change does: title, reason, who may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select, update

from server.accounts.models import user
from server.tickets.models import history
from tests.server.tickets.counter import Counter, refusal


def test_d4_giving_an_open_ticket_puts_it_in_progress_and_says_both(counter: Counter) -> None:
    mary = counter.customer()
    which = counter.open().id
    support, admin = counter.staff.users["support"], counter.staff.users["admin"]
    told = counter.telling(lambda: counter.change(which, assigned_to=support, reason="knows parcels"))
    by_event: dict[str, list[str]] = {}
    for topic, event, _ in told:
        by_event.setdefault(event, []).append(topic)
    everybody = ["tickets:all", f"tickets:{which}", f"tickets:user:{mary.user_id}"]
    assert by_event == {
        "ticket_updated": everybody,
        "ticket_assigned": [*everybody, f"tickets:user:{support}"],
        "ticket_status_changed": everybody,
    }
    data = {event: data for _, event, data in told}
    assert data["ticket_assigned"] == {"ticket_id": which, "old": None, "new": support}
    assert data["ticket_status_changed"] == {"ticket_id": which, "old": "open", "new": "in_progress"}
    now = counter.get(which)
    assert now.status == "in_progress"
    assert now.assigned_to is not None
    assert (now.assigned_to.id, now.assigned_to.name) == (support, "support@example.com")

    told = counter.telling(lambda: counter.change(which, assigned_to=admin))
    assert {event for _, event, _ in told} == {"ticket_updated", "ticket_assigned"}
    assert told[-1][2] == {"ticket_id": which, "old": support, "new": admin}
    assert counter.telling(lambda: counter.change(which, assigned_to=admin)) == []

    told = counter.telling(lambda: counter.change(which, assigned_to=None))
    assert told[-1][2] == {"ticket_id": which, "old": admin, "new": None}
    assert counter.get(which).assigned_to is None
    assert counter.get(which).status == "in_progress"
    assert counter.telling(lambda: counter.change(which, assigned_to=None)) == []


def test_d4_the_history_holds_ids_and_no_email(counter: Counter) -> None:
    which = counter.open().id
    support = counter.staff.users["support"]
    counter.change(which, assigned_to=support, reason="knows parcels")
    counter.change(which, assigned_to=None)
    rows = counter.store.read(lambda tx: tx.execute(select(history).order_by(history.c.id)).all())
    assert [(row.field, row.value_from, row.value_to, row.reason) for row in rows] == [
        ("assigned_to", None, support, "knows parcels"),
        ("status", "open", "in_progress", None),
        ("assigned_to", support, None, None),
    ]
    assert "@" not in repr(rows)
    lines = [(line.field, line.value_from, line.value_to) for line in counter.get(which).history]
    assert lines[0] == ("assigned_to", None, "support@example.com")


def test_only_active_staff_who_may_work_on_it_is_given_a_ticket(counter: Counter) -> None:
    which = counter.open().id
    mary = counter.customer()
    support = counter.staff.users["support"]
    counter.store.write(lambda tx: tx.execute(update(user).where(user.c.id == support).values(active=0)))
    before = counter.everything()
    for whom in (support, mary.user_id, counter.staff.users["readonly"], "nobody"):
        assert refusal(lambda whom=whom: counter.change(which, "owner", assigned_to=whom)) == (  # type: ignore[misc]
            422,
            "invalid_request",
        )
    assert counter.everything() == before
    assert counter.change(which, "owner", assigned_to=counter.staff.users["owner"]).status == "in_progress"


def test_a_closed_ticket_is_given_to_nobody_unless_it_is_opened_too(counter: Counter) -> None:
    which = counter.open().id
    support, admin = counter.staff.users["support"], counter.staff.users["admin"]
    counter.change(which, assigned_to=support, status="closed")
    assert counter.get(which).status == "closed"
    before = counter.everything()
    assert refusal(lambda: counter.change(which, assigned_to=admin)) == (409, "ticket_closed")
    assert refusal(lambda: counter.change(which, assigned_to=None)) == (409, "ticket_closed")
    assert counter.everything() == before
    assert counter.change(which, assigned_to=support).status == "closed"
    now = counter.change(which, assigned_to=admin, status="open")
    assert (now.status, now.assigned_to and now.assigned_to.id) == ("open", admin)


def test_a_state_that_is_named_goes_before_the_one_that_follows(counter: Counter) -> None:
    support = counter.staff.users["support"]
    assert counter.change(counter.open().id, assigned_to=support, status="open").status == "open"
    which = counter.open().id
    told = counter.telling(lambda: counter.change(which, assigned_to=support, status="in_progress"))
    assert [
        data for topic, event, data in told if (topic, event) == ("tickets:all", "ticket_status_changed")
    ] == [{"ticket_id": which, "old": "open", "new": "in_progress"}]


def test_d5_priority_is_kept_found_and_told_only_when_it_changes(counter: Counter) -> None:
    which = counter.open().id
    assert counter.telling(lambda: counter.change(which, priority="normal")) == []
    assert counter.get(which).history == []
    told = counter.telling(lambda: counter.change(which, priority="urgent", reason="a wedding"))
    changed = [(topic, data) for topic, event, data in told if event == "ticket_priority_changed"]
    assert changed == [
        ("tickets:all", {"ticket_id": which, "old": "normal", "new": "urgent"}),
        (f"tickets:{which}", {"ticket_id": which, "old": "normal", "new": "urgent"}),
    ]
    line = counter.get(which).history[-1]
    assert (line.field, line.value_from, line.value_to, line.reason) == (
        "priority",
        "normal",
        "urgent",
        "a wedding",
    )
    counter.open("Another")
    assert counter.numbers(priority="urgent") == [1]
    assert counter.numbers(priority="low") == []


def test_the_slug_stays_when_the_title_changes(counter: Counter) -> None:
    made = counter.open("Where is my parcel?")
    told = counter.telling(lambda: counter.change(made.id, title="  Parcel\tlost \n"))
    assert [(event, data) for topic, event, data in told if topic == "tickets:all"] == [
        ("ticket_updated", {"ticket_id": made.id, "fields": ["title"]})
    ]
    now = counter.get(made.id)
    assert (now.title, now.slug, now.history) == ("Parcel lost", "where-is-my-parcel", [])
    assert counter.telling(lambda: counter.change(made.id, title="Parcel lost")) == []


def test_of_many_who_want_the_same_at_once_one_changes_it(counter: Counter) -> None:
    which, other = counter.open().id, counter.open().id
    with ThreadPoolExecutor(8) as hands:
        list(hands.map(lambda _: counter.change(which, status="resolved"), range(8)))
        pairs = [[which, other], [other, which]] * 4
        changed = list(hands.map(lambda ids: counter.change_many(ids, priority="high"), pairs))
    assert [(line.field, line.value_to) for line in counter.get(which).history] == [
        ("status", "resolved"),
        ("priority", "high"),
    ]
    assert sorted(which for ids in changed for which in ids) == sorted([which, other])


def test_a_reason_stands_with_what_it_explains_and_is_not_endless(counter: Counter) -> None:
    which = counter.open().id
    long = "x" * 1_000
    support = counter.staff.users["support"]
    counter.change(which, status="resolved", priority="low", assigned_to=support, reason=long)
    reasons = {line.field: line.reason for line in counter.get(which).history}
    assert reasons == {"status": long, "priority": None, "assigned_to": None}


def test_who_lost_the_role_meanwhile_is_refused_when_it_happens(counter: Counter) -> None:
    """The token still says support; the account does not any more."""
    which = counter.open().id
    support = counter.staff.users["support"]
    demoted = update(user).where(user.c.id == support)
    counter.store.write(lambda tx: tx.execute(demoted.values(role="readonly")))
    before = counter.everything()
    for deed in (
        lambda: counter.change(which, priority="low"),
        lambda: counter.change_many([which], priority="low"),
        lambda: counter.say(which),
        lambda: counter.delete(which, "support"),
        counter.open,
    ):
        assert refusal(deed) == (403, "insufficient_permissions")
    counter.store.write(lambda tx: tx.execute(demoted.values(active=0)))
    assert refusal(lambda: counter.change(which, priority="low")) == (401, "unauthenticated")
    assert counter.everything() == before


def test_a_ticket_is_deleted_by_owner_or_admin_and_everybody_is_told(counter: Counter) -> None:
    mary = counter.customer()
    which = counter.open().id
    counter.say(which)
    counter.change(which, status="resolved")
    assert refusal(lambda: counter.delete(which, "support")) == (403, "insufficient_permissions")
    told = counter.telling(lambda: counter.delete(which, "admin"))
    assert told == [
        (topic, "ticket_deleted", {"ticket_id": which})
        for topic in ("tickets:all", f"tickets:{which}", f"tickets:user:{mary.user_id}")
    ]
    tickets, comments, lines, *_ = counter.everything()
    assert (tickets, comments, lines) == ([], [], [])
    assert refusal(lambda: counter.delete(which)) == (404, "not_found")
    assert counter.open().number == 2
