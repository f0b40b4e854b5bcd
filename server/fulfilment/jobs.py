"""The jobs of this room, what asks for them, and what it offers on orders and entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from server.activity import offers
from server.activity.offers import Told
from server.contract.base import ActionState
from server.fulfilment import following, policy, registry, submission, sync, webhooks
from server.fulfilment.registry import Known
from server.jobs.registry import Every, Kind, Schedule, register, register_schedule
from server.jobs.work import Work
from server.kit.access import Principal
from server.kit.clock import HOUR, MINUTE
from server.kit.prepared import AnyOf, Prepared
from server.kit.tx import Tx
from server.orders import hooks
from server.orders.models import order

SENDERS: Final = webhooks.SENDERS
"""Imported, so that what providers tell is worked on."""


def _poll(work: Work) -> None:
    work.store.write(sync.recover)
    following.run_poll(work)


register(
    Kind(
        name=submission.KIND,
        label="Submit order",
        queue="fulfilment",
        run=submission.run,
        max_attempts=3,
        waits=(MINUTE, 5 * MINUTE),
        outside=True,
        gave_up=submission.gave_up,
        no_retry=submission.may_not_retry,
    )
)
register(
    Kind(
        name=following.REFRESH, label="Ask how far an order is", queue="fulfilment", run=following.run_refresh
    )
)
register(
    Kind(name=following.POLL, label="Ask about orders under way", queue="upkeep", run=_poll, max_attempts=1)
)
register(Kind(name=sync.KIND, label="Sync products", queue="sync", run=sync.run, gave_up=sync.gave_up))


def _any_connected(tx: Tx) -> bool:
    return any(registry.connection(tx, known) is not None for known in registry.PROVIDERS.values())


def _schedule_sync(known: Known) -> None:
    register_schedule(
        Schedule(
            name=f"sync.{known.name}",
            kind=sync.KIND,
            when=Every(6 * HOUR),
            args={"provider": known.name},
            label=f"Sync products of {known.label}",
            unique=policy.sync_key(known.name),
            wanted=lambda tx: registry.connection(tx, known) is not None,
        )
    )


register_schedule(
    Schedule(name=following.POLL, kind=following.POLL, when=Every(30 * MINUTE), wanted=_any_connected)
)
for _known in registry.PROVIDERS.values():
    _schedule_sync(_known)

hooks.on_paid_in_full(submission.automatically)
hooks.offer(policy.order_actions)


def _retries(tx: Tx, told: Sequence[Told], caller: Principal) -> dict[str, list[ActionState]]:
    """``retry`` on each failed submission, while the order is still failed and nobody has asked for it."""
    wanted = {one.order_id for one in told if one.order_id is not None}
    standing = dict(_STANDING.rows(tx, ids=list(wanted))) if wanted else {}
    failed = [order_id for order_id, status in standing.items() if status == "failed"]
    rows = tx.execute(select(order).where(order.c.id.in_(failed))).all() if failed else []
    over = policy.not_failed(caller)  # nearly always: the rest is asked only of those that are still failed
    states = dict.fromkeys(standing, over) | policy.retry_states(tx, rows, caller)
    return {one.id: [states[one.order_id]] for one in told if one.order_id in states}


_STANDING: Final = Prepared(select(order.c.id, order.c.fulfilment_status).where(AnyOf(order.c.id, "ids")))


def _retries_of_syncs(tx: Tx, told: Sequence[Told], caller: Principal) -> dict[str, list[ActionState]]:
    """``retry_sync`` on each failed sync, while none waits or runs."""
    labels = {one.id: registry.find(str(one.params.get("provider", ""))) for one in told}
    names = sorted({known.name for known in labels.values() if known is not None})
    states = policy.sync_states(tx, names, caller, "retry_sync")
    return {entry_id: [states[known.name]] for entry_id, known in labels.items() if known is not None}


offers.register("order.submission_failed", _retries)
offers.register("sync.failed", _retries_of_syncs)
