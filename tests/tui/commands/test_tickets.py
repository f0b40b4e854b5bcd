"""``shopbell tickets``."""

from __future__ import annotations

import pytest

from tests.flows.helpdesk import BLANKET, PARCEL, Helpdesk, open_helpdesk
from tests.tui.commands.conftest import Shop


@pytest.fixture
def asked(shop: Shop) -> Helpdesk:
    """Customers asked something this morning."""
    return open_helpdesk(shop.world)


def number(asked: Helpdesk, key: str) -> str:
    """A ticket's number as people write it."""
    return f"#{asked.ticket(key)['number']}"


def test_the_list(shop: Shop, asked: Helpdesk) -> None:
    ran = shop.run("tickets", "list")
    lines = ran.out.splitlines()
    assert lines[0].split() == [
        "TICKET", "STATUS", "PRIORITY", "TITLE", "CUSTOMER", "ORDER", "WITH", "TURN", "LAST",
    ]  # fmt: skip
    [parcel] = [line for line in lines if PARCEL in line]
    assert all(word in parcel for word in ("in progress", "high", "Mei Lin", "SS-260223-0002", "ours"))
    assert len(lines) == 5
    query = {"tab": "all", "priority": "urgent", "q": "hole"}
    options = ["--tab", "all", "--priority", "urgent", "-q", "hole"]
    assert shop.json("tickets", "list", *options) == shop.world.get("/v1/tickets", **query)
    assert shop.run("tickets", "list", "--tab", "mine", role="admin").err.endswith(
        "There is nothing like that.\n"
    )
    beside = shop.json("tickets", "list", "--order", "SS-260223-0002")
    assert [row["title"] for row in beside["items"]] == [PARCEL]


def test_a_ticket_whole_says_what_is_internal(shop: Shop, asked: Helpdesk) -> None:
    ran = shop.run("tickets", "show", number(asked, "parcel"))
    assert PARCEL in ran.out
    assert "| Could you look where it is?" in ran.out
    assert "INTERNAL support@example.com" in ran.out
    assert "# DHL lost two of our parcels." in ran.out
    ticket_id = asked.ids["parcel"]
    assert shop.json("tickets", "show", ticket_id) == shop.world.get(f"/v1/tickets/{ticket_id}")
    assert shop.run("tickets", "show", "#999").code == 4
    assert shop.run("tickets", "show", "../users").code == 4


def test_a_reply_reaches_the_customer_and_a_note_does_not(shop: Shop, asked: Helpdesk) -> None:
    which = number(asked, "parcel")
    ran = shop.run("tickets", "reply", which, typed="We sent another.\nIt comes tomorrow.\n")
    assert ran.out == f"{which}: replied to the customer.\n"
    assert (
        shop.run("tickets", "note", which, "--text", "She is a regular.").out
        == f"{which}: noted for staff alone.\n"
    )
    told = [said["body"] for said in asked.reads("parcel", "Mei Lin")["comments"]]
    assert told[-1] == "We sent another.\nIt comes tomorrow."
    assert "She is a regular." not in told
    [noted] = [said for said in asked.ticket("parcel")["comments"] if said["body"] == "She is a regular."]
    assert noted["is_internal"] is True


def test_no_error_repeats_what_was_said(shop: Shop, asked: Helpdesk) -> None:
    asked.changes("invoice", status="closed")
    which = number(asked, "invoice")
    said = "the secret of the shop"
    for ran in (
        shop.run("tickets", "reply", which, typed=said),
        shop.run("tickets", "reply", which, "--text", said, "--json"),
        shop.run("tickets", "reply", "#999", "--text", said),
        shop.run("tickets", "reply", which, typed=said * 1000),
        shop.run("tickets", "reply", which, "--text", said, role="readonly"),
    ):
        assert ran.code != 0
        assert said not in ran.out + ran.err
    assert shop.run("tickets", "reply", which, typed=" \n ").code == 2


def test_giving_and_taking(shop: Shop, asked: Helpdesk) -> None:
    which = number(asked, "blanket")
    ran = shop.run("tickets", "assign", which, "me")
    assert (
        ran.out == f"{which} {BLANKET}: in progress, with {asked.ticket('blanket')['assigned_to']['name']}.\n"
    )
    assert asked.ticket("blanket")["assigned_to"]["id"] == shop.world.staff.users["owner"]
    shop.run("tickets", "assign", which, "Support@example.com")
    assert asked.ticket("blanket")["assigned_to"]["id"] == shop.world.staff.users["support"]
    assert shop.json("tickets", "assign", which, "nobody")["assigned_to"] is None
    assert shop.run("tickets", "assign", which, "stranger@example.com").code == 2
    assert shop.run("tickets", "assign", which, "me", role="readonly").code == 5


def test_states(shop: Shop, asked: Helpdesk) -> None:
    which = number(asked, "blanket")
    assert "resolved" in shop.run("tickets", "status", which, "resolved", "--reason", "refunded").out
    assert asked.ticket("blanket")["history"][-1]["reason"] == "refunded"
    ran = shop.run("tickets", "status", which, "in_progress", "--json")
    assert (ran.code, ran.json["code"]) == (1, "invalid_transition")
    assert shop.run("tickets", "status", which, "somewhere").code == 2
