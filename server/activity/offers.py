"""What other rooms let a caller do about entries of a type: asked for a whole page at once, by whoever renders it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from server.contract.base import ActionState
from server.kit.access import Principal
from server.kit.tx import Tx


class Told(NamedTuple):
    """An entry, as far as it decides what can be done about it."""

    id: str
    type: str
    order_id: str | None
    params: Mapping[str, Any]


Offer = Callable[[Tx, Sequence[Told], Principal], Mapping[str, Sequence[ActionState]]]
"""Gets the entries of a page that are of its types; gives actions by entry. A few statements, not one per entry."""

OFFERS: Final[dict[str, Offer]] = {}
"""By the type of entry."""


def register(event_type: str, offer: Offer) -> None:
    """Have a room's actions listed on entries of a type.

    Raises:
        ValueError: another room does that already.
    """
    if event_type in OFFERS:
        raise ValueError(f"entries of {event_type} have an offer already")
    OFFERS[event_type] = offer


def collect(tx: Tx, told: Sequence[Told], caller: Principal) -> dict[str, str]:
    """The actions on some entries, as the inside of a JSON array that begins with a comma, by entry."""
    by_offer: dict[Offer, list[Told]] = {}
    for one in told:
        if (offer := OFFERS.get(one.type)) is not None:
            by_offer.setdefault(offer, []).append(one)
    return {
        entry_id: "".join([_json(state.name, state.allowed, state.reason) for state in states])
        for offer, mine in by_offer.items()
        for entry_id, states in offer(tx, mine, caller).items()
    }


@lru_cache(maxsize=256)
def _json(name: str, allowed: bool, reason: str | None) -> str:
    """An action as JSON after a comma: there are few, and each page tells the same ones again."""
    return "," + ActionState(name=name, allowed=allowed, reason=reason).model_dump_json()
