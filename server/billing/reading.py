"""Invoices and transactions as they are read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select

from server.billing import policy
from server.billing.invoices import find, today
from server.billing.models import invoice, transaction
from server.contract.activity import OrderRef
from server.contract.base import Money
from server.contract.billing import Invoice, InvoiceRow, InvoiceState, Transaction
from server.contract.orders import CustomerRef
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none, milliseconds
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.orders import service as orders
from server.people import service as people


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """Which invoices: in a state, of a person, of an order (id or number)."""

    state: InvoiceState | None = None
    person: str | None = None
    order: str | None = None

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"invoices\0{self.state}\0{self.person}\0{self.order}"


@dataclass(frozen=True, slots=True)
class TransactionQuery:
    """Which transactions: of an invoice (id or number), of a person."""

    invoice: str | None = None
    person: str | None = None

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"transactions\0{self.invoice}\0{self.person}"


def get(tx: Tx, key: str, caller: Principal) -> Invoice:
    """An invoice whole, by id or number.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = find(tx, key)
    if row is None:
        raise not_found("invoice")
    newest = (transaction.c.created_at.desc(), transaction.c.id.desc())
    mine = select(transaction).where(transaction.c.invoice_id == row.id).order_by(*newest)
    return Invoice(
        **_heads(tx, [row])[0],
        transactions=_transactions(tx, tx.execute(mine).all()),
        billing_profile_id=row.billing_profile_id,
        sent_at=instant_or_none(row.sent_at),
        paid_at=instant_or_none(row.paid_at),
        voided_at=instant_or_none(row.voided_at),
        actions=policy.actions(row, today(tx), caller),
    )


def invoices(tx: Tx, query: InvoiceQuery, page: PageRequest) -> Slice[InvoiceRow]:
    """A page of invoices, newest first."""
    statement = select(invoice)
    if query.state is not None:
        statement = statement.where(_in_state(query.state, today(tx)))
    if query.person is not None:
        statement = statement.where(invoice.c.person_id == query.person)
    if query.order is not None:
        row = orders.find(tx, query.order)
        statement = statement.where(invoice.c.order_id == (row.id if row else query.order))
    found = slice_of(tx.execute(keyset(statement, page, invoice.c.created_at, invoice.c.id)).all(), page)
    return Slice([InvoiceRow(**head) for head in _heads(tx, found.rows)], found.older, found.newer)


def transactions(tx: Tx, query: TransactionQuery, page: PageRequest) -> Slice[Transaction]:
    """A page of transactions, newest first."""
    statement = select(transaction)
    if query.invoice is not None:
        row = find(tx, query.invoice)
        statement = statement.where(transaction.c.invoice_id == (row.id if row else query.invoice))
    if query.person is not None:
        statement = statement.where(transaction.c.person_id == query.person)
    at = keyset(statement, page, transaction.c.created_at, transaction.c.id)
    found = slice_of(tx.execute(at).all(), page)
    return Slice(_transactions(tx, found.rows), found.older, found.newer)


def invoice_place(row: InvoiceRow) -> tuple[int, str]:
    """A row's place in the list, for its page's cursors."""
    return milliseconds(row.created_at), row.id


def transaction_place(row: Transaction) -> tuple[int, str]:
    """A row's place in the list, for its page's cursors."""
    return milliseconds(row.created_at), row.id


def _in_state(state: InvoiceState, day: str) -> ColumnElement[bool]:
    """The condition behind `policy.state`."""
    late = invoice.c.due_on < day
    if state == "overdue":
        return (invoice.c.state == "sent") & late
    if state == "sent":
        return (invoice.c.state == "sent") & or_(invoice.c.due_on.is_(None), ~late)
    return invoice.c.state == state


def _heads(tx: Tx, rows: Collection[Row[Any]]) -> list[dict[str, Any]]:
    customers, numbers, day = _customers(tx, rows), _numbers(tx, rows), today(tx)
    return [
        {
            "id": row.id,
            "number": row.number,
            "state": policy.state(row, day),
            "customer": customers.get(row.id),
            "order": numbers.get(row.id),
            "total": Money(amount=row.total, currency=row.currency),
            "paid": Money(amount=row.paid, currency=row.currency),
            "refunded": Money(amount=row.refunded, currency=row.currency),
            "due_on": row.due_on,
            "created_at": instant(row.created_at),
            "anonymized_at": instant_or_none(row.anonymized_at),
        }
        for row in rows
    ]


def _transactions(tx: Tx, rows: Collection[Row[Any]]) -> list[Transaction]:
    customers, numbers = _customers(tx, rows), _numbers(tx, rows)
    return [
        Transaction(
            id=row.id,
            kind=row.kind,
            invoice_id=row.invoice_id,
            order=numbers.get(row.id),
            customer=customers.get(row.id),
            amount=Money(amount=row.amount, currency=row.currency),
            method=row.method,
            created_at=instant(row.created_at),
        )
        for row in rows
    ]


def _customers(tx: Tx, rows: Collection[Row[Any]]) -> dict[str, CustomerRef]:
    """Whose each row is, by the row's id; of somebody erased the mark alone."""
    known = people.people(tx, {row.person_id for row in rows if row.person_id})
    found: dict[str, CustomerRef] = {}
    for row in rows:
        person = known.get(row.person_id)
        if person is not None and person.erased_at is None:
            found[row.id] = CustomerRef(
                id=person.id, name=person.name, email=person.email, phone=person.phone
            )
        elif person is not None or row.person_mark is not None:
            found[row.id] = CustomerRef(erased=person.mark if person else row.person_mark)
    return found


def _numbers(tx: Tx, rows: Collection[Row[Any]]) -> dict[str, OrderRef]:
    """The order of each row, by the row's id, while it is there."""
    known = orders.numbers(tx, {row.order_id for row in rows if row.order_id})
    return {
        row.id: OrderRef(id=row.order_id, number=known[row.order_id]) for row in rows if row.order_id in known
    }
