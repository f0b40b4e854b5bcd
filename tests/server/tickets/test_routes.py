"""Tickets over HTTP: staff's routes, who may do what, repeats, topics, the poll, the settings' screen."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from server.contract.base import Page
from server.contract.tickets import TicketRow
from server.kit import topics
from server.kit.access import Principal, Role
from server.kit.schema import idempotency
from server.settings.registry import REGISTRY
from tests.server.conftest import Staff
from tests.server.tickets.counter import Counter, walk

NEW = {"title": "Where is my parcel?", "description": "It has not come.", "email": "mary@example.com"}


class Desk:
    """A client that brings a role's token."""

    def __init__(self, http: httpx.Client, staff: Staff) -> None:
        self.http, self.staff = http, staff

    def ask(
        self, method: str, path: str, body: Any = None, role: Role = "support", key: str | None = None
    ) -> httpx.Response:
        headers = self.staff.bearer(role) | ({"Idempotency-Key": key} if key else {})
        return self.http.request(method, f"/v1/tickets{path}", json=body, headers=headers)

    def json(
        self, method: str, path: str, body: Any = None, role: Role = "support", status: int = 200
    ) -> Any:
        answered = self.ask(method, path, body, role)
        assert answered.status_code == status, answered.text
        return answered.json()


@pytest.fixture
def desk(http: httpx.Client, counter: Counter, staff: Staff) -> Desk:
    return Desk(http, staff)


def test_the_life_of_a_ticket(desk: Desk, staff: Staff) -> None:
    made = desk.json("POST", "", NEW, status=201)
    assert (made["number"], made["status"], made["customer"]["email"]) == (1, "open", "mary@example.com")
    path = f"/{made['id']}"
    given = desk.json("PATCH", path, {"assigned_to": staff.users["support"], "priority": "high"})
    assert (given["status"], given["assigned_to"]["name"]) == ("in_progress", "support@example.com")
    said = desk.json("POST", f"{path}/comments", {"body": "We look into it."}, status=201)
    assert (said["is_internal"], said["author"], said["actions"]) == (
        False,
        "support@example.com",
        [{"name": "delete", "allowed": True, "reason": None}],
    )
    note = desk.json("POST", f"{path}/comments", {"body": "Odd.", "is_internal": True}, status=201)
    assert note["is_internal"] is True
    assert desk.json("DELETE", f"{path}/comments/{note['id']}")["comment_count"] == 1
    assert desk.json("POST", "/changes", {"ids": [made["id"]], "status": "resolved"}) == {
        "changed": [made["id"]]
    }
    whole = desk.json("GET", "/1", role="readonly")
    assert [line["field"] for line in whole["history"]] == ["priority", "assigned_to", "status", "status"]
    assert all(not one["allowed"] for one in whole["actions"])
    assert {one["reason"] for one in whole["actions"]} == {"insufficient_permissions"}
    assert desk.json("DELETE", path, role="admin") == {"id": made["id"], "number": 1}
    assert desk.ask("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"status": "in_progress"}, 409, "invalid_transition"),
        ({"assigned_to": "nobody"}, 422, "invalid_request"),
        ({"reason": "x" * 1_001}, 422, "invalid_request"),
        ({"status": "done"}, 422, "invalid_request"),
        ({"slug": "mine"}, 422, "invalid_request"),
        ({"title": "  "}, 422, "invalid_request"),
    ],
)
def test_what_a_change_refuses(desk: Desk, counter: Counter, body: Any, status: int, code: str) -> None:
    which = counter.open().id
    counter.change(which, status="resolved")
    before = counter.everything()
    answered = desk.ask("PATCH", f"/{which}", body)
    assert (answered.status_code, answered.json()["code"]) == (status, code)
    assert counter.everything() == before


def test_a_gate_and_a_bulk_say_why_and_which(desk: Desk, counter: Counter) -> None:
    one, two = counter.open().id, counter.open().id
    counter.change(two, status="closed")
    counter.set(allow_reopen="off")
    answered = desk.ask("PATCH", f"/{two}", {"status": "open"}).json()
    assert answered["code"] == "reopen_not_allowed"
    answered = desk.ask("POST", "/changes", {"ids": [one, two], "status": "in_progress"}).json()
    assert answered["code"] == "invalid_transition"
    assert answered["detail"].startswith("Ticket #2: ")
    answered = desk.ask("POST", "/changes", {"ids": [one, "gone"], "priority": "low"}).json()
    assert (answered["code"], answered["fields"][0]["field"]) == ("not_found", "ids.1")


@pytest.mark.parametrize("body", ["", "   ", "x" * 10_001])
def test_a_comment_that_is_empty_or_too_long_is_refused(desk: Desk, counter: Counter, body: str) -> None:
    which = counter.open().id
    answered = desk.ask("POST", f"/{which}/comments", {"body": body})
    assert (answered.status_code, answered.json()["code"]) == (422, "invalid_request")


