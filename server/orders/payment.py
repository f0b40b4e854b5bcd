"""What a payment does to its order. Every verb may be called again with the same fact and then adds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, insert, update

from server.activity import service as activity
from server.activity.service import Actor
from server.contract.orders import PaymentStatus
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.orders import deadlines, events, hooks
from server.orders.models import order, order_payment
from server.orders.reading import find, find_by_payment
from server.orders.states import PAYMENT_STAMP, payment_rises


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as its processor tells it.

    Args:
        processor: its name, as sentences have it (``Stripe``).
        reference: the processor's id of the session at its payment page; a fact is known again by it.
        intent: the processor's id of the payment itself, by which later events name it.
        amount: minor units.
        currency: ISO 4217, capital letters.
        occurred_at: milliseconds UTC.
        facts: what else to keep with the entries; nothing about the person.
    """

    processor: str
    reference: str
    intent: str | None
    amount: int
    currency: str
    occurred_at: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back, as its processor tells it: ``amount`` is all that was given back of ``of`` so far.

    ``intent`` is the payment that it was given back of, as in `Payment`.
    """

    processor: str
    reference: str
    amount: int
    of: int
    currency: str
    occurred_at: int
    intent: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def mark_placed(tx: Tx, order_id: str, payment: Payment, *, paid: bool) -> None:
    """The customer finished at the payment page: the order is placed, and with ``paid`` paid for.

    An order that was placed at another session before gets ``order.paid`` instead of a second ``order.created``.
    """
    row = _locked(tx, order_id)
    first = row.stripe_session_id in (None, payment.reference)
    again = paid and _another_payment(row, payment)
    if first:
        _tell(tx, row, payment, "order.created", Actor("customer"))
    elif paid and not again:
        _tell(tx, row, payment, "order.paid")
    if paid:
        _pay(tx, row, payment)
        return
    _attach(tx, row, payment)
    if row.stripe_session_id is None:  # its money is still on its way
        events.tell(tx, "order_confirmed", row)


def mark_paid(tx: Tx, order_id: str, payment: Payment) -> None:
    """The money came, after the order was placed (a bank transfer, a direct debit)."""
    row = _locked(tx, order_id)
    if not _another_payment(row, payment):
        _tell(tx, row, payment, "order.paid")
    _pay(tx, row, payment)


def mark_payment_failed(tx: Tx, order_id: str, payment: Payment) -> None:
    """The money did not come. An order that is paid meanwhile stays paid."""
    row = _locked(tx, order_id)
    _tell(tx, row, payment, "order.payment_failed")
    _attach(tx, row, payment)
    _raise_to(tx, row, "failed", payment.occurred_at)
    if payment_rises(row.payment_status, "failed"):
        events.tell(tx, "order_updated", row)


def mark_refunded(tx: Tx, order_id: str, refund: Refund) -> None:
    """Money went back: part of it leaves the order paid, all of it makes it refunded.

    What goes back of a second payment is told, and no more: the order stays paid by the first.
    """
    row = _locked(tx, order_id)
    own = refund.intent is None or row.payment_intent in (None, refund.intent)
    more = own and refund.currency == row.currency and refund.amount > row.refunded
    if more:
        _update(tx, row, {"refunded": refund.amount})
    whole = refund.amount >= refund.of
    if own and whole:
        _raise_to(tx, row, "refunded", refund.occurred_at)
        deadlines.over(tx, row)
    if own and whole and payment_rises(row.payment_status, "refunded"):
        events.tell(tx, "order_refunded", row)
    elif more:
        events.tell(tx, "order_updated", row)
    activity.log(
        tx,
        "order.refunded",
        order_id=row.id,
        person_id=row.person_id,
        params={
            "amount": {"amount": refund.amount, "currency": refund.currency},
            "of": None if whole else {"amount": refund.of, "currency": refund.currency},
            "via": refund.processor,
            **({} if own else {"payment": "not the one that paid for the order"}),
            **refund.facts,
        },
        occurred_at=refund.occurred_at,
        identity=(refund.processor, refund.reference, str(refund.amount), "order.refunded"),
        actor=Actor("provider", name=refund.processor),
    )


def _pay(tx: Tx, row: Row[Any], payment: Payment) -> None:
    if _another_payment(row, payment):
        _tell(tx, row, payment, "order.paid_again")
        _keep(tx, row, payment)
        return
    _attach(tx, row, payment, pays=True)
    _raise_to(tx, row, "paid", payment.occurred_at)
    if (payment.amount, payment.currency) != (row.total, row.currency):
        _tell(
            tx,
            row,
            payment,
            "order.amount_mismatch",
            extra={"expected": {"amount": row.total, "currency": row.currency}},
        )
    if payment_rises(row.payment_status, "paid"):
        events.tell(tx, "order_paid", row)
        in_full = payment.currency == row.currency and payment.amount >= row.total
        hooks.paid(tx, _locked(tx, row.id), in_full=in_full)


def _another_payment(row: Row[Any], payment: Payment) -> bool:
    """Whether the order was paid for already, by another payment than this one."""
    return (
        row.payment_status in ("paid", "refunded")
        and row.stripe_session_id not in (None, payment.reference)
        and row.payment_intent != payment.intent
    )


def _keep(tx: Tx, row: Row[Any], payment: Payment) -> None:
    """Remember a payment beside the one that paid: it may go back, and then the order is to be found by it."""
    if payment.intent is None or find_by_payment(tx, intent=payment.intent) is not None:
        return
    tx.execute(insert(order_payment).values(intent=payment.intent, order_id=row.id))


def _attach(tx: Tx, row: Row[Any], payment: Payment, *, pays: bool = False) -> None:
    """Keep by which ids the payment is named; the payment that pays takes the place of one that did not."""
    values: dict[str, Any] = {}
    if row.stripe_session_id is None:
        values["stripe_session_id"] = payment.reference
    if payment.intent is not None and payment.intent != row.payment_intent:
        unpaid = row.payment_status in ("pending", "failed")
        if row.payment_intent is None or (pays and unpaid):
            values["payment_intent"] = payment.intent
    if values:
        _update(tx, row, values)


def _raise_to(tx: Tx, row: Row[Any], status: PaymentStatus, at: int) -> None:
    values: dict[str, Any] = {}
    if payment_rises(row.payment_status, status):
        values["payment_status"] = status
    stamp = PAYMENT_STAMP[status]
    if getattr(row, stamp) is None:
        values[stamp] = at
    if values:
        _update(tx, row, values)


def _tell(
    tx: Tx,
    row: Row[Any],
    payment: Payment,
    event_type: str,
    actor: Actor | None = None,
    *,
    extra: Mapping[str, Any] | None = None,
) -> None:
    activity.log(
        tx,
        event_type,
        order_id=row.id,
        person_id=row.person_id,
        params={
            "amount": {"amount": payment.amount, "currency": payment.currency},
            "via": payment.processor,
            **(extra or {}),
            **payment.facts,
        },
        occurred_at=payment.occurred_at,
        identity=(payment.processor, payment.reference, event_type),
        actor=actor or Actor("provider", name=payment.processor),
    )


def _update(tx: Tx, row: Row[Any], values: dict[str, Any]) -> None:
    tx.execute(update(order).where(order.c.id == row.id).values(**values, updated_at=tx.now))
    tx.touch("orders")


def _locked(tx: Tx, order_id: str) -> Row[Any]:
    row = find(tx, order_id, lock=True)
    if row is None:
        raise not_found("order")
    return row
