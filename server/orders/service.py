"""The verbs of the orders, as other rooms and the routes call them."""

from __future__ import annotations

from server.orders.fulfilment import actor_of, begin_again, fulfil, moment, note_provider_status, told
from server.orders.making import Draft, Line, create, delete, fill_address, make
from server.orders.payment import (
    Payment,
    Refund,
    mark_paid,
    mark_payment_failed,
    mark_placed,
    mark_refunded,
)
from server.orders.reading import (
    ListQuery,
    counts,
    find,
    find_by_payment,
    get,
    listing,
    numbers,
    shown,
)

__all__ = [
    "Draft",
    "Line",
    "ListQuery",
    "Payment",
    "Refund",
    "actor_of",
    "begin_again",
    "counts",
    "create",
    "delete",
    "fill_address",
    "find",
    "find_by_payment",
    "fulfil",
    "get",
    "listing",
    "make",
    "mark_paid",
    "mark_payment_failed",
    "mark_placed",
    "mark_refunded",
    "moment",
    "note_provider_status",
    "numbers",
    "shown",
    "told",
]
