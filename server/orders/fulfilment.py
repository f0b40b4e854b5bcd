"""The steps of an order's fulfilment, each told once."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, update

from server.activity import service as activity
from server.activity.service import Actor
from server.contract.orders import FulfilmentStatus, FulfilmentStep
from server.kit.access import Principal
from server.kit.clock import MINUTE, parse_instant
from server.kit.problems import ProblemError, invalid_request, not_found
from server.kit.tx import Tx
from server.orders import deadlines, events, hooks
from server.orders.models import order
from server.orders.reading import find
from server.orders.states import FORWARD, FULFILMENT_STAMP, check_step, may_step

_AHEAD: Final = 5 * MINUTE
_DETAILS: Final = ("provider", "provider_order_id", "carrier", "tracking_number", "tracking_url")
_ENTRY: Final[dict[FulfilmentStatus, str]] = {
    "submitted": "order.submitted",
    "processing": "order.production",
    "shipped": "order.shipped",
    "delivered": "order.delivered",
    "failed": "order.submission_failed",
    "cancelled": "order.cancelled",
}
_TOLD: Final[dict[FulfilmentStatus, tuple[str, ...]]] = {
    "submitted": ("provider", "provider_order_id"),
    "processing": ("provider",),
    "shipped": ("carrier", "tracking_number", "tracking_url", "provider"),
    "delivered": ("provider",),
    "failed": ("provider",),
    "cancelled": ("provider",),
}
"""Which of the order's details go with each entry."""


def actor_of(caller: Principal) -> Actor:
    """Who takes a step that came through the API: the member of staff, or the shop's own program."""
    return Actor("system") if caller.user_id is None else Actor("staff", user_id=caller.user_id)


def fulfil(tx: Tx, key: str, step: FulfilmentStep, *, actor: Actor) -> Row[Any]:
    """Let an order take a step, and write what happened.

    The state that an order is in already is no step: nothing is written, only details that were missing are kept. A
    failure with another reason or attempt is a new one.

    Args:
        tx: the transaction.
        key: the order's id or number.
        step: the step, and what is known about it.
        actor: who took it.

    Returns:
        The order's row as it is now.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``invalid_transition``; 422 ``invalid_request`` for a malformed time, 422
            ``occurred_at_in_future`` for one more than five minutes ahead.
    """
    at = moment(step.occurred_at, tx.now)
    row = find(tx, key, lock=True)
    if row is None:
        raise not_found("order")
    step = _of_nobody(row, step)
    if step.status == row.fulfilment_status and not _another_failure(row, step):
        missing = {
            name: value for name in _DETAILS if (value := getattr(step, name)) and getattr(row, name) is None
        }
        if not missing:
            return row
        events.tell(tx, "order_updated", row)
        return _changed(tx, row, missing)
    if step.status != row.fulfilment_status:
        check_step(row.fulfilment_status, step.status)
    values: dict[str, Any] = {name: value for name in _DETAILS if (value := getattr(step, name)) is not None}
    values["fulfilment_status"] = step.status
    stamp = FULFILMENT_STAMP[step.status]
    if getattr(row, stamp) is None:
        values[stamp] = at
    if step.status == "failed":
        values |= {"fulfilment_error": step.reason, "fulfilment_attempt": step.attempt}
    now = _changed(tx, row, values)
    events.tell(tx, "order_cancelled" if step.status == "cancelled" else "order_updated", now)
    _tell(tx, row, now, step, at, actor)
    deadlines.came(tx, row, step.status, at)
    if row.fulfilment_status == "failed" and step.status in FORWARD:
        activity.settle(tx, "order.submission_failed", order_id=row.id)  # what failed went through
    if now.fulfilment_status != row.fulfilment_status:
        hooks.stepped(tx, row, now, step)
    return now