def test_d9_the_list_its_pages_and_its_counts(desk: Desk, counter: Counter, staff: Staff) -> None:
    for n in range(7):
        counter.open(f"Parcel {n}", priority="high" if n % 2 else "normal")
    counter.change("#2", assigned_to=staff.users["support"])

    def ask(cursor: str | None) -> Page[TicketRow]:
        given = f"?tab=unassigned&priority=high&limit=2{f'&cursor={cursor}' if cursor else ''}"
        return Page[TicketRow].model_validate(desk.json("GET", given))

    rows = walk(ask)
    assert [row.number for row in rows] == [6, 4]
    counts = desk.json("GET", "/counts?tab=unassigned&priority=high")
    assert counts["total"] == len(rows)
    assert desk.json("GET", "/counts") == {
        "total": 7,
        "open": 6,
        "in_progress": 1,
        "resolved": 0,
        "closed": 0,
        "unassigned": 6,
        "mine": 1,
    }
    assert desk.json("GET", "/counts", role="owner")["mine"] == 0
    mine = desk.json("GET", "?assigned_to=me")["items"]
    assert [row["number"] for row in mine] == [2]
    assert desk.ask("GET", "?tab=unheard").status_code == 422
    first = desk.json("GET", "?limit=2")["next"]
    other = desk.ask("GET", f"?limit=2&priority=high&cursor={first}")
    assert (other.status_code, other.json()["code"]) == (400, "invalid_cursor")


def test_the_orders_tickets_are_found_by_it(desk: Desk, counter: Counter) -> None:
    order = counter.order()
    counter.open("beside", order=order)
    counter.open("alone")
    rows = desk.json("GET", f"?order={order}")["items"]
    assert [(row["title"], row["order"]["number"]) for row in rows] == [("beside", order)]
    answered = desk.ask("POST", "", NEW | {"order": "SS-000000-0000"})
    assert (answered.status_code, answered.json()["fields"][0]["field"]) == (422, "order")


@pytest.mark.parametrize(
    ("method", "path", "body", "roles"),
    [
        ("GET", "", None, {"owner", "admin", "support", "readonly"}),
        ("GET", "/counts", None, {"owner", "admin", "support", "readonly"}),
        ("GET", "/1", None, {"owner", "admin", "support", "readonly"}),
        ("POST", "", NEW, {"owner", "admin", "support", "storefront"}),
        ("PATCH", "/1", {"priority": "low"}, {"owner", "admin", "support"}),
        ("POST", "/changes", {"ids": ["x"], "priority": "low"}, {"owner", "admin", "support"}),
        ("POST", "/1/comments", {"body": "Hello"}, {"owner", "admin", "support"}),
        ("DELETE", "/1/comments/x", None, {"owner", "admin", "support"}),
        ("DELETE", "/99", None, {"owner", "admin"}),
    ],
)
def test_who_may(desk: Desk, counter: Counter, method: str, path: str, body: Any, roles: set[Role]) -> None:
    counter.open()
    mary = counter.customer()
    every: tuple[Role, ...] = ("owner", "admin", "support", "readonly", "storefront")
    let_in = {role for role in every if desk.ask(method, path, body, role).status_code != 403}
    assert let_in == roles
    customer = desk.http.request(method, f"/v1/tickets{path}", json=body, headers=mary.bearer)
    assert (customer.status_code, customer.json()["code"]) == (403, "forbidden")


def test_a_repeat_changes_nothing_and_nobodys_words_are_kept_for_it(desk: Desk, counter: Counter) -> None:
    new = NEW | {"name": "Mary Example"}
    first = desk.ask("POST", "", new, key="once").json()
    again = desk.ask("POST", "", new, key="once")
    assert again.status_code == 201
    assert (again.json()["id"], again.json()["number"]) == (first["id"], 1)
    reply = {"body": "We look into it."}
    said = desk.ask("POST", "/1/comments", reply, key="twice").json()
    again = desk.ask("POST", "/1/comments", reply, key="twice")
    assert again.json()["id"] == said["id"]
    assert counter.get("1").comment_count == 1
    changed = desk.ask("PATCH", "/1", {"status": "resolved", "reason": "Mary called"}, key="thrice").json()
    assert changed["comments"][0]["body"] == "We look into it."
    kept = counter.store.read(lambda tx: tx.execute(select(idempotency.c.body)).scalars().all())
    assert len(kept) == 3
    for words in ("mary", "Mary", "parcel", "has not come", "look into"):
        assert words not in "".join(kept)


def test_the_poll_counts_tickets_that_wait_and_moves(desk: Desk, counter: Counter, staff: Staff) -> None:
    def pulse() -> Any:
        return desk.http.get("/v1/pulse", headers=staff.bearer("support")).json()

    assert pulse()["tickets"] == 0
    one, two = counter.open().id, counter.open().id
    counter.change(one, status="in_progress")
    before = pulse()
    assert before["tickets"] == 2
    counter.note(two)
    after = pulse()
    assert after["topics"]["tickets"] == before["topics"]["tickets"] + 1
    counter.change(one, status="closed")
    assert pulse()["tickets"] == 1


def test_who_may_follow_which_topic(counter: Counter, staff: Staff) -> None:
    mary, tom = counter.customer(), counter.customer("tom@example.com", "Tom")
    which = counter.open_own(mary).id
    own, others = f"tickets:user:{mary.user_id}", f"tickets:user:{tom.user_id}"
    every = ["tickets:all", f"tickets:{which}", own, others]

    def followed(caller: Principal) -> list[str]:
        return [topic for topic in every if topics.may_follow(caller, topic)]

    assert followed(staff.principal("readonly")) == every
    assert followed(mary.caller) == [own]
    assert followed(staff.principal("storefront")) == []


def test_the_settings_are_as_they_were_promised() -> None:
    found = {name: known.default for name, known in REGISTRY.items() if known.group == "tickets"}
    assert found == {
        "tickets.enabled": False,
        "tickets.comments": True,
        "tickets.internal_notes": True,
        "tickets.attachments": True,
        "tickets.allow_reopen": True,
        "tickets.reply_mail": True,
    }
