"""The list of people: tabs, search, pages, who is left out, and what each row says."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from server.contract.people import PeopleTab
from server.directory import reading
from server.kit.clock import MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.paging import PageRequest
from server.people.reading import PeopleQuery
from tests.server.conftest import Staff
from tests.server.directory.town import Town


def emails(rows: list[dict[str, Any]]) -> list[str]:
    return [row["email"] for row in rows]


def test_tabs_hold_their_people_newest_first_and_the_counts_agree(owner: Town, clock: FrozenClock) -> None:
    for n in range(3):
        clock.advance(MINUTE)
        owner.customer(f"c{n}@example.com")
    tabs: tuple[PeopleTab, ...] = ("all", "customers", "staff")
    listed = {tab: emails(owner.people(tab=tab)) for tab in tabs}
    assert listed["customers"] == ["c2@example.com", "c1@example.com", "c0@example.com"]
    assert sorted(listed["staff"]) == [
        f"{role}@example.com" for role in ("admin", "owner", "readonly", "support")
    ]
    assert listed["all"] == listed["customers"] + listed["staff"]
    assert owner.ask("GET", "/counts").json() == {tab: len(found) for tab, found in listed.items()}


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("mary", True),
        ("MARY@", True),
        ("y@exam", True),
        ("Märy", True),  # the name, without accents
        ("y pOpp", True),
        ("79460", True),
        ("+44 20", True),
        ("%", False),
        ("_", False),
        ("m%y", False),
        ("\\", False),
        ("nobody", False),
    ],
)
def test_search_is_a_literal_part_of_email_name_or_phone(owner: Town, q: str, found: bool) -> None:
    owner.customer("mary@example.com", name="Mary Poppins", phone="+44 20 79460000")
    owner.customer("tom@example.org", name="Tom")
    assert emails(owner.people(q=q, tab="customers")) == (["mary@example.com"] if found else [])
    assert (
        owner.ask("GET", f"/counts?q={q.replace('%', '%25').replace('+', '%2B')}").json()["customers"]
        == found
    )


def test_erased_and_hidden_people_come_only_when_asked_for(owner: Town, clock: FrozenClock) -> None:
    there, hidden, gone = (owner.customer(f"{name}@example.com") for name in ("there", "hidden", "gone"))
    owner.write(hidden, hidden_at=clock.now())
    owner.write(gone, erased_at=clock.now(), email=None, email_key=None, mark="7F2A")
    assert [row["id"] for row in owner.people(tab="customers")] == [there]
    assert owner.ask("GET", "/counts").json()["customers"] == 1
    rows = {row["id"]: row for row in owner.people(tab="customers", erased="true")}
    assert set(rows) == {there, hidden, gone}
    assert (rows[hidden]["hidden"], rows[hidden]["shown"]) == (True, "hidden@example.com")
    assert (rows[gone]["shown"], rows[gone]["email"], rows[gone]["hidden"]) == ("⟨erased 7F2A⟩", None, False)
    assert [row["id"] for row in owner.people(erased="true", q="7f2a")] == [gone]
    assert owner.people(q="7f2a") == []


def test_pages_go_both_ways_without_gap_or_repeat(owner: Town, clock: FrozenClock) -> None:
    made = []
    for n in range(7):
        made.append(owner.customer(f"c{n}@example.com"))
        if n % 3 == 0:
            clock.advance(MINUTE)  # some stand at one moment
    wanted = list(reversed(made))

    def page(**query: Any) -> dict[str, Any]:
        given: dict[str, Any] = {"tab": "customers", "limit": 3} | query
        answer = owner.http.get("/v1/people", params=given, headers=owner.staff.bearer("owner"))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    first = page()
    second = page(cursor=first["next"])
    third = page(cursor=second["next"])
    assert [row["id"] for part in (first, second, third) for row in part["items"]] == wanted
    assert (third["next"], first["prev"]) == (None, None)
    assert page(cursor=second["prev"])["items"] == first["items"]
    foreign = owner.http.get(
        "/v1/people", params={"tab": "staff", "cursor": first["next"]}, headers=owner.staff.bearer("owner")
    )
    assert (foreign.status_code, foreign.json()["code"]) == (400, "invalid_cursor")


def test_a_row_counts_orders_and_open_tickets(owner: Town) -> None:
    first = owner.shop.order(customer={"email": "mary@example.com", "name": "Mary"})
    owner.shop.order(customer={"email": "MARY@example.com"})
    assert first.customer is not None
    mary = first.customer.id
    assert mary is not None
    for number, status in enumerate(("open", "in_progress", "resolved", "closed"), 1):
        owner.ticket(mary, number, status)
    tom = owner.customer("tom@example.com")
    rows = {row["id"]: (row["orders"], row["open_tickets"]) for row in owner.people(tab="customers")}
    assert rows == {mary: (2, 2), tom: (0, 0)}


def test_a_page_takes_as_many_statements_for_many_people_as_for_one(
    owner: Town, store: Store, staff: Staff
) -> None:
    """Orders, tickets and accounts are asked for once for a page, not once for a row."""

    def statements() -> int:
        seen: list[str] = []

        def unit(tx: Any) -> None:
            listen = (tx.conn, "before_cursor_execute", lambda *given: seen.append(given[2]))
            event.listen(*listen)
            reading.listing(tx, PeopleQuery(), PageRequest(), staff.principal("owner"))
            event.remove(*listen)

        store.read(unit)
        return len(seen)

    few = statements()
    for n in range(20):
        owner.account(owner.customer(f"c{n}@example.com"))
        owner.shop.order(customer={"email": f"c{n}@example.com"})
    assert statements() == few
    assert few <= 8


def test_accounts_stand_in_the_rows_of_those_who_have_one(owner: Town) -> None:
    guest, member = owner.customer("guest@example.com"), owner.customer("member@example.com")
    account = owner.account(member)
    rows = {row["id"]: row["account"] for row in owner.people()}
    assert rows[guest] is None
    assert (rows[member]["id"], rows[member]["role"]) == (account, "user")
    assert rows[owner.staff_person("support")]["role"] == "support"
