"""Whose a post, a comment or a file is: who may be named, who may touch it, and how they are shown."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select

from server.accounts.models import user
from server.contract.orders import CustomerRef
from server.kit.access import Principal
from server.kit.problems import ProblemError, invalid_request
from server.kit.tx import Tx
from server.people import service as people
from server.people.service import Person


def own(caller: Principal) -> bool:
    """Whether the caller is a customer, who has only what is their own."""
    return caller.may("content.own")


def author(tx: Tx, caller: Principal, email: str | None) -> str:
    """The person behind something new. A customer is that customer; staff name somebody, or are it themselves.

    Raises:
        ProblemError: 422 ``invalid_request``: an e-mail from a customer, or none from a storefront.
    """
    if own(caller):
        if email is not None:
            raise invalid_request(("email", "a customer's own token names nobody"))
        return me(tx, caller)
    if email is not None:
        if not email.strip():
            raise invalid_request(("email", "must be an e-mail address"))
        return people.find_or_create_customer(tx, email=email)
    if caller.user_id is None:
        raise invalid_request(("email", "is missing"))
    return me(tx, caller)


def me(tx: Tx, caller: Principal) -> str:
    """The person behind the caller's account.

    Raises:
        ProblemError: 401 ``unauthenticated``: the account went while the request was on its way.
    """
    found: str | None = tx.execute(select(user.c.person_id).where(user.c.id == caller.user_id)).scalar()
    if found is None:
        raise ProblemError(401, "unauthenticated", "This token has been revoked.", reason="revoked")
    return found


def may_touch(tx: Tx, row: Row[Any], caller: Principal) -> bool:
    """Whether the caller may change or remove this: all that is there, or what is their own."""
    return caller.may("content.write") or (own(caller) and row.person_id == me(tx, caller))


def shown(tx: Tx, ids: Collection[str | None], caller: Principal) -> dict[str | None, CustomerRef]:
    """Authors by id as this caller sees them: who may not read people is told their names alone."""
    found = people.people(tx, {one for one in ids if one is not None})
    return {one.id: _ref(one, caller) for one in found.values()}


def gone(mark: str | None) -> CustomerRef | None:
    """What stands in the place of an author who was erased."""
    return None if mark is None else CustomerRef(erased=mark)


def _ref(person: Person, caller: Principal) -> CustomerRef:
    if person.erased_at is not None:
        return CustomerRef(erased=person.mark)
    if caller.may("people.read"):
        return CustomerRef(id=person.id, name=person.name, email=person.email, phone=person.phone)
    return CustomerRef(name=person.name)
