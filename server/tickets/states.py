"""The states of a ticket: which follow which, and what each stamps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from server.contract.tickets import TicketStatus

STATUSES: Final[tuple[TicketStatus, ...]] = ("open", "in_progress", "resolved", "closed")
WAITING: Final[tuple[TicketStatus, ...]] = ("open", "in_progress")
"""Still to be worked on."""
DONE: Final[tuple[TicketStatus, ...]] = ("resolved", "closed")

NEXT: Final[Mapping[TicketStatus, frozenset[TicketStatus]]] = {
    "open": frozenset({"in_progress", "resolved", "closed"}),
    "in_progress": frozenset({"open", "resolved", "closed"}),
    "resolved": frozenset({"open", "closed"}),
    "closed": frozenset({"open"}),
}


def obstacle(status: TicketStatus, to: TicketStatus, *, reopening: bool) -> str | None:
    """Why a ticket cannot go from one state to another one.

    Args:
        status: where it stands.
        to: another state.
        reopening: whether the shop lets tickets go back to open.

    Returns:
        ``invalid_transition``, ``reopen_not_allowed``, or None when it can.
    """
    if to not in NEXT[status]:
        return "invalid_transition"
    return "reopen_not_allowed" if to == "open" and not reopening else None


def stamps(to: TicketStatus, now: int) -> dict[str, int | None]:
    """What arriving in a state writes: closing keeps the moment of resolving, opening clears both."""
    if to == "resolved":
        return {"resolved_at": now}
    if to == "closed":
        return {"closed_at": now}
    return {"resolved_at": None, "closed_at": None} if to == "open" else {}
