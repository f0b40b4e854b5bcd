"""What we read of Stripe's events, as its library's types have them; everything else is passed over.

Ids and amounts are strict, because effects hang on them. What only describes (a name, an address) is taken if it makes
sense and left out if it does not: no strange name may keep a payment from being seen.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from server.kit import strict_json
from server.kit.folding import clean_text

_ESCAPE: Final = re.compile(
    r"\\(?:u(?:[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|[0-9a-fA-F]{4})|.)", re.DOTALL
)
_BROKEN: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


def _said(most: int) -> BeforeValidator:
    """A describing text: trimmed, cut to ``most`` letters; None for nothing or for another shape."""

    def read(value: object) -> str | None:
        return clean_text(value.strip(), most) or None if isinstance(value, str) else None

    return BeforeValidator(read)


def _matching(pattern: re.Pattern[str], most: int) -> BeforeValidator:
    """A describing text that must match whole; None otherwise."""

    def read(value: object) -> str | None:
        text = value.strip() if isinstance(value, str) else ""
        return text if len(text) <= most and pattern.fullmatch(text) else None

    return BeforeValidator(read)


def _if_it_fits(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


def _expanded(value: object) -> object:
    """The id of an object that is named by its id or sent along whole."""
    return value.get("id") if isinstance(value, dict) else value


Id = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Reference = Annotated[Id | None, BeforeValidator(_expanded)]
Amount = Annotated[int, Field(ge=0, le=10**12)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$", to_upper=True)]
Said = Annotated[str | None, _said(255)]
Describing = WrapValidator(_if_it_fits)


class Shape(BaseModel):
    """Part of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, defer_build=True)


class StripeAddress(Shape):
    """An address."""

    line1: Said = None
    line2: Said = None
    city: Said = None
    postal_code: Said = None
    state: Said = None
    country: Annotated[str | None, _matching(_COUNTRY, 2)] = None


class Shipping(Shape):
    """To whom and where goods go."""

    name: Said = None
    address: Annotated[StripeAddress | None, Describing] = None


class Collected(Shape):
    """What the payment page asked for."""

    shipping_details: Annotated[Shipping | None, Describing] = None


class CustomerDetails(Shape):
    """Who bought."""

    email: Annotated[str | None, _matching(_EMAIL, 254)] = None
    name: Said = None
    phone: Annotated[str | None, _said(40)] = None


class ShippingCost(Shape):
    """What shipping cost, taxes included."""

    amount_total: Amount = 0


class Price(Shape):
    """The price of a line."""

    unit_amount: Amount | None = None
    product: Reference = None


class LineItem(Shape):
    """A line of what was bought. ``amount_subtotal`` is before discounts and taxes."""

    description: Said = None
    quantity: Annotated[int, Field(ge=1, le=100_000)] | None = None
    amount_subtotal: Amount
    price: Annotated[Price | None, Describing] = None


class LineItems(Shape):
    """The lines, when the sender had them expanded."""

    data: list[LineItem]


class CheckoutSession(Shape):
    """A session at the payment page."""

    id: Id
    mode: Annotated[str | None, _said(40)] = None
    payment_status: Annotated[str, StringConstraints(max_length=40)]
    amount_total: Amount | None = None
    currency: Currency | None = None
    client_reference_id: Said = None
    metadata: Annotated[dict[str, Any] | None, Describing] = None
    payment_intent: Reference = None
    customer_details: Annotated[CustomerDetails | None, Describing] = None
    customer_email: Annotated[str | None, _matching(_EMAIL, 254)] = None
    collected_information: Annotated[Collected | None, Describing] = None
    shipping_details: Annotated[Shipping | None, Describing] = None  # where API versions before 2025 had it
    shipping_cost: Annotated[ShippingCost | None, Describing] = None
    line_items: Annotated[LineItems | None, Describing] = None

    @property
    def paid(self) -> bool:
        """Whether nothing more is to come; otherwise the money is on its way (a debit, a transfer)."""
        return self.payment_status in ("paid", "no_payment_required")

    @property
    def names(self) -> list[str]:
        """By what the session may name its order, the first choice first."""
        told = (self.client_reference_id, (self.metadata or {}).get("order_number"))
        return [name for name in told if isinstance(name, str)]

    @property
    def ship_to(self) -> Shipping | None:
        """Where goods go, wherever this API version says it."""
        collected = self.collected_information
        return (collected and collected.shipping_details) or self.shipping_details


class Charge(Shape):
    """A charge. ``amount_refunded`` is all that was given back of it so far."""

    id: Id
    amount: Amount
    amount_refunded: Amount
    currency: Currency
    payment_intent: Reference = None


class Envelope(Shape):
    """What every event says about itself."""

    id: Id
    type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    created: Annotated[int | None, BeforeValidator(lambda value: value if type(value) is int else None)] = (
        None
    )
    livemode: Annotated[
        bool | None, BeforeValidator(lambda value: value if type(value) is bool else None)
    ] = None


class _SessionData(Shape):
    object: CheckoutSession


class _ChargeData(Shape):
    object: Charge


class SessionEvent(Envelope):
    """An event about a session."""

    data: _SessionData


class ChargeEvent(Envelope):
    """An event about a charge."""

    data: _ChargeData


def decode(body: bytes) -> Any:
    """Decode a signed body. NUL and half characters, which somebody may have typed as a name, become U+FFFD.

    Raises:
        ProblemError: 400 ``invalid_json``.
    """
    if b"\\u" in body:
        body = _ESCAPE.sub(_mend, body.decode("utf-8")).encode()
    return strict_json.decode(body)


def _mend(escape: re.Match[str]) -> str:
    text = escape[0]
    return "\\ufffd" if len(text) == 6 and _BROKEN.fullmatch(text) else text
