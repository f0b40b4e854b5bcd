"""What tests of the log are made of: orders, callers, entries read back through the contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select

from server.activity import service as activity
from server.activity.service import FeedQuery
from server.contract.activity import Entry
from server.kit.access import Principal, Role
from server.kit.db import Store
from server.kit.paging import PageRequest
from server.kit.tx import Tx
from server.orders.models import order
from server.people import service as people

START = 1_771_840_800_000  # 2026-02-23T10:00:00Z
GBP = {"amount": 4300, "currency": "GBP"}


def caller(role: Role = "owner", user_id: str | None = "user-1") -> Principal:
    """A caller of this role."""
    return Principal("token-1", "till", role, user_id)


OWNER = caller()


def make_order(
    tx: Tx, number: str = "SS-260223-0046", email: str = "tom@example.com", name: str | None = "Tom Avery"
) -> tuple[str, str]:
    """An order of a customer: its id and the person's."""
    person_id = people.find_or_create_customer(tx, email=email, name=name)
    order_id = tx.new_id()
    tx.execute(
        insert(order).values(
            id=order_id,
            number=number,
            person_id=person_id,
            currency="GBP",
            total=4300,
            payment_status="pending",
            fulfilment_status="unfulfilled",
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    return order_id, person_id


def orders_named(store: Store) -> list[str]:
    """The numbers of all orders: the business that must stand."""
    return store.read(lambda tx: list(tx.execute(select(order.c.number).order_by(order.c.number)).scalars()))


def entries(texts: Sequence[str]) -> list[Entry]:
    """What the log answers, through the contract's model: no field of either is missing in the other."""
    found = [Entry.model_validate_json(text) for text in texts]
    assert [json.loads(entry.model_dump_json()) for entry in found] == [json.loads(text) for text in texts]
    return found


def feed(store: Store, query: FeedQuery | None = None, request: PageRequest | None = None) -> list[Entry]:
    """A page of the feed."""
    page = store.read(
        lambda tx: activity.feed(tx, query or FeedQuery(internal=True), request or PageRequest(), OWNER)
    )
    return entries(page.entries)


def messages(store: Store, query: FeedQuery | None = None, request: PageRequest | None = None) -> list[str]:
    """The sentences of a page."""
    return [entry.message for entry in feed(store, query, request)]


def told(store: Store, type: str, **given: Any) -> str:  # noqa: A002
    """Tell one event in a transaction of its own."""
    found = store.write(lambda tx: activity.log(tx, type, **given))
    assert found is not None
    return found
