"""The topics of tickets, and who may follow them.

``tickets:all`` and ``tickets:{id}`` are for staff. ``tickets:user:{user id}`` is told of a customer's own tickets, and
told a member of staff what is given to them; notes never reach it.
"""

from __future__ import annotations

from typing import Final

from server.kit import topics

ALL: Final = "tickets:all"
COUNTER: Final = "tickets"
"""The counter of the poll that moves with every change of a ticket."""


def of_ticket(ticket_id: str) -> str:
    """The topic of one ticket."""
    return f"tickets:{ticket_id}"


def of_user(user_id: str) -> str:
    """The topic of one user's tickets."""
    return f"tickets:user:{user_id}"


topics.allow("tickets:", topics.staff("tickets.read"))
topics.allow("tickets:user:", topics.own_or_staff("tickets.read"))