def told(tx: Tx, key: str, step: FulfilmentStep, *, actor: Actor) -> Row[Any]:
    """Take note of a step that a provider tells: again, late or out of order is no mistake there.

    A step that the order has passed already, or that comes after its end, changes no status; it is told once, with the
    time at which it happened.

    Returns:
        The order's row as it is now.

    Raises:
        ProblemError: 404 ``not_found``; 422 as `fulfil`.
    """
    row = find(tx, key, lock=True)
    if row is None:
        raise not_found("order")
    if step.status == row.fulfilment_status or may_step(row.fulfilment_status, step.status):
        return fulfil(tx, row.id, step, actor=actor)
    stamp = FULFILMENT_STAMP[step.status]
    if step.status not in FORWARD or getattr(row, stamp) is not None:
        return row
    at = moment(step.occurred_at, tx.now)
    step = _of_nobody(row, step)
    values = {
        name: value for name in _DETAILS if (value := getattr(step, name)) and getattr(row, name) is None
    }
    now = _changed(tx, row, {**values, stamp: at})
    events.tell(tx, "order_updated", now)
    _tell(tx, row, now, step, at, actor)
    return now


def note_provider_status(tx: Tx, row: Row[Any], status: str) -> Row[Any]:
    """Keep how an order stands in its provider's own words."""
    return row if row.provider_status == status else _changed(tx, row, {"provider_status": status})


def begin_again(tx: Tx, row: Row[Any]) -> None:
    """Somebody asked for a failed submission again: its attempts are counted anew, so that each failure is told."""
    if row.fulfilment_status == "failed" and row.fulfilment_attempt is not None:
        _changed(tx, row, {"fulfilment_attempt": None})


def moment(text: str | None, now: int) -> int:
    """When something happened, as a program of the shop says it: milliseconds UTC.

    Raises:
        ProblemError: 422 ``invalid_request`` when it is malformed; 422 ``occurred_at_in_future`` when it is more than
            five minutes ahead.
    """
    if text is None:
        return now
    try:
        at = parse_instant(text)
    except ValueError as error:
        raise invalid_request(("occurred_at", str(error))) from None
    if at > now + _AHEAD:
        message = "lies more than five minutes in the future"
        raise ProblemError(
            422, "occurred_at_in_future", f"occurred_at {message}.", fields=[("occurred_at", message)]
        )
    return at


def _of_nobody(row: Row[Any], step: FulfilmentStep) -> FulfilmentStep:
    """The step without what would lead to the customer again, where the customer of the order has been erased."""
    if row.anonymized_at is None:
        return step
    return step.model_copy(update=dict.fromkeys(("carrier", "tracking_number", "tracking_url", "reason")))


def _another_failure(row: Row[Any], step: FulfilmentStep) -> bool:
    if step.status != "failed":
        return False
    other_reason = step.reason is not None and step.reason != row.fulfilment_error
    return other_reason or (step.attempt is not None and step.attempt != row.fulfilment_attempt)


def _changed(tx: Tx, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    tx.touch("orders")
    return tx.execute(
        update(order).where(order.c.id == row.id).values(**values, updated_at=tx.now).returning(order)
    ).one()


def _tell(tx: Tx, before: Row[Any], now: Row[Any], step: FulfilmentStep, at: int, actor: Actor) -> None:
    tries = {"attempt": step.attempt, "max_attempts": step.max_attempts}
    params = {name: getattr(now, name) for name in _TOLD[step.status]}
    common: dict[str, Any] = {
        "order_id": now.id,
        "person_id": now.person_id,
        "occurred_at": at,
        "actor": actor,
    }
    if step.status == "submitted" and before.fulfilment_status == "failed" and step.attempt is not None:
        activity.log(
            tx,
            "order.submission_retried",
            params={"provider": now.provider, **tries},
            **common,
        )
    if step.status == "failed":
        params |= tries
    reason = step.reason if step.status in ("failed", "cancelled") else None
    activity.log(
        tx,
        _ENTRY[step.status],
        params=params,
        texts={"reason": reason} if reason else None,
        **common,
    )
