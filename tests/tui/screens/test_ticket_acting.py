"""The way back from every change of a ticket's state, by the server's own rules."""

from __future__ import annotations

import itertools

import pytest

from server.tickets.states import NEXT, STATUSES
from tui.screens.deeds import Turned
from tui.screens.ticket_acting import _after, _way_back
from tui.screens.ticket_rows import STATUSES as SHOWN
from tui.screens.ticket_rows import WAITING


@pytest.mark.parametrize(
    ("before", "after"),
    [pair for pair in itertools.permutations(STATUSES, 2) if pair[1] in NEXT[pair[0]]],
    ids=" to ".join,
)
def test_the_way_back_is_one_that_the_server_lets_go(before: str, after: str) -> None:
    stands = after
    for step in _way_back(Turned("t", (("status", before),), (("status", after),))):
        to = dict(step)["status"]
        assert to in NEXT[stands]  # type: ignore[index]
        stands = str(to)
    assert stands == before


def test_what_is_not_about_the_state_goes_back_at_once() -> None:
    turned = Turned("t", (("priority", "low"),), (("priority", "high"),))
    assert list(_way_back(turned)) == [(("priority", "low"),)]


@pytest.mark.parametrize(
    ("status", "wanted", "then"),
    [
        ("open", {"assigned_to": "sam"}, "in_progress"),
        ("open", {"assigned_to": None}, "open"),
        ("open", {"assigned_to": "sam", "status": "resolved"}, "resolved"),
        ("resolved", {"assigned_to": "sam"}, "resolved"),
        ("in_progress", {"priority": "low"}, "in_progress"),
    ],
)
def test_who_is_given_an_open_ticket_begins_with_it(
    status: str, wanted: dict[str, str | None], then: str
) -> None:
    before: dict[str, str | None] = {"status": status, "priority": "normal", "assigned_to": None}
    assert _after(before, tuple(wanted.items()))["status"] == then


def test_the_states_are_the_servers() -> None:
    from server.tickets.states import WAITING as TO_DO

    assert SHOWN == STATUSES
    assert WAITING == TO_DO
