"""People in few words: made in the vault, asked for over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import insert, select, update

from server.accounts.models import user
from server.audit.models import audit
from server.contract.access import StaffRole
from server.contract.orders import Address
from server.kit.access import Role
from server.kit.db import Store
from server.kit.schema import topic_event
from server.people import service as people
from server.people.models import person
from server.tickets.models import ticket
from tests.server.conftest import Staff
from tests.server.orders.shop import Shop


class Town:
    """The directory, asked with a role's token."""

    def __init__(self, http: httpx.Client, store: Store, staff: Staff, role: Role) -> None:
        self.http, self.store, self.staff, self.role = http, store, staff, role
        self.shop = Shop(store)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A request under ``/v1/people``."""
        given = self.staff.bearer(self.role) | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        return self.http.request(method, f"/v1/people{path}", json=body, headers=given)

    def people(self, **query: Any) -> list[dict[str, Any]]:
        """The first page of a list."""
        answer = self.http.get("/v1/people", params=query, headers=self.staff.bearer(self.role))
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def person(self, person_id: str) -> dict[str, Any]:
        """One person whole."""
        answer = self.ask("GET", f"/{person_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def action(self, person_id: str, name: str) -> tuple[bool, str | None]:
        """Whether an action is offered, and why not."""
        found = {one["name"]: one for one in self.person(person_id)["actions"]}[name]
        return found["allowed"], found["reason"]

    def customer(self, email: str, **more: Any) -> str:
        """A customer of the vault."""
        return self.store.write(lambda tx: people.find_or_create_customer(tx, email=email, **more))

    def address(self, person_id: str, **parts: str) -> str:
        """An address of one."""
        return self.store.write(lambda tx: people.add_address(tx, person_id, Address(**parts)))

    def account(self, person_id: str, role: str = "user") -> str:
        """An account for a person."""

        def unit(tx: Any) -> str:
            made: str = tx.new_id()
            tx.execute(
                insert(user).values(id=made, person_id=person_id, role=role, active=1, created_at=tx.now)
            )
            return made

        return self.store.write(unit)

    def ticket(self, person_id: str, number: int, status: str = "open") -> str:
        """A ticket of one."""

        def unit(tx: Any) -> str:
            made: str = tx.new_id()
            values = {"title": "Where is it?", "description": "I wait.", "slug": f"where-{number}"}
            times = {"created_at": tx.now, "updated_at": tx.now}
            row = values | times | {"id": made, "number": number, "status": status, "person_id": person_id}
            tx.execute(insert(ticket).values(row))
            return made

        return self.store.write(unit)

    def write(self, person_id: str, **values: Any) -> None:
        """Change a person's row behind everybody's back."""
        self.store.write(lambda tx: tx.execute(update(person).where(person.c.id == person_id).values(values)))

    def staff_person(self, role: StaffRole) -> str:
        """The person behind a member of staff."""
        wanted = select(user.c.person_id).where(user.c.id == self.staff.users[role])
        return self.store.read(lambda tx: str(tx.execute(wanted).scalar_one()))

    def audited(self, action: str) -> list[Any]:
        """The audit's entries of an action."""
        wanted = select(audit).where(audit.c.action == action).order_by(audit.c.seq)
        return self.store.read(lambda tx: list(tx.execute(wanted)))

    def told(self, topic: str) -> list[tuple[str, dict[str, Any]]]:
        """What was published on a topic."""
        wanted = select(topic_event).where(topic_event.c.topic == topic).order_by(topic_event.c.seq)
        return self.store.read(lambda tx: [(row.event, row.data) for row in tx.execute(wanted)])
