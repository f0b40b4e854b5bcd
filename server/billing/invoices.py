"""Invoices: made, sent, voided. Each transition is told once."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, select, update

from server.billing import policy
from server.billing.models import invoice, invoice_year
from server.billing.topics import INVOICES
from server.contract.billing import NewInvoice
from server.kit.clock import instant
from server.kit.problems import ProblemError, invalid_request, not_found
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.orders import events
from server.orders import service as orders
from server.people import service as people
from server.people.models import billing_profile
from server.settings import service as settings

TOPIC = "billing"


def create(tx: Tx, new: NewInvoice) -> str:
    """Draft an invoice for a person, or for an order and whoever it belongs to.

    Returns:
        Its id.

    Raises:
        ProblemError: 422 ``invalid_amount``; 422 ``invalid_request`` for an unknown person or order, for none at all,
            for an order of somebody else, or a day that is none; 409 ``billing_profile_not_owned``.
    """
    policy.check_total(new.total)
    person_id, order_id = _whose(tx, new)
    if new.billing_profile_id is not None:
        check_profile(tx, new.billing_profile_id, person_id)
    _check_day(new.due_on)
    invoice_id = tx.new_id()
    tx.execute(
        insert(invoice).values(
            id=invoice_id,
            number=_next_number(tx),
            state="draft",
            person_id=person_id,
            billing_profile_id=new.billing_profile_id,
            order_id=order_id,
            currency=new.total.currency,
            total=new.total.amount,
            due_on=new.due_on,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    events.publish(tx, "invoice_created", INVOICES, person_id, invoice_id=invoice_id)
    tx.touch(TOPIC)
    return invoice_id


def send(tx: Tx, key: str) -> Row[Any]:
    """Let a draft be an invoice that can be paid. Nothing is mailed by this: it says that it was handed over.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``invalid_transition``.
    """
    row = locked(tx, key)
    policy.check_send(row, today(tx))
    return _step(tx, row, "invoice_sent", state="sent", sent_at=tx.now)


def void(tx: Tx, key: str) -> Row[Any]:
    """Let an invoice not stand any more.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``invoice_not_voidable``.
    """
    row = locked(tx, key)
    policy.check_void(row, today(tx))
    return _step(tx, row, "invoice_voided", state="void", voided_at=tx.now)


def check_profile(tx: Tx, profile_id: str, person_id: str | None) -> None:
    """Refuse a billing profile of somebody else.

    Raises:
        ProblemError: 409 ``billing_profile_not_owned``.
    """
    mine = select(billing_profile.c.person_id).where(billing_profile.c.id == profile_id)
    if person_id is None or tx.execute(mine).scalar() != person_id:
        raise ProblemError(409, "billing_profile_not_owned", "This billing profile is not the customer's.")


def find(tx: Tx, key: str, *, lock: bool = False) -> Row[Any] | None:
    """The invoice with this id or number."""
    mine = (invoice.c.id == key) | (invoice.c.number == key)
    statement = select(invoice).where(mine).order_by(invoice.c.id).limit(1)
    return tx.execute(statement.with_for_update() if lock else statement).first()


def locked(tx: Tx, key: str) -> Row[Any]:
    """The invoice with this id or number; nobody else changes it until the transaction ends.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = find(tx, key, lock=True)
    if row is None:
        raise not_found("invoice")
    return row


def today(tx: Tx) -> str:
    """The day it is in the shop's time zone, ``YYYY-MM-DD``."""
    return instant(tx.now).astimezone(ZoneInfo(settings.get(tx, "shop.time_zone"))).date().isoformat()


def _step(tx: Tx, row: Row[Any], event: str, **values: Any) -> Row[Any]:
    now = tx.execute(
        update(invoice).where(invoice.c.id == row.id).values(**values, updated_at=tx.now).returning(invoice)
    ).one()
    events.publish(tx, event, INVOICES, row.person_id, invoice_id=row.id)
    tx.touch(TOPIC)
    return now


def _whose(tx: Tx, new: NewInvoice) -> tuple[str | None, str | None]:
    """Person and order of a new invoice."""
    if new.order is not None:
        row = orders.find(tx, new.order)
        if row is None:
            raise invalid_request(("order", "there is no such order"))
        if new.person_id is not None and new.person_id != row.person_id:
            raise invalid_request(("person_id", "is not whose order this is"))
        return row.person_id, row.id
    if new.person_id is None:
        raise invalid_request(("person_id", "name a person or an order"))
    found = people.people(tx, [new.person_id]).get(new.person_id)
    if found is None or found.erased_at is not None:
        raise invalid_request(("person_id", "there is no such person"))
    return new.person_id, None


def _check_day(day: str | None) -> None:
    if day is None:
        return
    try:
        date.fromisoformat(day)
    except ValueError:
        raise invalid_request(("due_on", "is no day of the calendar")) from None


def _next_number(tx: Tx) -> str:
    """``INV-2026-00001``: the year's counter moves with the transaction, so no two invoices share a number."""
    year = today(tx)[:4]
    make = upsert(tx.dialect, invoice_year)
    count: int = tx.execute(
        make.values(year=year, last=1)
        .on_conflict_do_update(index_elements=[invoice_year.c.year], set_={"last": invoice_year.c.last + 1})
        .returning(invoice_year.c.last)
    ).scalar_one()
    return f"INV-{year}-{count:05d}"
