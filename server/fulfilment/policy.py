"""Whether an order may be submitted, refreshed, and a catalogue read, now: refused by the same rules that offer it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select

from server.contract.base import ActionState
from server.fulfilment import registry, routing
from server.fulfilment.models import submission
from server.fulfilment.routing import Plan
from server.jobs.models import job
from server.kit.access import Permission, Principal
from server.kit.problems import ProblemError
from server.kit.tx import Tx

NOT_PAID: Final = "not_paid"
ALREADY_SUBMITTED: Final = "already_submitted"
NO_PROVIDER: Final = "no_provider"
CANCELLED: Final = "order_cancelled"
BY_PROGRAM: Final = "handled_by_program"
PERMANENT: Final = "permanent_and_unchanged"
WAITING: Final = "already_waiting"
NOT_FAILED: Final = "not_failed"
FAILED: Final = "submission_failed"
NOT_AT_PROVIDER: Final = "not_at_provider"
NOT_CONNECTED: Final = "not_connected"
NO_PERMISSION: Final = "insufficient_permissions"

SENTENCES: Final = {
    NOT_PAID: "Only a paid order is submitted.",
    ALREADY_SUBMITTED: "The provider has this order.",
    NO_PROVIDER: "No provider is set up for this order: choose one in Settings, or sync its products.",
    CANCELLED: "This order is cancelled.",
    BY_PROGRAM: "The shop's own program submits this order.",
    PERMANENT: "It would fail again in the same way: change what stands in its way first.",
    WAITING: "It waits or runs already.",
    NOT_AT_PROVIDER: "No provider has this order yet.",
    NOT_CONNECTED: "The provider is not connected: enter its token and the shop's id in Settings.",
}
"""Why not, for people, by the code that programs get."""

_MOVING: Final = ("submitted", "processing", "shipped", "delivered")
_OPEN: Final = ("waiting", "running")


def submit_key(order_id: str) -> str:
    """The unique key of an order's submission."""
    return f"submit:{order_id}"


def refresh_key(order_id: str) -> str:
    """The unique key of a look at an order's provider."""
    return f"refresh:{order_id}"


def sync_key(provider: str) -> str:
    """The unique key of the reading of a catalogue."""
    return f"sync:{provider}"


@dataclass(frozen=True, slots=True)
class Standing:
    """All that decides about an order: itself, its submissions, what would be sent (where that matters), open jobs."""

    row: Row[Any]
    tries: tuple[Row[Any], ...]
    plan: Plan | None
    waiting: bool
    refreshing: bool

    @property
    def last(self) -> Row[Any] | None:
        """The submission that counts: one the provider may have before all others, else the newest."""
        alive = [one for one in self.tries if one.state in ("accepted", "sent")]
        return max(alive or self.tries, key=lambda one: one.updated_at, default=None)


def standings(tx: Tx, rows: Collection[Row[Any]], *, plans: bool = False) -> dict[str, Standing]:
    """Where orders stand, by id; a handful of statements however many there are.

    Args:
        tx: the transaction.
        rows: the orders.
        plans: whether to look at what would be sent of each; else only of those that may be sent at all.
    """
    ids = [row.id for row in rows]
    tries: dict[str, list[Row[Any]]] = {order_id: [] for order_id in ids}
    for one in tx.execute(select(submission).where(submission.c.order_id.in_(ids))):
        tries[one.order_id].append(one)
    keys = [key(order_id) for order_id in ids for key in (submit_key, refresh_key)]
    busy = set(
        tx.execute(
            select(job.c.unique_key).where(job.c.unique_key.in_(keys), job.c.state.in_(_OPEN))
        ).scalars()
    )
    wanted = [row for row in rows if plans or _may_be_sent(row)]
    planned = routing.plans(tx, wanted) if wanted else {}
    return {
        row.id: Standing(
            row,
            tuple(tries[row.id]),
            planned.get(row.id),
            submit_key(row.id) in busy,
            refresh_key(row.id) in busy,
        )
        for row in rows
    }


def _may_be_sent(row: Row[Any]) -> bool:
    return row.payment_status == "paid" and row.fulfilment_status in ("unfulfilled", "failed")


