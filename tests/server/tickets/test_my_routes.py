"""Row D12, and D7 on the wire: a customer sees their own tickets and of these what was said to them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.conftest import Staff
from tests.server.tickets.counter import Counter, Customer

NEW = {"title": "Where is it?", "description": "It has not come."}


class Front:
    """The shop's front, with a customer's token."""

    def __init__(self, http: httpx.Client, counter: Counter) -> None:
        self.http, self.counter = http, counter
        self.mary = counter.customer()
        self.tom = counter.customer("tom@example.com", "Tom Example")

    def ask(
        self, method: str, path: str = "", body: Any = None, who: Customer | None = None
    ) -> httpx.Response:
        bearer = (who or self.mary).bearer
        return self.http.request(method, f"/v1/my/tickets{path}", json=body, headers=bearer)

    def told(
        self, method: str, path: str = "", body: Any = None, who: Customer | None = None
    ) -> tuple[int, str]:
        answered = self.ask(method, path, body, who)
        return answered.status_code, answered.json().get("code")


@pytest.fixture
def front(http: httpx.Client, counter: Counter) -> Front:
    return Front(http, counter)


def test_a_customer_opens_reads_and_answers(front: Front) -> None:
    made = front.ask("POST", "", NEW)
    assert made.status_code == 201
    ticket = made.json()
    assert (ticket["status"], ticket["customer"]["email"]) == ("open", "mary@example.com")
    assert ticket["actions"] == [{"name": "reply", "allowed": True, "reason": None}]
    said = front.ask("POST", "/1/comments", {"body": "Any news?"}).json()
    assert (said["author_kind"], said["author"], said["actions"]) == ("customer", "mary@example.com", [])
    assert [row["number"] for row in front.ask("GET").json()["items"]] == [1]
    assert front.ask("GET", "/1").json()["comments"] == [said]


def test_d12_anothers_ticket_is_as_unknown_as_none(front: Front) -> None:
    which = front.counter.open_own(front.mary).id
    before = front.counter.everything()
    for key in (which, "1", "%231", "no-such", "99"):
        for method, path, body in (("GET", "", None), ("POST", "/comments", {"body": "Hi"})):
            mine = front.ask(method, f"/{key}{path}", body, front.tom)
            assert (mine.status_code, mine.json()["code"]) == (404, "not_found")
            nothing = front.ask(method, f"/88{path}", body, front.tom)
            assert mine.json() == nothing.json()
    assert front.ask("GET", who=front.tom).json()["items"] == []
    assert front.counter.everything() == before
    assert front.ask("GET", f"/{which}").status_code == 200


def test_d12_guests_tickets_and_anonymised_ones_are_nobodys(front: Front) -> None:
    front.counter.open(email="guest@example.com")
    assert front.told("GET", "/1") == (404, "not_found")


def test_a_customer_sets_no_state_and_names_nobody(front: Front, staff: Staff) -> None:
    front.counter.open_own(front.mary)
    before = front.counter.everything()
    for body in (
        NEW | {"status": "closed"},
        NEW | {"assigned_to": staff.users["support"]},
        NEW | {"email": "tom@example.com"},
        NEW | {"name": "Tom"},
        NEW | {"title": " "},
        NEW | {"description": "x" * 10_001},
    ):
        assert front.told("POST", "", body) == (422, "invalid_request")
    assert front.told("POST", "/1/comments", {"body": "Hi", "is_internal": True}) == (
        403,
        "insufficient_permissions",
    )
    assert front.ask("PATCH", "/1", {"status": "closed"}).status_code == 405
    assert front.counter.everything() == before


def test_d7_nothing_of_a_note_is_on_the_wire(front: Front, staff: Staff) -> None:
    which = front.counter.open_own(front.mary).id
    front.counter.change(which, assigned_to=staff.users["support"], reason="a friend of the house")
    front.counter.say(which, "We look into it.")
    quiet = [front.ask("GET").text, front.ask("GET", "/1").text, front.ask("GET", "?q=house").text]
    front.counter.note(which, "smells of fraud in this house")
    assert [front.ask("GET").text, front.ask("GET", "/1").text, front.ask("GET", "?q=house").text] == quiet
    for inside in ("fraud", "friend of the house", "support@example.com", staff.users["support"]):
        assert inside not in "".join(quiet)
    whole = front.ask("GET", "/1").json()
    assert (whole["history"], whole["assigned_to"], whole["comment_count"]) == ([], None, 1)
    assert [(one["author"], one["is_internal"]) for one in whole["comments"]] == [("My shop", False)]


def test_pages_of_ones_own(front: Front) -> None:
    for _ in range(5):
        front.counter.open_own(front.mary)
        front.counter.open_own(front.tom)
    seen: list[int] = []
    path: str = "?limit=2"
    while True:
        page = front.ask("GET", path).json()
        seen += [row["number"] for row in page["items"]]
        if page["next"] is None:
            break
        assert front.told("GET", f"?limit=2&cursor={page['next']}", who=front.tom) == (400, "invalid_cursor")
        path = f"?limit=2&cursor={page['next']}"
    assert seen == [9, 7, 5, 3, 1]


def test_switched_off_there_are_none_for_customers_and_staff_go_on(front: Front, staff: Staff) -> None:
    front.counter.open_own(front.mary)
    front.counter.set(enabled="off")
    refused = (404, "support_disabled")
    assert front.told("GET") == refused
    assert front.told("GET", "/1") == refused
    assert front.told("POST", "", NEW) == refused
    assert front.told("POST", "/1/comments", {"body": "Hi"}) == refused
    assert front.counter.say("1").body == "We look into it."


def test_staff_and_programs_have_no_own_tickets(front: Front, staff: Staff) -> None:
    for role in ("owner", "support", "readonly", "storefront"):
        answered = front.http.get("/v1/my/tickets", headers=staff.bearer(role))
        assert (answered.status_code, answered.json()["code"]) == (403, "forbidden")
