"""Rows D1, D2, D3: which state follows which, what is stamped, and the gate before opening again."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.contract.tickets import TicketStatus
from server.kit.clock import FrozenClock
from server.tickets import states
from tests.server.tickets.counter import Counter, refusal

ALLOWED = {
    ("open", "in_progress"),
    ("open", "resolved"),
    ("open", "closed"),
    ("in_progress", "open"),
    ("in_progress", "resolved"),
    ("in_progress", "closed"),
    ("resolved", "open"),
    ("resolved", "closed"),
    ("closed", "open"),
}
WAY: dict[str, list[str]] = {
    "open": [],
    "in_progress": ["in_progress"],
    "resolved": ["resolved"],
    "closed": ["closed"],
}
CELLS = list(product(states.STATUSES, states.STATUSES))


def standing(counter: Counter, status: str) -> str:
    """The id of a ticket in this state."""
    made = counter.open()
    for step in WAY[status]:
        counter.change(made.id, status=step)
    return made.id


@pytest.mark.parametrize(("status", "to"), CELLS)
def test_d1_each_cell_of_the_matrix(counter: Counter, status: TicketStatus, to: TicketStatus) -> None:
    which = standing(counter, status)
    before = counter.everything()
    if status == to:
        assert counter.telling(lambda: counter.change(which, status=to, reason="again")) == []
        assert counter.everything() == before
    elif (status, to) in ALLOWED:
        told = counter.telling(lambda: counter.change(which, status=to, reason="because"))
        assert [(topic, event) for topic, event, _ in told] == [
            ("tickets:all", "ticket_status_changed"),
            (f"tickets:{which}", "ticket_status_changed"),
        ]
        assert told[0][2] == {"ticket_id": which, "old": status, "new": to}
        now = counter.get(which)
        assert now.status == to
        line = now.history[-1]
        assert (line.field, line.value_from, line.value_to, line.reason, line.who) == (
            "status",
            status,
            to,
            "because",
            "support@example.com",
        )
    else:
        assert refusal(lambda: counter.change(which, status=to, title="Other", priority="urgent")) == (
            409,
            "invalid_transition",
        )
        assert counter.everything() == before


@pytest.mark.parametrize(("status", "to"), CELLS)
def test_the_actions_of_a_record_say_what_its_change_would(
    counter: Counter, status: TicketStatus, to: TicketStatus
) -> None:
    for reopening in ("on", "off"):
        counter.set(allow_reopen="on")
        which = standing(counter, status)
        counter.set(allow_reopen=reopening)
        offered = {one.name: one for one in counter.get(which, "support").actions}[f"status:{to}"]
        if status == to:
            assert (offered.allowed, offered.reason) == (False, "unchanged")
        elif offered.allowed:
            assert counter.change(which, status=to).status == to
        else:
            assert refusal(lambda which=which: counter.change(which, status=to)) == (409, offered.reason)  # type: ignore[misc]


def test_d2_stamps_are_set_kept_and_cleared(counter: Counter, clock: FrozenClock) -> None:
    which = counter.open().id

    def stamps(**change: Any) -> tuple[bool, bool]:
        clock.advance(1_000)
        now = counter.change(which, **change)
        assert now.updated_at > now.created_at
        return now.resolved_at is not None, now.closed_at is not None

    assert stamps(status="in_progress") == (False, False)
    assert stamps(status="resolved") == (True, False)
    resolved_at = counter.get(which).resolved_at
    assert stamps(status="closed") == (True, True)
    closed = counter.get(which)
    assert closed.resolved_at == resolved_at
    assert closed.closed_at is not None
    assert resolved_at is not None
    assert closed.closed_at > resolved_at
    assert stamps(status="open") == (False, False)
    assert stamps(status="closed") == (False, True)


@pytest.mark.parametrize("status", ["in_progress", "resolved", "closed"])
def test_d3_without_the_setting_nothing_goes_back_to_open(counter: Counter, status: str) -> None:
    which = standing(counter, status)
    counter.set(allow_reopen="off")
    before = counter.everything()
    assert refusal(lambda: counter.change(which, status="open")) == (409, "reopen_not_allowed")
    assert counter.everything() == before
    counter.set(allow_reopen="on")
    assert counter.change(which, status="open").status == "open"


def test_a_ticket_begins_open_and_without_history(counter: Counter) -> None:
    made = counter.open()
    assert (made.status, made.priority, made.history) == ("open", "normal", [])
    assert (made.resolved_at, made.closed_at, made.comment_count) == (None, None, 0)


@given(st.lists(st.tuples(st.sampled_from(states.STATUSES), st.booleans()), max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_asked_the_record_its_history_and_its_events_agree(
    counter: Counter, clock: FrozenClock, asked: list[tuple[TicketStatus, bool]]
) -> None:
    which = counter.open().id
    since = counter.place()
    status: TicketStatus = "open"
    resolved = closed = False
    went: list[tuple[str, str]] = []
    for to, reopening in asked:
        counter.set(allow_reopen="on" if reopening else "off")
        clock.advance(1)
        if status == to:
            counter.change(which, status=to)
        elif (status, to) not in ALLOWED:
            assert refusal(lambda to=to: counter.change(which, status=to)) == (409, "invalid_transition")  # type: ignore[misc]
        elif to == "open" and not reopening:
            assert refusal(lambda to=to: counter.change(which, status=to)) == (409, "reopen_not_allowed")  # type: ignore[misc]
        else:
            counter.change(which, status=to)
            went.append((status, to))
            resolved = to != "open" and (resolved or to == "resolved")
            closed = to == "closed" or (closed and to != "open")
            status = to
        now = counter.get(which)
        assert (now.status, now.resolved_at is not None, now.closed_at is not None) == (
            status,
            resolved,
            closed,
        )
    assert [(line.value_from, line.value_to) for line in counter.get(which).history] == went
    told = [data for topic, event, data in counter.told(since) if topic == "tickets:all" and event]
    assert [(data["old"], data["new"]) for data in told] == went
