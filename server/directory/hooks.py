"""What rooms above this one let a caller do about a person: they register at import, a person's record lists it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Row

from server.contract.base import ActionState
from server.kit.access import Principal
from server.kit.tx import Tx

Offers = Callable[[Tx, Row[Any], Principal], list[ActionState]]
"""What a caller may do about a person (a row of the vault)."""

_offers: Final[list[Offers]] = []


def offer(call: Offers) -> Offers:
    """Have a room's actions listed with each person."""
    _offers.append(call)
    return call


def actions(tx: Tx, row: Row[Any], caller: Principal) -> list[ActionState]:
    """What the other rooms let a caller do about a person."""
    return [state for call in _offers for state in call(tx, row, caller)]
