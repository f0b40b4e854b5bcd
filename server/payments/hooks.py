"""What other rooms want to know of a payment page. They stand above this one and register here at import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from server.kit.tx import Tx
from server.orders.service import Line


@dataclass(frozen=True, slots=True)
class Expired:
    """A session at the payment page that ended without a payment.

    Args:
        session_id: the processor's id of it; the same event told again has the same.
        email: what the customer entered there, or the shop said when it sent them; None when nobody did.
        name: of the customer.
        phone: of the customer.
        amount: minor units, where the session has come that far.
        currency: ISO 4217.
        lines: what was to be bought, where the event says it.
        order: the order that waited for the payment.
        occurred_at: milliseconds UTC.
    """

    session_id: str
    email: str | None
    name: str | None
    phone: str | None
    amount: int | None
    currency: str | None
    lines: tuple[Line, ...]
    order: Row[Any] | None
    occurred_at: int


OnExpired = Callable[[Tx, Expired], str | None]
"""Called in the transaction of the event, once more for each time it is told; returns whom it put into the vault."""

_on_expired: Final[list[OnExpired]] = []


def on_expired(call: OnExpired) -> OnExpired:
    """Have a function called whenever a session ends without a payment."""
    if call not in _on_expired:
        _on_expired.append(call)
    return call


def tell_expired(tx: Tx, told: Expired) -> str | None:
    """Call everybody who registered; returns the person that one of them put into the vault, if one did."""
    people = [call(tx, told) for call in _on_expired]
    return next((person_id for person_id in people if person_id is not None), None)
