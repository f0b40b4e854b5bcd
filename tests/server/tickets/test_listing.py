"""Row D9: filters hold all together, the totals are those of the same query, what is searched for is literal."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from server.contract.base import Page
from server.contract.tickets import NewTicket, Ticket, TicketRow
from server.kit.clock import MINUTE, FrozenClock
from server.kit.paging import Cursors, PageRequest
from server.kit.tx import Tx
from server.tickets import service as tickets
from tests.server.tickets.counter import Counter, walk

STEPS: list[dict[str, Any]] = [
    {},
    {"status": "in_progress"},
    {"status": "resolved"},
    {"status": "closed"},
    {"assigned_to": "support"},
    {"assigned_to": "support", "status": "resolved"},
    {"assigned_to": "admin"},
    {"assigned_to": "admin", "status": "open"},
]


def many(counter: Counter, clock: FrozenClock) -> list[Ticket]:
    """Tickets of every kind, those in which something happened last first."""
    order = counter.order()
    for n, (step, priority) in enumerate(product(STEPS, ("normal", "high"))):
        clock.advance(1_000)
        beside: dict[str, Any] = {"order": order} if n % 4 == 0 else {}
        email = "mary@example.com" if n % 3 else "tom@example.com"
        made = counter.open(f"Parcel {n % 5}", priority=priority, email=email, **beside)
        change = dict(step)
        if "assigned_to" in change:
            change["assigned_to"] = counter.staff.users[change["assigned_to"]]
        clock.advance(1_000)
        counter.change(made.id, **change)
    clock.advance(1_000)
    counter.say("#3")
    found = [counter.get(str(number)) for number in range(1, 2 * len(STEPS) + 1)]
    return sorted(found, key=lambda one: (one.updated_at, one.id), reverse=True)


def given_to(one: Ticket) -> str | None:
    return None if one.assigned_to is None else one.assigned_to.id


def test_d9_all_filters_hold_together_and_the_total_is_that_of_the_list(
    counter: Counter, clock: FrozenClock
) -> None:
    everything = many(counter, clock)
    me, admin = counter.staff.users["support"], counter.staff.users["admin"]
    mary = next(
        one.customer.id for one in everything if one.customer and one.customer.email == "mary@example.com"
    )
    order = next(one.order for one in everything if one.order)

    def waits(one: Ticket) -> bool:
        return one.status in ("open", "in_progress")

    Test = Callable[[Ticket], bool]  # noqa: N806
    tabs: dict[Any, Test] = {
        "all": lambda _: True,
        "open": waits,
        "mine": lambda one: waits(one) and given_to(one) == me,
        "unassigned": lambda one: waits(one) and given_to(one) is None,
        "resolved": lambda one: not waits(one),
    }
    statuses: dict[Any, Test] = {None: lambda _: True, "open": lambda one: one.status == "open"}
    statuses["resolved"] = lambda one: one.status == "resolved"
    priorities: dict[Any, Test] = {None: lambda _: True, "high": lambda one: one.priority == "high"}
    hands: dict[Any, Test] = {
        None: lambda _: True,
        "none": lambda one: given_to(one) is None,
        "me": lambda one: given_to(one) == me,
        admin: lambda one: given_to(one) == admin,
    }
    persons: dict[Any, Test] = {
        None: lambda _: True,
        mary: lambda one: bool(one.customer and one.customer.id == mary),
    }
    orders: dict[Any, Test] = {None: lambda _: True, order.number.lower(): lambda one: one.order is not None}
    orders["SS-000000-0000"] = lambda _: False
    words: dict[Any, Test] = {"": lambda _: True, "parcel 1": lambda one: one.title == "Parcel 1"}
    sides = (tabs, statuses, priorities, hands, persons, orders, words)
    names = ("tab", "status", "priority", "assigned_to", "person", "order", "q")
    found = 0
    for chosen in list(product(*(side.items() for side in sides)))[::7]:  # each pair of values is among them
        given = {name: key for name, (key, _) in zip(names, chosen, strict=True)}
        wanted = [one for one in everything if all(holds(one) for _, holds in chosen)]
        found += bool(wanted)
        query = counter.query(**given)
        rows, counted = counter.store.read(
            lambda tx, q=query: (  # type: ignore[misc]
                tickets.page(tx, q, PageRequest(200), counter.staff.principal("support")).rows,
                tickets.counts(tx, q),
            )
        )
        assert [row.number for row in rows] == [one.number for one in wanted], given
        assert counted.total == len(wanted), given
        by_status = [
            sum(one.status == s for one in wanted) for s in ("open", "in_progress", "resolved", "closed")
        ]
        assert [counted.open, counted.in_progress, counted.resolved, counted.closed] == by_status
        assert counted.unassigned == sum(tabs["unassigned"](one) for one in wanted)
        assert counted.mine == sum(tabs["mine"](one) for one in wanted)
    assert found > 20


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_pages_show_each_ticket_once_newest_activity_first(
    counter: Counter, clock: FrozenClock, limit: int
) -> None:
    everything = many(counter, clock)
    cursors = Cursors(b"k" * 32)
    query = counter.query()
    caller = counter.staff.principal("support")

    def ask(cursor: str | None) -> Page[TicketRow]:
        at = cursors.read(cursor, query.name) if cursor else None
        page = counter.store.read(lambda tx: tickets.page(tx, query, PageRequest(limit, at), caller))
        older, newer = cursors.around(page, query.name, tickets.place)
        return Page[TicketRow](items=list(page.rows), next=older, prev=newer)

    rows = walk(ask)
    assert [row.number for row in rows] == [one.number for one in everything]
    assert rows[0].number == 3
    assert rows == [TicketRow.model_validate(one.model_dump()) for one in everything]


def test_d9_search_is_literal(counter: Counter) -> None:
    for title in ("100% wool", "1000 wool", "a_b", "axb", "C:\\parcel", "MÜLLER", "müller", "Plain"):
        counter.open(title)
    assert counter.numbers(q="100%") == [1]
    assert counter.numbers(q="%") == [1]
    assert counter.numbers(q="A_B") == [3]
    assert counter.numbers(q="_") == [3]
    assert counter.numbers(q="C:\\p") == [5]
    assert counter.numbers(q="Müller") == [7, 6]
    assert counter.numbers(q="mÜLLER") == [7, 6]
    assert counter.numbers(q="plain") == [8]
    assert counter.numbers(q="' OR 1=1 --") == []


def test_d9_search_looks_where_people_would_look(counter: Counter) -> None:
    mary = counter.customer()
    tom = counter.customer("tom@example.com", "Tom Töpfer")
    counter.open_own(mary, "Red", description="the colour came off")
    counter.open_own(tom, "Blue", description="too small")
    counter.open_own(mary, "Green 2", description="just right")
    counter.say("#2", "Have you tried washing it?")
    counter.note("#3", "a friend of the house")
    assert counter.numbers(q="COLOUR") == [1]
    assert counter.numbers(q="washing") == [2]
    assert counter.numbers(q="#2") == [2]
    assert counter.numbers(q="2") == [3, 2]
    assert counter.numbers(q="tom@EXAMPLE") == [2]
    assert counter.numbers(q="topfer") == [2]
    assert counter.numbers(q="friend") == [3]
    assert counter.own_numbers(mary, q="friend") == []
    assert counter.own_numbers(mary, q="mary@example.com") == []
    assert counter.own_numbers(mary, q="colour") == [1]
    assert counter.own_numbers(tom, q="WASHING") == [2]
    assert counter.own_numbers(mary, q="washing") == []
    assert counter.own_numbers(mary, q="#2") == []
    assert counter.own_numbers(mary, status="open") == [3, 1]
    assert counter.own_numbers(mary, status="closed") == []


def test_more_customers_than_a_lookup_takes_are_all_found(counter: Counter) -> None:
    caller = counter.staff.principal("support")

    def unit(tx: Tx) -> None:
        for n in range(205):
            new = NewTicket(title="Club", description="Hello.", email=f"member{n}@example.com")
            tickets.create(tx, new, caller)

    counter.store.write(unit)
    query = counter.query(q="member")
    assert counter.store.read(lambda tx: tickets.counts(tx, query)).total == 205


def test_staff_are_told_who_moved_a_ticket_last(counter: Counter, clock: FrozenClock) -> None:
    """By a change, a reply or with many at once; not where the customer did, and a note moves nothing."""
    counter.set(enabled="on")
    mary = counter.customer()
    made = counter.open_own(mary)
    support, owner = (counter.staff.users[role] for role in ("support", "owner"))
    assert counter.get(made.id).moved_by is None
    acts: list[tuple[Callable[[], object], str | None]] = [
        (lambda: counter.change(made.id, priority="high"), support),
        (lambda: counter.answer(made.id, mary), None),
        (lambda: counter.say(made.id, role="owner"), owner),
        (lambda: counter.note(made.id), owner),
        (lambda: counter.change_many([made.id], status="resolved"), support),
    ]
    for act, mover in acts:
        clock.advance(MINUTE)
        act()
        assert counter.get(made.id).moved_by == mover
        assert counter.get_own(made.id, mary).moved_by is None
