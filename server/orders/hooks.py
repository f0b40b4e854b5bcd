"""What other rooms do when something happens to an order: called in its transaction, after the change.

A room registers at import. What it does stands or falls with the change; what leaves the shop is a job it asks for.
An order that its own program handles (``handled_by``) is told of all the same: whoever is called looks at that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Row

from server.contract.base import ActionState
from server.contract.orders import FulfilmentStep
from server.kit.access import Principal
from server.kit.tx import Tx

Paid = Callable[[Tx, Row[Any]], None]
"""Called with the order as it is now that it is paid, once for each order."""
Stepped = Callable[[Tx, Row[Any], Row[Any], FulfilmentStep], None]
"""Called with the order before and after a step that changed its status, and the step."""

Offers = Callable[[Tx, Row[Any], Principal], list[ActionState]]
"""What a caller may do about an order in a room that stands above the orders."""

_paid: Final[list[Paid]] = []
_paid_in_full: Final[list[Paid]] = []
_offers: Final[list[Offers]] = []
_stepped: Final[list[Stepped]] = []


def on_paid(call: Paid) -> Paid:
    """Have a function called when an order becomes paid."""
    _paid.append(call)
    return call


def on_paid_in_full(call: Paid) -> Paid:
    """Have a function called when an order becomes paid with all that it costs: for what costs the shop money."""
    _paid_in_full.append(call)
    return call


def on_step(call: Stepped) -> Stepped:
    """Have a function called when an order takes a step."""
    _stepped.append(call)
    return call


def offer(call: Offers) -> Offers:
    """Have a room's actions listed with each order."""
    _offers.append(call)
    return call


def actions(tx: Tx, row: Row[Any], caller: Principal) -> list[ActionState]:
    """What the other rooms let a caller do about an order."""
    return [state for call in _offers for state in call(tx, row, caller)]


def paid(tx: Tx, row: Row[Any], *, in_full: bool) -> None:
    """Tell that an order became paid, and whether with all that it costs."""
    for call in (*_paid, *(_paid_in_full if in_full else ())):
        call(tx, row)


def stepped(tx: Tx, before: Row[Any], now: Row[Any], step: FulfilmentStep) -> None:
    """Tell that an order took a step."""
    for call in _stepped:
        call(tx, before, now, step)
