"""How a server's answers become contract models. Importing this costs pydantic: the client does it late.

Every reader takes decoded and cleaned JSON and gives a model, or raises pydantic's ``ValidationError``.
"""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from server.contract.access import Me
from server.contract.activity import Entry, Resolved
from server.contract.base import Page, Problem
from server.contract.orders import Order, OrderCounts, OrderRow
from server.contract.pulse import Pulse
from tui.api.clean import clean_tree


class Readers:
    """One reader for each kind of answer."""

    pulse: Final = staticmethod(Pulse.model_validate)
    me: Final = staticmethod(Me.model_validate)
    orders: Final = staticmethod(Page[OrderRow].model_validate)
    order: Final = staticmethod(Order.model_validate)
    counts: Final = staticmethod(OrderCounts.model_validate)
    entries: Final = staticmethod(Page[Entry].model_validate)
    resolved: Final = staticmethod(Resolved.model_validate)
    problem: Final = staticmethod(Problem.model_validate)

    @staticmethod
    def decode(body: bytes) -> Any:
        """Decode a JSON body and clean every text in it.

        Raises:
            ValueError: not JSON, or nested too deeply.
        """
        try:
            return clean_tree(json.loads(body, parse_constant=_no_constant))
        except RecursionError:
            raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def build() -> None:
    """Build the models' validators now instead of with the first answer."""
    for model in (Pulse, Me, Page[OrderRow], Order, OrderCounts, Page[Entry], Resolved, Problem):
        model.model_rebuild()
