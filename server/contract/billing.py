"""Invoices and what was paid for them, as clients see them and as the shop's programs send them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.activity import OrderRef
from server.contract.base import ActionState, Answer, Instant, Money, Request
from server.contract.orders import CustomerRef, Line

InvoiceState = Literal["draft", "sent", "paid", "overdue", "void"]
Method = Literal["card", "transfer", "cash", "other"]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Transaction(Answer):
    """Money that moved. A refund's amount is negative."""

    id: str
    kind: Literal["payment", "refund"]
    invoice_id: str | None = None
    order: OrderRef | None = None
    customer: CustomerRef | None = None
    amount: Money
    method: Method
    created_at: Instant


class InvoiceRow(Answer):
    """An invoice in a list."""

    id: str
    number: str
    state: InvoiceState
    customer: CustomerRef | None = None
    order: OrderRef | None = None
    total: Money
    paid: Money
    refunded: Money
    due_on: str | None = None
    created_at: Instant
    anonymized_at: Instant | None = None


class Invoice(InvoiceRow):
    """An invoice whole. ``actions``: ``send``, ``record_payment``, ``refund``, ``void``."""

    transactions: list[Transaction]
    billing_profile_id: str | None = None
    sent_at: Instant | None = None
    paid_at: Instant | None = None
    voided_at: Instant | None = None
    actions: list[ActionState] = Field(default_factory=list)


class NewInvoice(Request):
    """An invoice for a person or an order of theirs."""

    person_id: Line | None = None
    order: Line | None = None
    billing_profile_id: Line | None = None
    total: Money
    due_on: Day | None = None


class NewPayment(Request):
    """A payment for an invoice, in the invoice's currency."""

    amount: Money
    method: Method = "other"


class NewRefund(Request):
    """Money given back. The reason is kept nowhere but in the app's own answer to who asked: it may name people."""

    amount: Money
    reason: Annotated[str, Field(min_length=1, max_length=1_000)]
