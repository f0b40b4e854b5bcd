"""Opening a ticket: its number, its address, whose it is, beside which order; and what the order's story says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.access import Principal
from server.kit.problems import ProblemError
from server.people import service as people
from server.tickets import words
from tests.server.conftest import Staff
from tests.server.tickets.counter import Counter, refusal


def test_numbers_rise_and_addresses_that_are_taken_get_a_number(counter: Counter) -> None:
    made = [counter.open("Where is my parcel?") for _ in range(6)]
    assert [one.number for one in made] == [1, 2, 3, 4, 5, 6]
    slug = "where-is-my-parcel"
    assert [one.slug for one in made] == [slug, *(f"{slug}-{n}" for n in range(2, 7))]
    counter.delete(made[-1].id)
    last = counter.open("Where is my parcel?")
    assert (last.number, last.slug) == (7, f"{slug}-6")
    assert [counter.get(key).number for key in ("3", "#3", made[2].id, made[2].id.upper())] == [3, 3, 3, 3]
    assert refusal(lambda: counter.get("#99")) == (404, "not_found")
    assert refusal(lambda: counter.get("' OR 1=1")) == (404, "not_found")


def test_a_slug_that_looks_like_a_numbered_one_is_nobodys_trap(counter: Counter) -> None:
    assert [counter.open(title).slug for title in ("Help 2", "Help", "Help", "Help")] == [
        "help-2",
        "help",
        "help-3",
        "help-4",
    ]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Größe & Maß?!", "grosse-mass"),
        ("Где посылка", "ticket"),
        ("mail mary.example@example.com please", "mail-please"),
        ("call +44 20 7946 0000 now", "call-now"),
        ("x" * 200, "x" * 80),
        ("order 46", "order-46"),
    ],
)
def test_an_address_is_made_of_the_title_without_contact_data(title: str, slug: str) -> None:
    assert words.slug(title) == slug


@given(st.text(min_size=1, max_size=300))
def test_whatever_a_title_holds_it_is_one_line_or_refused(title: str) -> None:
    try:
        kept = words.title(title)
    except ProblemError:
        return
    assert 1 <= len(kept) <= 255
    assert kept.isprintable() or not kept.isascii()
    assert "\n" not in kept
    assert set(words.slug(kept)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_who_opens_many_at_once_gets_numbers_and_addresses_of_their_own(counter: Counter) -> None:
    with ThreadPoolExecutor(12) as hands:
        made = list(hands.map(lambda n: counter.open("Help", email=f"c{n % 3}@example.com"), range(36)))
    assert sorted(one.number for one in made) == list(range(1, 37))
    assert {one.slug for one in made} == {"help", *(f"help-{n}" for n in range(2, 37))}


def test_it_is_told_to_staff_and_to_the_customer_with_an_account(counter: Counter) -> None:
    mary = counter.customer()
    which = ""

    def deed() -> None:
        nonlocal which
        which = counter.open(email="MARY@example.com").id

    told = counter.telling(deed)
    assert told == [
        (topic, "ticket_created", {"ticket_id": which})
        for topic in ("tickets:all", f"tickets:{which}", f"tickets:user:{mary.user_id}")
    ]
    guest = counter.telling(lambda: counter.open(email="guest@example.com"))
    assert len(guest) == 2


def test_staff_open_for_an_email_and_the_customer_is_made(counter: Counter) -> None:
    made = counter.open(email="new@example.com", name="New Customer", priority="high")
    assert made.customer is not None
    assert (made.customer.email, made.customer.name, made.priority) == (
        "new@example.com",
        "New Customer",
        "high",
    )
    assert refusal(lambda: counter.open(email=None)) == (422, "invalid_request")
    for field, text in (("title", " \u200b "), ("description", "\n")):
        assert refusal(lambda f=field, t=text: counter.open(**{f: t})) == (422, "invalid_request")  # type: ignore[misc]


def test_a_program_opens_for_customers_and_is_told_nothing_of_them(counter: Counter, staff: Staff) -> None:
    order, others = counter.order(), counter.order("tom@example.com")
    made = counter.open(role="storefront", order=order)
    seen = counter.get(made.id, "storefront")
    assert (seen.customer, seen.comments, seen.actions, seen.history) == (None, [], [], [])
    assert made.order is not None
    assert made.order.number == order
    for wrong in (others, "SS-000000-0000"):
        assert refusal(lambda w=wrong: counter.open(role="storefront", order=w)) == (422, "invalid_request")  # type: ignore[misc]
    assert counter.open(order=others).order is not None  # staff may: somebody else writes about a present
    counter.set(enabled="off")
    assert refusal(lambda: counter.open(role="storefront")) == (404, "support_disabled")
    assert counter.open().status == "open"


def test_a_customer_opens_an_own_ticket_beside_an_own_order(counter: Counter) -> None:
    mary = counter.customer()
    order, others = counter.order(), counter.order("tom@example.com")
    made = counter.open_own(mary, order=order.lower(), priority="high")
    assert made.customer is not None
    assert made.customer.id == mary.person_id
    assert made.order is not None
    for wrong in (others, "nothing"):
        assert refusal(lambda w=wrong: counter.open_own(mary, order=w)) == (422, "invalid_request")  # type: ignore[misc]
    for named in ({"email": "tom@example.com"}, {"name": "Tom"}):
        assert refusal(lambda n=named: counter.open_own(mary, **n)) == (422, "invalid_request")  # type: ignore[misc]
    before = counter.everything()
    counter.set(enabled="off")
    assert refusal(lambda: counter.open_own(mary)) == (404, "support_disabled")
    assert refusal(lambda: counter.get_own(made.id, mary)) == (404, "support_disabled")
    assert refusal(lambda: counter.answer(made.id, mary)) == (404, "support_disabled")
    assert counter.everything()[:3] == before[:3]


def test_nobody_without_the_permission_opens_one(counter: Counter, staff: Staff) -> None:
    assert refusal(lambda: counter.open(role="readonly")) == (403, "insufficient_permissions")
    mary = counter.customer()
    mary.caller = Principal("t", "t", "support", staff.users["support"])
    assert refusal(lambda: counter.open_own(mary)) == (403, "insufficient_permissions")


def test_the_story_of_the_order_tells_of_its_ticket(counter: Counter) -> None:
    mary = counter.customer()
    order = counter.order()
    which = counter.open_own(mary, order=order).id
    counter.change(which, assigned_to=counter.staff.users["support"])
    counter.change(which, status="open")
    counter.change(which, status="resolved")
    counter.change(which, status="closed")
    counter.change(which, status="open")
    counter.change_many([which], status="closed")
    params = {"number": 1}
    assert counter.story(order) == [
        ("ticket.created", params, "customer"),
        ("ticket.resolved", params, "staff"),
        ("ticket.reopened", params, "staff"),
        ("ticket.closed", params, "staff"),
    ]
    counter.open("beside none")
    assert len(counter.story(order)) == 4


def test_open_tickets_are_counted_by_person(counter: Counter) -> None:
    from server.tickets.service import open_counts

    mary, tom = counter.customer(), counter.customer("tom@example.com", "Tom")
    one = counter.open_own(mary).id
    counter.open_own(mary)
    counter.open_own(mary)
    counter.change(one, status="resolved")
    ids = [mary.person_id, tom.person_id]
    assert counter.store.read(lambda tx: open_counts(tx, ids)) == {mary.person_id: 2}
    assert counter.store.read(lambda tx: open_counts(tx, [])) == {}
    assert counter.store.read(lambda tx: people.people(tx, ids)).keys() == set(ids)
