"""What was paid for an invoice, and what was given back: integers of minor units, each movement one row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, update

from server.billing import policy
from server.billing.invoices import TOPIC, locked, today
from server.billing.models import invoice, transaction
from server.billing.topics import INVOICES, TRANSACTIONS
from server.contract.billing import Method, NewPayment, NewRefund
from server.kit.tx import Tx
from server.orders import events


def pay(tx: Tx, key: str, new: NewPayment) -> str:
    """Take note of a payment. The one with which nothing remains makes the invoice paid.

    Returns:
        The transaction's id.

    Raises:
        ProblemError: 404 ``not_found``; 422 ``invalid_amount``; 409 ``not_payable``, ``exceeds_remaining``.
    """
    row = locked(tx, key)
    policy.check_payment(row, today(tx), new.amount)
    made = _move(tx, row, "payment", new.amount.amount, new.method, "transaction_created")
    paid = row.paid + new.amount.amount
    whole = {"state": "paid", "paid_at": tx.now} if paid == row.total else {}
    tx.execute(update(invoice).where(invoice.c.id == row.id).values(paid=paid, updated_at=tx.now, **whole))
    if whole:
        events.publish(tx, "invoice_paid", INVOICES, row.person_id, invoice_id=row.id)
    return made


def refund(tx: Tx, key: str, new: NewRefund) -> str:
    """Take note of money given back: a transaction of less than nothing. The reason is kept nowhere.

    Returns:
        The transaction's id.

    Raises:
        ProblemError: 404 ``not_found``; 422 ``invalid_amount``; 409 ``not_refundable``, ``exceeds_paid_amount``.
    """
    row = locked(tx, key)
    policy.check_refund(row, new.amount)
    made = _move(tx, row, "refund", -new.amount.amount, "other", "transaction_refunded")
    back = row.refunded + new.amount.amount
    tx.execute(update(invoice).where(invoice.c.id == row.id).values(refunded=back, updated_at=tx.now))
    return made


def _move(tx: Tx, row: Row[Any], kind: str, amount: int, method: Method, event: str) -> str:
    transaction_id = tx.new_id()
    tx.execute(
        insert(transaction).values(
            id=transaction_id,
            kind=kind,
            invoice_id=row.id,
            order_id=row.order_id,
            person_id=row.person_id,
            person_mark=row.person_mark,
            anonymized_at=row.anonymized_at,
            currency=row.currency,
            amount=amount,
            method=method,
            created_at=tx.now,
        )
    )
    told = {"transaction_id": transaction_id, "invoice_id": row.id}
    events.publish(tx, event, TRANSACTIONS, row.person_id, **told, amount=amount, currency=row.currency)
    tx.touch(TOPIC)
    return transaction_id
