"""The verbs of billing, as other rooms and the routes call them."""

from __future__ import annotations

from server.billing.invoices import create, send, void
from server.billing.money import pay, refund
from server.billing.reading import (
    InvoiceQuery,
    TransactionQuery,
    get,
    invoice_place,
    invoices,
    transaction_place,
    transactions,
)

__all__ = [
    "InvoiceQuery",
    "TransactionQuery",
    "create",
    "get",
    "invoice_place",
    "invoices",
    "pay",
    "refund",
    "send",
    "transaction_place",
    "transactions",
    "void",
]
