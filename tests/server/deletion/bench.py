"""A shop in which people are deleted over HTTP, exported and restored, with the jobs run when the test says so."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import select

from server.accounts.models import token
from server.deletion.models import deletion
from server.jobs.runner import Runner
from server.people.models import person
from server.settings import service as settings
from tests.server.directory.town import Town


class Bench(Town):
    """The directory, and what goes on from there."""

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A request anywhere under ``/v1``."""
        return self.http.request(method, f"/v1{path}", json=body, headers=self.staff.bearer(self.role))

    def wait_days(self, days: int) -> None:
        """Set the grace period."""
        self.store.write(lambda tx: settings.set_value(tx, "deletion.grace_days", str(days)))

    def delete(self, person_id: str) -> dict[str, Any]:
        """Plan and delete, as somebody does who reads and types."""
        plan = self.call("POST", f"/people/{person_id}/deletion/plan").json()
        body = {"plan": plan["hash"], "confirm": plan["confirm"]}
        answer = self.call("POST", f"/people/{person_id}/deletion", body)
        assert answer.status_code in (200, 202), answer.text
        found: dict[str, Any] = answer.json()
        assert (answer.status_code == 202) == (found["state"] == "scheduled")
        return found

    def work(self) -> int:
        """Run every job that is due; how many."""
        return Runner(self.store, monotonic=lambda: 0.0, vary=lambda: 0.5).drain()

    def row(self, person_id: str) -> Any:
        """A person's row."""
        return self.store.read(lambda tx: tx.execute(select(person).where(person.c.id == person_id)).one())

    def deletion(self, deletion_id: str) -> Any:
        """A deletion's row."""
        wanted = select(deletion).where(deletion.c.id == deletion_id)
        return self.store.read(lambda tx: tx.execute(wanted).one())

    def open_tokens(self, user_id: str) -> int:
        """How many of an account's tokens still open something."""
        mine = select(token).where(token.c.user_id == user_id, token.c.revoked_at.is_(None))
        return len(self.store.read(lambda tx: tx.execute(mine).all()))
