"""The carts of the shop's front, as it sends and sees them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.activity import OrderRef
from server.contract.base import Answer, Instant, Money, Request
from server.contract.orders import CustomerRef, Line

CartState = Literal["active", "converting", "converted", "merged", "abandoned", "expired"]
SpecValue = str | int | bool | None
Specs = Annotated[dict[Annotated[str, Field(min_length=1, max_length=80)], SpecValue], Field(max_length=40)]


class CartLine(Answer):
    """A product in a cart; its price stays as it stood when the line was made."""

    id: str
    product_id: str
    variant_id: str | None = None
    name: str
    specs: dict[str, SpecValue]
    quantity: int
    unit_price: Money


class ShopCart(Answer):
    """A cart."""

    id: str
    state: CartState
    customer: CustomerRef | None = None
    lines: list[CartLine]
    shipping_method: str | None = None
    shipping: Money | None = None
    payment_option: str | None = None
    subtotal: Money
    total: Money
    order: OrderRef | None = None
    created_at: Instant
    updated_at: Instant
    expires_at: Instant | None = None


class NewCart(Request):
    """A cart of a customer (by e-mail) or of a guest (by the session of the shop's front)."""

    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")] | None = None
    session: Annotated[str, Field(min_length=16, max_length=200)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


class AddLine(Request):
    """Put a product into a cart."""

    product_id: Line
    variant_id: Line | None = None
    specs: Specs | None = None
    quantity: Annotated[int, Field(ge=1, le=10_000)] = 1


class ChangeLine(Request):
    """Change a line's quantity; 0 takes it out."""

    quantity: Annotated[int, Field(ge=0, le=10_000)]


class ChangeCart(Request):
    """Choose shipping or payment."""

    shipping_method: Line | None = None
    shipping: Money | None = None
    payment_option: Line | None = None


class MergeCart(Request):
    """Put a guest's cart into a customer's: equal lines become one with the sum of both."""

    into: Line


class ConvertCart(Request):
    """Make an order of a cart. ``email`` for a guest."""

    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")] | None = None
    name: Line | None = None
    billing_profile_id: Line | None = None
