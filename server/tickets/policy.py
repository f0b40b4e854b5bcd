"""What a caller may do to a ticket now: the same rules that refuse it when it is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NoReturn

from server.accounts import users
from server.contract.base import ActionState
from server.contract.tickets import TicketStatus
from server.kit.access import PERMISSIONS, Permission, Principal
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.settings import service as settings
from server.tickets import states

NO_PERMISSION: Final = "insufficient_permissions"
_REFUSALS: Final[dict[str, tuple[int, str]]] = {
    NO_PERMISSION: (403, "Your role may not do this."),
    "invalid_transition": (409, "The ticket cannot go there from where it stands."),
    "reopen_not_allowed": (409, "This shop does not open tickets again (tickets.allow_reopen)."),
    "ticket_closed": (409, "The ticket is closed. Open it again first."),
    "comments_disabled": (409, "This shop has replies to tickets switched off (tickets.comments)."),
    "internal_notes_disabled": (409, "This shop has notes on tickets switched off (tickets.internal_notes)."),
    "support_disabled": (404, "This shop takes no tickets from customers (tickets.enabled)."),
}
_NEEDS: Final[dict[str, Permission]] = {"delete": "tickets.delete"}


@dataclass(frozen=True, slots=True)
class Gates:
    """What the shop's settings let happen."""

    reopening: bool
    comments: bool
    notes: bool


def gates(tx: Tx) -> Gates:
    """The settings that decide about tickets, as they are now."""
    return Gates(
        settings.get(tx, "tickets.allow_reopen"),
        settings.get(tx, "tickets.comments"),
        settings.get(tx, "tickets.internal_notes"),
    )


def refuse(reason: str) -> NoReturn:
    """Refuse for this reason.

    Raises:
        ProblemError: with the reason as its code.
    """
    status, detail = _REFUSALS[reason]
    raise ProblemError(status, reason, detail)


def acting(tx: Tx, caller: Principal, permission: Permission) -> Principal:
    """The caller with the role that they have inside this transaction.

    Raises:
        ProblemError: 401 when they have been deactivated meanwhile; 403 ``insufficient_permissions``.
    """
    role = users.acting_role(tx, caller)
    found = Principal(caller.token_id, caller.token_name, role, caller.user_id, caller.expires_at)
    if not found.may(permission):
        refuse(NO_PERMISSION)
    return found


def customers_welcome(tx: Tx) -> None:
    """Whether customers have tickets at all in this shop.

    Raises:
        ProblemError: 404 ``support_disabled``.
    """
    if not settings.get(tx, "tickets.enabled"):
        refuse("support_disabled")


def obstacle(action: str, row: Any, caller: Principal, gate: Gates) -> str | None:
    """Why ``caller`` cannot do something to a ticket now; None when they can.

    Args:
        action: ``reply``, ``note``, ``assign``, ``unassign``, ``set_priority``, ``set_title`` or ``delete``.
        row: the ticket.
        caller: who asks; a customer only about an own ticket.
        gate: the shop's settings.
    """
    own = action == "reply" and caller.may("tickets.own")
    if not own and not caller.may(_NEEDS.get(action, "tickets.write")):
        return NO_PERMISSION
    if action in ("reply", "assign", "unassign") and row.status == "closed":
        return "ticket_closed"
    if action == "reply" and not gate.comments:
        return "comments_disabled"
    return "internal_notes_disabled" if action == "note" and not gate.notes else None


def comment_obstacle(comment: Any, caller: Principal) -> str | None:
    """Why ``caller`` cannot delete a comment: staff delete their own, an Owner or an Admin any."""
    own = caller.user_id is not None and comment.author_user_id == caller.user_id
    may = caller.may("tickets.delete") or (own and caller.may("tickets.write"))
    return None if may else NO_PERMISSION


def can_be_assigned(role: str, *, active: bool) -> bool:
    """Whether a ticket may be given to somebody: active staff who may work on it."""
    return active and role in PERMISSIONS["tickets.write"]


def actions(row: Any, caller: Principal, gate: Gates) -> list[ActionState]:
    """What ``caller`` may do to a ticket now, each with the reason when not.

    Beside the refusals of the verbs: ``unchanged`` for the status it has, ``not_assigned`` where nobody is to be
    taken off. A customer has ``reply`` alone.
    """
    if caller.may("tickets.own"):
        return [_state("reply", obstacle("reply", row, caller, gate))]
    named = ("reply", "note", "assign", "unassign", "set_priority", "set_title", "delete")
    found = {name: obstacle(name, row, caller, gate) for name in named}
    if found["unassign"] is None and row.assigned_to is None:
        found["unassign"] = "not_assigned"
    for status in states.STATUSES:
        found[f"status:{status}"] = _status_obstacle(row.status, status, caller, gate)
    return [_state(name, reason) for name, reason in found.items()]


def comment_actions(comment: Any, caller: Principal) -> list[ActionState]:
    """What ``caller`` may do to a comment; nothing at all for a customer."""
    return [] if caller.may("tickets.own") else [_state("delete", comment_obstacle(comment, caller))]


def _status_obstacle(status: TicketStatus, to: TicketStatus, caller: Principal, gate: Gates) -> str | None:
    if not caller.may("tickets.write"):
        return NO_PERMISSION
    if status == to:
        return "unchanged"
    return states.obstacle(status, to, reopening=gate.reopening)


def _state(name: str, reason: str | None) -> ActionState:
    return ActionState(name=name, allowed=reason is None, reason=reason)
