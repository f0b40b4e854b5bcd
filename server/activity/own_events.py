"""Events that a shop's own programs write: their types begin with ``custom.``."""

from __future__ import annotations

from server.activity.log import FUTURE, Actor, Logged, record
from server.contract.activity import NewEvent
from server.kit import refs
from server.kit.access import Principal
from server.kit.clock import parse_instant
from server.kit.problems import ProblemError, invalid_request
from server.kit.tx import Tx


def write_event(tx: Tx, event: NewEvent, caller: Principal) -> Logged:
    """Write an event of a shop's own program. Here the entry *is* the business, so its loss is told.

    Raises:
        ProblemError: 422 ``invalid_request`` for a blank sentence, an unknown order or an unreadable time; 422
            ``occurred_at_in_future`` for more than 5 minutes ahead; 503 ``unavailable`` when it cannot be written.
    """
    if not event.message.strip():
        raise invalid_request(("message", "must not be blank"))
    occurred_at = None if event.occurred_at is None else _moment(event.occurred_at, tx.now)
    order = None
    if event.order is not None:
        order = refs.find_order(tx, event.order)
        if order is None:
            raise invalid_request(("order", "there is no such order"))
    by_staff = caller.user_id is not None
    logged = tx.activity_on and record(
        tx,
        event.type,
        level=event.level,
        category=event.category,
        order_id=order.id if order else None,
        texts={"message": event.message},
        occurred_at=occurred_at,
        identity=None if event.dedupe_key is None else ("own", event.dedupe_key),
        actor=Actor("staff", caller.user_id) if by_staff else Actor("system", name=caller.token_name),
    )
    if not logged:
        raise ProblemError(
            503, "unavailable", "The event could not be written. Send it again.", retry_after=1
        )
    return logged


def _moment(text: str, now: int) -> int:
    try:
        occurred_at = parse_instant(text)
    except (ValueError, OverflowError):
        raise invalid_request(
            ("occurred_at", "must be a time with a zone (RFC 3339, for example 2026-02-23T10:00:00Z)")
        ) from None
    if occurred_at < 0:
        raise invalid_request(("occurred_at", "must not be before 1970"))
    if occurred_at > now + FUTURE:
        raise ProblemError(
            422,
            "occurred_at_in_future",
            "occurred_at is more than 5 minutes ahead of this server's clock.",
            fields=[("occurred_at", "must not be in the future")],
        )
    return occurred_at
