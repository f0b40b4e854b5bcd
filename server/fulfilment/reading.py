"""What is shown of submissions, syncs and providers."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, func, select

from server.contract.fulfilment import Provider, ShipmentItem, Submission, Sync
from server.contract.jobs import Progress
from server.contract.orders import Address
from server.fulfilment import policy, registry, submission
from server.fulfilment.models import sync_run
from server.fulfilment.policy import Standing
from server.fulfilment.registry import Known
from server.fulfilment.routing import Plan
from server.jobs import service as jobs
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.policy import sees_customer
from server.settings import service as settings

ATTEMPTS: Final = 20
"""Most attempts that are shown, the latest."""


def standing(tx: Tx, key: str, caller: Principal) -> Submission:
    """All there is to know before an order is submitted (again).

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = orders.find(tx, key)
    if row is None:
        raise not_found("order")
    where = policy.standings(tx, [row], plans=True)[row.id]
    plan, last = where.plan, where.last
    assert plan is not None  # noqa: S101 - they were asked for
    open_job = jobs.by_unique(tx, policy.submit_key(row.id))
    obstacle = policy.submit_obstacle(where)
    known = registry.find(last.provider if last is not None else plan.provider)
    held = row.provider_order_id or (last.provider_order_id if last is not None else None)
    reason = obstacle if caller.may("orders.submit") else policy.NO_PERMISSION
    return Submission(
        provider=known.name if known else plan.provider,
        provider_label=known.label if known else None,
        state="accepted" if held else "none" if last is None else last.state,
        provider_order_id=held,
        at_provider=True if held else None if last is not None and last.state == "sent" else False,
        attempts=jobs.attempts(tx, kind=submission.KIND, order_id=row.id)[-ATTEMPTS:],
        job=jobs.row(tx, open_job.id, caller) if open_job is not None else None,
        would_send=[
            ShipmentItem(
                name=line.name, quantity=line.quantity, variant_id=line.variant_id, trouble=line.trouble
            )
            for line in plan.lines
        ],
        address=_address(plan) if sees_customer(caller) else None,
        permanent=any(one.permanent and one.fingerprint == plan.fingerprint for one in where.tries),
        allowed=reason is None,
        reason=reason,
        advice=_advice(tx, where, plan, reason, known),
    )


def _address(plan: Plan) -> Address | None:
    given = plan.to.address
    return given if any(given.model_dump().values()) else None


def _advice(tx: Tx, where: Standing, plan: Plan, reason: str | None, known: Known | None) -> str:
    if where.waiting:
        return "It is under way. Take it back while it waits, or wait for what comes of it."
    if reason is not None:
        return _why_not(where, reason)
    if plan.troubles:
        return " ".join(plan.troubles)
    if known is not None and registry.connection(tx, known) is None:
        return registry.not_connected(known)
    return _what_happens(tx, where, known.label if known else "The provider")


def _why_not(where: Standing, reason: str) -> str:
    if reason == policy.NO_PERMISSION:
        return "Your role may look at this, not submit it."
    if reason != policy.PERMANENT:
        return policy.SENTENCES[reason]
    said = next((one.reason for one in where.tries if one.permanent and one.reason), "It was refused.")
    return f"{said} {policy.SENTENCES[policy.PERMANENT]}"


def _what_happens(tx: Tx, where: Standing, name: str) -> str:
    state = where.last.state if where.last is not None else None
    if state == "sent":
        return f"{name} may have it: it is asked first, and gets it only if it does not."
    if state == "accepted":
        return f"{name} has it and could not go on: it is asked to try again."
    seconds = settings.get(tx, "actions.undo_seconds")
    if not seconds:
        return "It leaves at once."
    return f"It leaves {seconds} seconds after you ask, and can be taken back until then."


# -- syncs and providers --------------------------------------------------------------------------------


def syncs(tx: Tx, provider: str | None, page: PageRequest) -> Slice[Sync]:
    """A page of syncs, newest first."""
    statement = select(sync_run)
    if provider is not None:
        statement = statement.where(sync_run.c.provider == provider)
    found = slice_of(tx.execute(keyset(statement, page, sync_run.c.started_at, sync_run.c.id)).all(), page)
    return Slice([shown_sync(row) for row in found.rows], found.older, found.newer)


def shown_sync(row: Row[Any]) -> Sync:
    """A sync as it travels."""
    return Sync(
        id=row.id,
        provider=row.provider,
        state=row.state,
        progress=Progress(done=row.seen, total=row.total),
        products=row.products,
        created=row.created,
        updated=row.updated,
        removed=row.removed,
        reason=row.reason,
        started_at=instant(row.started_at),
        finished_at=instant_or_none(row.finished_at),
    )


def providers(tx: Tx, caller: Principal) -> list[Provider]:
    """Every provider the shop can use, with its last sync."""
    newest = (
        select(sync_run.c.provider, func.max(sync_run.c.id).label("id"))
        .group_by(sync_run.c.provider)
        .subquery()
    )
    last = {
        row.provider: row for row in tx.execute(select(sync_run).join(newest, newest.c.id == sync_run.c.id))
    }
    states = policy.sync_states(tx, list(registry.PROVIDERS), caller, "sync")
    chosen = registry.default(tx)
    return [
        Provider(
            name=known.name,
            label=known.label,
            connected=registry.connection(tx, known) is not None,
            default=known.name == chosen,
            capabilities=list(known.capabilities),
            webhook_path=f"/webhooks/{known.name}/{settings.get(tx, known.connection)}",
            sync=shown_sync(last[known.name]) if known.name in last else None,
            actions=[states[known.name]],
        )
        for known in registry.PROVIDERS.values()
    ]
