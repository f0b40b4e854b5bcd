"""Tickets in few words: who asks, what the store then holds, and what was told on which topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import insert, select

from server.accounts import service as accounts
from server.accounts.models import user
from server.activity.models import activity
from server.contract.base import Page
from server.contract.orders import NewOrder
from server.contract.tickets import (
    ChangeTicket,
    ChangeTickets,
    Comment,
    NewComment,
    NewTicket,
    Ticket,
    TicketRow,
)
from server.kit.access import Principal, Role
from server.kit.db import Store
from server.kit.paging import PageRequest
from server.kit.problems import ProblemError
from server.kit.schema import topic_event
from server.kit.tx import Tx
from server.mail.models import mail
from server.orders import service as orders
from server.people import service as people
from server.settings import service as settings
from server.tickets import service as tickets
from server.tickets.listing import ListQuery, OwnQuery
from server.tickets.models import comment, history, ticket
from tests.server.conftest import Staff

T = TypeVar("T")
Told = tuple[str, str, dict[str, Any]]


class Customer:
    """Somebody with an account: the person, the user, a token and the caller it stands for."""

    def __init__(self, store: Store, email: str, name: str) -> None:
        def unit(tx: Tx) -> tuple[str, str, str]:
            person_id = people.find_or_create_customer(tx, email=email, name=name)
            user_id = tx.new_id()
            tx.execute(
                insert(user).values(id=user_id, person_id=person_id, role="user", active=1, created_at=tx.now)
            )
            _, text = accounts.make_token(tx, user_id=user_id, role="user", name="front")
            return person_id, user_id, text

        self.email = email
        self.person_id, self.user_id, self.token = store.write(unit)
        self.caller = Principal(self.token.split("_")[2], "front", "user", self.user_id)
        self.bearer = {"Authorization": f"Bearer {self.token}"}


class Counter:
    """The shop's help desk on a store."""

    def __init__(self, store: Store, staff: Staff) -> None:
        self.store = store
        self.staff = staff

    def set(self, **values: str) -> None:
        """Change settings of the group ``tickets``."""
        for name, text in values.items():
            self.store.write(lambda tx, n=name, t=text: settings.set_value(tx, f"tickets.{n}", t))  # type: ignore[misc]

    def customer(self, email: str = "mary@example.com", name: str = "Mary Example") -> Customer:
        return Customer(self.store, email, name)

    def order(self, email: str = "mary@example.com") -> str:
        """The number of an order of this customer."""
        new = NewOrder.model_validate(
            {
                "customer": {"email": email},
                "items": [{"name": "Socks", "quantity": 1, "unit_price": 100}],
                "currency": "GBP",
            }
        )

        def unit(tx: Tx) -> str:
            row = orders.find(tx, orders.create(tx, new))
            assert row is not None
            number: str = row.number
            return number

        return self.store.write(unit)

    def open(self, title: str = "Where is my parcel?", role: Role = "support", **fields: Any) -> Ticket:
        """A ticket opened by staff or the shop's program."""
        made = {"title": title, "description": "It has not come.", "email": "mary@example.com", **fields}
        new = NewTicket.model_validate(made)
        caller = self.staff.principal(role)
        made_id = self.store.write(lambda tx: tickets.create(tx, new, caller))
        return self.get(made_id)

    def open_own(self, customer: Customer, title: str = "Where is it?", **fields: Any) -> Ticket:
        new = NewTicket.model_validate({"title": title, "description": "It has not come.", **fields})
        made_id = self.store.write(lambda tx: tickets.create_own(tx, new, customer.caller))
        return self.get(made_id)

    def get(self, key: str, role: Role = "owner") -> Ticket:
        return self.store.read(lambda tx: tickets.get(tx, key, self.staff.principal(role)))

    def get_own(self, key: str, customer: Customer) -> Ticket:
        return self.store.read(lambda tx: tickets.get_own(tx, key, customer.caller))

    def change(self, key: str, role: Role = "support", **fields: Any) -> Ticket:
        request = ChangeTicket.model_validate(fields)
        caller = self.staff.principal(role)
        self.store.write(lambda tx: tickets.change(tx, key, request, caller))
        return self.get(key)

    def change_many(self, ids: list[str], role: Role = "support", **fields: Any) -> list[str]:
        request = ChangeTickets.model_validate({"ids": ids, **fields})
        caller = self.staff.principal(role)
        return self.store.write(lambda tx: tickets.change_many(tx, request, caller)).changed

    def say(self, key: str, body: str = "We look into it.", role: Role = "support", **more: Any) -> Comment:
        new = NewComment.model_construct(body=body, is_internal=more.get("is_internal", False))
        caller = self.staff.principal(role)
        return self.store.write(
            lambda tx: tickets.shown_comment(tx, tickets.add(tx, key, new, caller), caller)
        )

    def note(self, key: str, body: str = "Looks like fraud.", role: Role = "support") -> Comment:
        return self.say(key, body, role, is_internal=True)

    def answer(self, key: str, customer: Customer, body: str = "Any news?", **more: Any) -> Comment:
        new = NewComment.model_construct(body=body, is_internal=more.get("is_internal", False))
        return self.store.write(
            lambda tx: tickets.shown_comment(
                tx, tickets.add_own(tx, key, new, customer.caller), customer.caller
            )
        )

    def unsay(self, key: str, comment_id: str, role: Role = "support") -> None:
        caller = self.staff.principal(role)
        self.store.write(lambda tx: tickets.remove(tx, key, comment_id, caller))

    def delete(self, key: str, role: Role = "owner") -> None:
        caller = self.staff.principal(role)
        self.store.write(lambda tx: tickets.delete_ticket(tx, key, caller))

    def query(self, role: Role = "support", **given: Any) -> ListQuery:
        return ListQuery(**given, user_id=self.staff.principal(role).user_id)

    def numbers(self, role: Role = "support", **given: Any) -> list[int]:
        """The numbers of the tickets of a query, as listed."""
        caller = self.staff.principal(role)
        query = self.query(role, **given)
        return [
            row.number
            for row in self.store.read(lambda tx: tickets.page(tx, query, PageRequest(200), caller)).rows
        ]

    def own_numbers(self, customer: Customer, **given: Any) -> list[int]:
        query = OwnQuery(customer.person_id, **given)
        page = self.store.read(lambda tx: tickets.page_own(tx, query, PageRequest(200), customer.caller))
        return [row.number for row in page.rows]

    # -- what the store holds --------------------------------------------------------------------------------

    def told(self, since: int = 0) -> list[Told]:
        """What was published on the topics of tickets, in order: topic, event, data."""
        mine = select(topic_event).where(topic_event.c.topic.like("tickets:%"), topic_event.c.seq > since)
        rows = self.store.read(lambda tx: tx.execute(mine.order_by(topic_event.c.seq)).all())
        return [(row.topic, row.event, row.data) for row in rows]

    def place(self) -> int:
        """The place of the last event."""
        statement = select(topic_event.c.seq).order_by(topic_event.c.seq.desc()).limit(1)
        return self.store.read(lambda tx: tx.execute(statement).scalar()) or 0

    def telling(self, deed: Callable[[], object]) -> list[Told]:
        """What was told by a deed."""
        before = self.place()
        deed()
        return self.told(before)

    def everything(self) -> list[list[Any]]:
        """All rows that a ticket's change could touch, to see that nothing moved."""
        tables = (ticket, comment, history, topic_event, activity, mail)

        def unit(tx: Tx) -> list[list[Any]]:
            return [
                [tuple(row) for row in tx.execute(select(table).order_by(*table.primary_key))]
                for table in tables
            ]

        return self.store.read(unit)

    def story(self, order: str) -> list[tuple[str, dict[str, Any], str]]:
        """The entries of an order about tickets: type, parameters, who."""

        def unit(tx: Tx) -> list[tuple[str, dict[str, Any], str]]:
            row = orders.find(tx, order)
            assert row is not None
            mine = (activity.c.order_id == row.id) & activity.c.type.like("ticket.%")
            found = tx.execute(select(activity).where(mine).order_by(activity.c.seq))
            return [(entry.type, entry.params, entry.actor_kind) for entry in found]

        return self.store.read(unit)


def refusal(deed: Callable[[], object]) -> tuple[int, str]:
    """With which status and code a deed is refused."""
    try:
        deed()
    except ProblemError as refused:
        return refused.status, refused.code
    raise AssertionError("it was not refused")


def walk(ask: Callable[[str | None], Page[TicketRow]]) -> list[TicketRow]:
    """All rows of a list, page by page."""
    rows: list[TicketRow] = []
    cursor: str | None = None
    while True:
        page = ask(cursor)
        rows += page.items
        cursor = page.next
        if cursor is None:
            return rows
