"""Customers with an account of their own, and their tokens."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert

from server.accounts import service as accounts
from server.accounts.models import user
from server.kit.access import Principal
from server.kit.db import Store
from server.kit.tx import Tx
from server.people import service as people


@dataclass(frozen=True)
class Customer:
    """Somebody who signed up."""

    person_id: str
    user_id: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header of a request with the customer's own token."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def principal(self) -> Principal:
        """The caller, as services take one."""
        return Principal(self.token.split("_")[2], "user", "user", self.user_id)


def sign_up(store: Store, email: str, name: str | None = None) -> Customer:
    """Make the customer of an address a user, with a token."""

    def unit(tx: Tx) -> Customer:
        person_id = people.find_or_create_customer(tx, email=email, name=name)
        user_id = tx.new_id()
        tx.execute(
            insert(user).values(id=user_id, person_id=person_id, role="user", active=1, created_at=tx.now)
        )
        token = accounts.make_token(tx, user_id=user_id, role="user", name="own")[1]
        return Customer(person_id, user_id, token)

    return store.write(unit)
