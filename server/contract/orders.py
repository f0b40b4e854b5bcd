"""Orders as clients see them, and what a shop's own programs send."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.base import ActionState, Answer, Instant, Money, Request

PaymentStatus = Literal["pending", "paid", "failed", "refunded"]
FulfilmentStatus = Literal[
    "unfulfilled", "submitted", "processing", "shipped", "delivered", "failed", "cancelled"
]
OrderTab = Literal["all", "unpaid", "to_ship", "shipped", "problems"]
OrderSort = Literal["newest", "oldest", "total", "attention"]

HandledBy = Literal["shopbell", "program"]

Line = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(min_length=1, max_length=4096)]


class CustomerRef(Answer):
    """Whose it is. After the erasure only ``erased`` is left, the mark that stands in their place (``7F2A``)."""

    id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    erased: str | None = None


class Address(Request):
    """Where goods go. Every part is the customer's own text."""

    name: Line | None = None
    line1: Line | None = None
    line2: Line | None = None
    city: Line | None = None
    postal_code: Line | None = None
    state: Line | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


class OrderItem(Answer):
    """A line of an order: name and price as they were at the time of purchase."""

    name: str
    quantity: int
    unit_price: Money
    product_id: str | None = None
    variant_id: str | None = None


class Expected(Answer):
    """The next step of an order, and by when it is expected. ``overdue`` says that it should have come."""

    status: FulfilmentStatus
    label: str
    by: Instant
    overdue: bool = False


class OrderTimes(Answer):
    """When each step happened; a step stamps its time once and keeps it."""

    paid_at: Instant | None = None
    payment_failed_at: Instant | None = None
    refunded_at: Instant | None = None
    submitted_at: Instant | None = None
    processing_at: Instant | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None
    failed_at: Instant | None = None
    cancelled_at: Instant | None = None


class OrderRow(Answer):
    """An order in a list. ``attention`` counts its open warnings and errors; ``problem`` is the last failure."""

    id: str
    number: str
    customer: CustomerRef | None = None
    total: Money
    payment_status: PaymentStatus
    fulfilment_status: FulfilmentStatus
    attention: int = 0
    problem: str | None = None
    created_at: Instant
    updated_at: Instant


class Order(OrderRow):
    """An order whole, with what this caller may do to it now."""

    items: list[OrderItem]
    shipping: Money | None = None
    refunded: Money | None = None
    address: Address | None = None
    provider: str | None = None
    provider_order_id: str | None = None
    provider_status: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    handled_by: HandledBy = "shopbell"
    expected: Expected | None = None
    times: OrderTimes
    actions: list[ActionState]


class OrderCounts(Answer):
    """How many orders stand under each tab."""

    all: int
    unpaid: int
    to_ship: int
    shipped: int
    problems: int


class NewCustomer(Request):
    """Who buys. The e-mail finds the person again, whatever its letters' case."""

    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")]
    name: Line | None = None
    phone: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    address: Address | None = None


class NewOrderItem(Request):
    """A line to order; the price is kept as it is now."""

    name: Line
    quantity: Annotated[int, Field(ge=1, le=100_000)]
    unit_price: Annotated[int, Field(ge=0, le=10**12)] | Money
    product_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    variant_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class NewOrder(Request):
    """An order of a shop's own program, made before the customer is sent to the payment page."""

    customer: NewCustomer
    items: Annotated[list[NewOrderItem], Field(min_length=1, max_length=200)]
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]
    shipping: Annotated[int, Field(ge=0, le=10**12)] | Money | None = None
    handled_by: HandledBy = Field(
        default="shopbell",
        description="who submits it to its provider and writes to the customer once it is paid: shopbell, or the "
        "shop's own program",
    )


class FulfilmentStep(Request):
    """A step an order took, as told by the shop's own program or by its provider's messenger."""

    status: Literal["submitted", "processing", "shipped", "delivered", "failed", "cancelled"]
    provider: Line | None = None
    provider_order_id: Line | None = None
    carrier: Line | None = None
    tracking_number: Line | None = None
    tracking_url: Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://")] | None = None
    reason: Text | None = None
    attempt: Annotated[int, Field(ge=1, le=1000)] | None = None
    max_attempts: Annotated[int, Field(ge=1, le=1000)] | None = None
    occurred_at: str | None = Field(default=None, description="RFC 3339 with a zone; now when left out")
