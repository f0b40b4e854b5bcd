"""How far an order is at its provider: asked for every half hour and on demand, told by webhooks, written once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, select

from server.activity import service as activity
from server.activity.service import Actor
from server.audit import service as audit
from server.contract.orders import FulfilmentStep
from server.fulfilment import policy, registry
from server.fulfilment.models import submission
from server.fulfilment.provider import ProviderError, ProviderOrder, Step
from server.fulfilment.registry import Known
from server.fulfilment.shapes import web_address
from server.inbox import service as inbox
from server.jobs import service as jobs
from server.jobs.errors import JobError
from server.jobs.service import Asked
from server.jobs.work import Then, Work
from server.kit.access import Principal
from server.kit.clock import DAY, rfc3339
from server.kit.folding import clean_text
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.models import order
from server.orders.states import FORWARD, may_step

REFRESH: Final = "order.refresh"
POLL: Final = "orders.poll"
FOLLOWED_FOR: Final = 60 * DAY
"""How long after its payment an order is still asked about."""
BATCH: Final = 200
_UNDER_WAY: Final = ("submitted", "processing", "shipped", "failed")


def apply(tx: Tx, row: Row[Any], known: Known, seen: ProviderOrder) -> Row[Any]:
    """Let an order stand where its provider sees it. Seen again, it changes nothing.

    Steps that the provider knows a time of are told with it, also those that were missed in between.

    Returns:
        The order's row as it is now.
    """
    row = orders.note_provider_status(tx, row, seen.provider_status)
    if seen.status == "failed":
        if row.fulfilment_status == "failed" or not may_step(row.fulfilment_status, "failed"):
            return row  # it was told why
        return take(tx, row, known, "failed", reason=seen.reason)
    if seen.status == "cancelled":
        return take(tx, row, known, "cancelled", seen.times.get("cancelled"), reason=seen.reason)
    tracking = {
        "carrier": seen.carrier,
        "tracking_number": seen.tracking_number,
        "tracking_url": seen.tracking_url,
    }
    for step in _steps_to(seen):
        shipped = step in ("shipped", "delivered")
        told = {"provider_order_id": seen.id, **(tracking if shipped else {})}
        row = take(tx, row, known, step, seen.times.get(step), **told)
    for shipment in seen.returned:
        returned(tx, row, known, shipment, tx.now, None)
    return row


def take(
    tx: Tx,
    row: Row[Any],
    known: Known,
    step: Step,
    at: int | None = None,
    *,
    reason: str | None = None,
    **details: str | None,
) -> Row[Any]:
    """Let an order take one step that its provider tells.

    Args:
        tx: the transaction.
        row: the order.
        known: its provider.
        step: which step.
        at: when it happened (ms UTC); one that is missing or lies in the future becomes now.
        reason: the provider's words.
        details: ``provider_order_id``, ``carrier``, ``tracking_number``, ``tracking_url``.
    """
    told = FulfilmentStep(
        status=step,
        provider=known.label,
        provider_order_id=_cut(details.get("provider_order_id")),
        carrier=_cut(details.get("carrier")),
        tracking_number=_cut(details.get("tracking_number")),
        tracking_url=web_address(details.get("tracking_url")),
        reason=clean_text(reason, 4096) if reason else None,
        occurred_at=None if at is None or at > tx.now else rfc3339(at),
    )
    return orders.told(tx, row.id, told, actor=Actor("provider", name=known.label))


def returned(tx: Tx, row: Row[Any], known: Known, shipment: str, at: int, reason: str | None) -> None:
    """A parcel came back: told once for each."""
    activity.log(
        tx,
        "order.returned",
        order_id=row.id,
        person_id=row.person_id,
        params={"provider": known.label},
        texts={"reason": reason} if reason else None,
        occurred_at=at,
        identity=(known.name, row.id, shipment, "returned"),
        actor=Actor("provider", name=known.label),
    )


def wake(tx: Tx, known: Known, provider_order_id: str) -> None:
    """Work on the webhooks that spoke of an order before we knew it by that name."""
    inbox.alone(tx, known.name, provider_order_id)
    inbox.wake(tx, known.name, provider_order_id)


def ask(tx: Tx, key: str, caller: Principal) -> Asked:
    """Ask how far an order is.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``not_at_provider``.
    """
    row = orders.find(tx, key, lock=True)
    if row is None:
        raise not_found("order")
    where = policy.standings(tx, [row])[row.id]
    if (obstacle := policy.refresh_obstacle(where)) is not None:
        raise policy.refusal(where, obstacle)
    audit.record(tx, "order.refresh_asked", caller=caller, resource_type="order", resource_id=row.id)
    return look(tx, row, asked_by=caller.user_id)


def look(tx: Tx, row: Row[Any], *, asked_by: str | None = None) -> Asked:
    """Ask for a look at an order's provider; one at a time."""
    return jobs.enqueue(
        tx,
        REFRESH,
        {"order_id": row.id},
        unique=policy.refresh_key(row.id),
        order_id=row.id,
        person_id=row.person_id,
        asked_by=asked_by,
    )