def submit_obstacle(where: Standing) -> str | None:
    """Why an order cannot be submitted, leaving aside whether somebody asked for it already; None when it can."""
    row, plan = where.row, where.plan
    hinders = (
        (row.fulfilment_status == "cancelled", CANCELLED),
        (row.fulfilment_status in _MOVING, ALREADY_SUBMITTED),
        (row.payment_status != "paid", NOT_PAID),
        (row.handled_by == "program", BY_PROGRAM),
        (plan is not None and plan.provider is None, NO_PROVIDER),
        (_would_fail_again(where), PERMANENT),
    )
    return next((code for hinder, code in hinders if hinder), None)


def _would_fail_again(where: Standing) -> bool:
    if where.plan is None:
        return False
    return any(one.permanent and one.fingerprint == where.plan.fingerprint for one in where.tries)


def refresh_obstacle(where: Standing) -> str | None:
    """Why there is nobody to ask how far an order is; None when there is."""
    row, last = where.row, where.last
    known = registry.find(last.provider if last is not None else row.provider)
    held = row.provider_order_id or (last is not None and last.state in ("sent", "accepted"))
    return None if known is not None and held else NOT_AT_PROVIDER


def refusal(where: Standing, obstacle: str) -> ProblemError:
    """The answer to who asks all the same: what stands in the way, and what the provider said last."""
    detail = SENTENCES[obstacle]
    if obstacle == PERMANENT:
        said = next((one.reason for one in where.tries if one.permanent), None)
        detail = f"{said} {detail}" if said else detail
    return ProblemError(409, obstacle, detail, reason=obstacle)


def order_actions(tx: Tx, row: Row[Any], caller: Principal) -> list[ActionState]:
    """``submit_to_provider``, ``retry`` and ``refresh`` of an order, with the reason for what is not allowed."""
    where = standings(tx, [row])[row.id]
    obstacle = submit_obstacle(where)
    first = FAILED if row.fulfilment_status == "failed" else None
    return [
        _state("submit_to_provider", caller, "orders.submit", obstacle or first or _waits(where)),
        _state("retry", caller, "orders.submit", _retry_obstacle(where)),
        _state(
            "refresh",
            caller,
            "orders.submit",
            refresh_obstacle(where) or (WAITING if where.refreshing else None),
        ),
    ]


def not_failed(caller: Principal) -> ActionState:
    """``retry`` of an order that is not failed, whatever else holds of it."""
    return _state("retry", caller, "orders.submit", NOT_FAILED)


def retry_states(tx: Tx, rows: Collection[Row[Any]], caller: Principal) -> dict[str, ActionState]:
    """``retry`` of each order, by its id."""
    if not rows:
        return {}
    found = standings(tx, rows)
    return {
        name: _state("retry", caller, "orders.submit", _retry_obstacle(where))
        for name, where in found.items()
    }


def sync_states(tx: Tx, names: Collection[str], caller: Principal, action: str) -> dict[str, ActionState]:
    """Whether a catalogue may be read now, by the provider's name."""
    keys = [sync_key(name) for name in names]
    busy = set(
        tx.execute(
            select(job.c.unique_key).where(job.c.unique_key.in_(keys), job.c.state.in_(_OPEN))
        ).scalars()
    )
    found = {}
    for name in names:
        known = registry.find(name)
        connected = known is not None and registry.connection(tx, known) is not None
        obstacle = NOT_CONNECTED if not connected else WAITING if sync_key(name) in busy else None
        found[name] = _state(action, caller, "syncs.run", obstacle)
    return found


def _retry_obstacle(where: Standing) -> str | None:
    if where.row.fulfilment_status != "failed":
        return NOT_FAILED
    return submit_obstacle(where) or _waits(where)


def _waits(where: Standing) -> str | None:
    return WAITING if where.waiting else None


def _state(name: str, caller: Principal, permission: Permission, obstacle: str | None) -> ActionState:
    reason = obstacle if caller.may(permission) else NO_PERMISSION
    return ActionState(name=name, allowed=reason is None, reason=reason)