def run_refresh(work: Work) -> Then | None:
    """The job ``order.refresh``: ask the provider about one order.

    Raises:
        JobError: the provider did not say.
    """
    order_id = str(work.job.args["order_id"])
    found = work.store.read(lambda tx: _to_ask(tx, order_id))
    if found is None:
        return None
    known, name, number, since = found
    reached = work.store.read(lambda tx: registry.connection(tx, known))
    if reached is None:
        raise JobError(registry.not_connected(known), permanent=True)
    try:
        client = registry.client(known, reached)
        try:
            seen = client.status(name) if name is not None else client.find(number, since)
        finally:
            client.close()
    except ProviderError as error:
        raise JobError(error.reason, permanent=error.permanent, after=error.after) from None
    if seen is None:
        raise JobError(f"{known.label} does not know this order.", permanent=True)
    return partial(_seen, order_id=order_id, known=known, seen=seen)


def run_poll(work: Work) -> None:
    """The job ``orders.poll``: ask about every order that is under way, for what webhooks did not tell.

    Raises:
        JobError: a provider did not answer; the orders asked about before keep what was learnt.
    """
    troubles: list[JobError] = []
    for known in registry.PROVIDERS.values():
        try:
            _poll(work, known)
        except ProviderError as error:
            troubles.append(JobError(error.reason, permanent=error.permanent, after=error.after))
    if troubles:
        raise troubles[0]


def _poll(work: Work, known: Known) -> None:
    reached = work.store.read(lambda tx: registry.connection(tx, known))
    if reached is None:
        return
    client = registry.client(known, reached)
    try:
        after, done = "", 0
        while not work.stopping.is_set():
            page = work.store.read(partial(_under_way, known=known, after=after))
            for order_id, name in page:
                if work.stopping.is_set():
                    return
                seen = client.status(name)
                if seen is not None:
                    work.store.write(partial(_seen, order_id=order_id, known=known, seen=seen))
                done += 1
                work.progress(done, note=known.label)
            if len(page) < BATCH:
                return
            after = page[-1][0]
    finally:
        client.close()


def _under_way(tx: Tx, *, known: Known, after: str) -> list[tuple[str, str]]:
    rows = tx.execute(
        select(order.c.id, order.c.provider_order_id)
        .where(order.c.id > after, order.c.fulfilment_status.in_(_UNDER_WAY))
        .where(order.c.provider_order_id.is_not(None), order.c.provider.in_((known.name, known.label)))
        .where(order.c.handled_by == "shopbell", order.c.paid_at > tx.now - FOLLOWED_FOR)
        .order_by(order.c.id)
        .limit(BATCH)
    )
    return [(row.id, row.provider_order_id) for row in rows]


def _seen(tx: Tx, *, order_id: str, known: Known, seen: ProviderOrder) -> None:
    row = orders.find(tx, order_id, lock=True)
    if row is None:
        return
    if row.provider_order_id is None:
        step = FulfilmentStep(status="submitted", provider=known.label, provider_order_id=seen.id)
        row = orders.told(tx, row.id, step, actor=Actor("provider", name=known.label))
        wake(tx, known, seen.id)
    apply(tx, row, known, seen)


def _to_ask(tx: Tx, order_id: str) -> tuple[Known, str | None, str, int] | None:
    """The provider of an order, the provider's name for it, ours, and since when it may be there."""
    row = orders.find(tx, order_id)
    if row is None:
        return None
    last = policy.standings(tx, [row])[row.id].last
    known = registry.find(last.provider if last is not None else row.provider)
    if known is None:
        return None
    name = row.provider_order_id or (last.provider_order_id if last is not None else None)
    since = last.sent_at if last is not None and last.sent_at is not None else row.created_at
    return known, name, row.number, since


def _steps_to(seen: ProviderOrder) -> list[Step]:
    """The step that the provider names, and the ones before it that it knows a time of."""
    end = FORWARD.index(seen.status)
    passed = [step for step in _timed(seen.times) if FORWARD.index(step) < end]
    return [*passed, seen.status]


def _timed(times: Mapping[Step, int]) -> list[Step]:
    steps: tuple[Step, ...] = ("submitted", "processing", "shipped", "delivered")
    return [step for step in steps if step in times]


def _cut(text: str | None) -> str | None:
    return clean_text(text, 255) if text else None


def of_provider(tx: Tx, known: Known, provider_order_id: str, number: str | None) -> Row[Any] | None:
    """The order that a provider speaks of: by its own id for it, or by our number; locked."""
    ours = select(submission.c.order_id).where(
        submission.c.provider == known.name, submission.c.provider_order_id == provider_order_id
    )
    told = select(order.c.id).where(
        order.c.provider_order_id == provider_order_id, order.c.provider.in_((known.name, known.label))
    )
    key: str | None = tx.execute(ours.limit(1)).scalar() or tx.execute(told.limit(1)).scalar() or number
    return orders.find(tx, key, lock=True) if key else None
