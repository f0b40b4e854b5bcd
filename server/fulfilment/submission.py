"""Handing an order to its provider, exactly once however often the answer is lost.

``sent`` is committed before the request leaves. Whatever happens then, the next attempt first asks the provider whether
it has the order under our number, and takes what it finds; only when it is not there is it sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from server.activity import service as activity
from server.activity.service import Actor
from server.audit import service as audit
from server.contract.orders import FulfilmentStep
from server.fulfilment import following, policy, registry, routing
from server.fulfilment.models import submission
from server.fulfilment.policy import Standing
from server.fulfilment.provider import Connection, Parcel, Provider, ProviderError, ProviderOrder
from server.fulfilment.registry import Known
from server.jobs import service as jobs
from server.jobs.errors import JobError
from server.jobs.service import Asked
from server.jobs.work import Job, Then, Work
from server.kit import refs
from server.kit.access import Principal
from server.kit.clock import SECOND
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.states import may_step
from server.settings import service as settings

KIND: Final = "order.submit"


# -- asking for it --------------------------------------------------------------------------------------


def ask(tx: Tx, key: str, caller: Principal, hold_seconds: int | None = None) -> Asked:
    """Ask for an order's submission. While one waits or runs, that one is given.

    Args:
        tx: the transaction.
        key: the order's id or number.
        caller: who asks.
        hold_seconds: how long it can be taken back; the shop's undo window when left out.

    Raises:
        ProblemError: 404 ``not_found``; 409 with why not (`policy.SENTENCES`).
    """
    row = orders.find(tx, key, lock=True)
    if row is None:
        raise not_found("order")
    where = policy.standings(tx, [row])[row.id]
    if not where.waiting and (obstacle := policy.submit_obstacle(where)) is not None:
        raise policy.refusal(where, obstacle)
    hold = settings.get(tx, "actions.undo_seconds") if hold_seconds is None else hold_seconds
    asked = _enqueue(tx, row, hold=hold * SECOND, asked_by=caller.user_id)
    audit.record(tx, "order.submit_asked", caller=caller, resource_type="order", resource_id=row.id)
    return asked


def automatically(tx: Tx, row: Row[Any]) -> None:
    """An order was paid in full: ask for its submission, unless its program does that or nobody is set up for it."""
    if row.handled_by == "program" or not settings.get(tx, "fulfilment.automatic"):
        return
    if policy.submit_obstacle(policy.standings(tx, [row])[row.id]) is None:
        _enqueue(tx, row, hold=0, asked_by=None)


def may_not_retry(tx: Tx, job: Job) -> str | None:
    """Why the same job may not be asked for again; None when it may."""
    row = orders.find(tx, job.order_id or "")
    return "not_found" if row is None else policy.submit_obstacle(policy.standings(tx, [row])[row.id])


def _enqueue(tx: Tx, row: Row[Any], *, hold: int, asked_by: str | None) -> Asked:
    return jobs.enqueue(
        tx,
        KIND,
        {"order_id": row.id},
        unique=policy.submit_key(row.id),
        hold=hold,
        order_id=row.id,
        person_id=row.person_id,
        asked_by=asked_by,
    )


# -- doing it -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt whose intention is committed.

    Args:
        submission_id: its row.
        known, reached: to whom.
        parcel: what.
        since: when it may first have been sent (ms).
        look: whether the provider may have it, so that it is asked first.
        hinder: why it cannot be sent should it not be there.
    """

    submission_id: str
    known: Known
    reached: Connection
    parcel: Parcel
    since: int
    look: bool
    hinder: str | None


@dataclass(frozen=True, slots=True)
class Hindered:
    """What stands in the way on our side; nothing was sent."""

    provider: str | None
    fingerprint: str
    reason: str


def run(work: Work) -> Then | None:
    """An attempt of the job ``order.submit``.

    Raises:
        JobError: it failed; the order's story tells it in the same transaction.
    """
    job = work.job
    begun = work.store.write(lambda tx: begin(tx, job))
    if begun is None:
        return None
    if isinstance(begun, Hindered):
        raise JobError(begun.reason, permanent=True, then=partial(_hindered, job=job, why=begun))
    try:
        client = registry.client(begun.known, begun.reached)
        try:
            held = _hand_over(client, begun, work)
        finally:
            client.close()
    except ProviderError as error:
        raise JobError(
            error.reason,
            permanent=error.permanent,
            after=error.after,
            then=partial(_failed, job=job, begun=begun, error=error),
        ) from None
    if held.status == "failed":
        trouble = ProviderError(held.reason or f"{begun.known.label} has a problem with it: open it there.")
        raise JobError(trouble.reason, then=partial(_failed, job=job, begun=begun, error=trouble, held=held))
    return partial(_accepted, job=job, begun=begun, held=held)


def begin(tx: Tx, job: Job) -> Begun | Hindered | None:
    """Look at the order once more, and commit that it is sent now. None: there is nothing to do any more."""
    row = orders.find(tx, str(job.args["order_id"]), lock=True)
    if row is None:
        return None
    where = policy.standings(tx, [row])[row.id]
    obstacle = policy.submit_obstacle(where)
    if obstacle not in (None, policy.PERMANENT, policy.NO_PROVIDER) or where.plan is None:
        return None
    if job.attempt == 1:
        orders.begin_again(tx, row)
    plan = where.plan
    before = _may_be_there(where)
    known = registry.find(before.provider if before is not None else plan.provider)
    if known is None or (plan.troubles and before is None):
        reason = " ".join(plan.troubles) or policy.SENTENCES[policy.NO_PROVIDER]
        return Hindered(plan.provider, plan.fingerprint, reason)
    reached = registry.connection(tx, known)
    if reached is None:
        return Hindered(known.name, plan.fingerprint, registry.not_connected(known))
    return _commit(tx, row, where, plan, known, reached)


def _commit(
    tx: Tx, row: Row[Any], where: Standing, plan: routing.Plan, known: Known, reached: Connection
) -> Begun:
    before = next((one for one in where.tries if one.provider == known.name), None)
    look = before is not None and before.state in ("sent", "accepted")
    since = before.sent_at if before is not None and look and before.sent_at is not None else tx.now
    submission_id = _note(
        tx,
        row,
        known.name,
        before,
        state="accepted" if before is not None and before.state == "accepted" else "sent",
        fingerprint=plan.fingerprint,
        permanent=0,
        attempts=(before.attempts if before is not None else 0) + 1,
        sent_at=since,
    )
    hinder = " ".join(plan.troubles) or None
    if plan.provider != known.name:
        hinder = f"{known.label} does not have it, and it is to go to another provider now: submit it again."
    return Begun(submission_id, known, reached, plan.parcel(row.number), since, look, hinder)


def _may_be_there(where: Standing) -> Row[Any] | None:
    """A submission that a provider may have got: it is asked, whoever would get the order today."""
    last = where.last
    return last if last is not None and last.state in ("sent", "accepted") else None


def _hand_over(client: Provider, begun: Begun, work: Work) -> ProviderOrder:
    number = begun.parcel.external_id
    if begun.look:
        try:
            found = client.find(number, begun.since)
        except ProviderError as error:
            error.certain = False  # it said no to the question, not to the order
            raise
        if found is not None:
            return _confirmed(client, found)
    if begun.hinder is not None:
        raise ProviderError(begun.hinder, permanent=True, certain=True)
    if work.stopping.is_set():
        raise ProviderError("The server is being stopped.", certain=True)
    try:
        return client.submit(begun.parcel)
    except ProviderError as refused:
        if not (refused.certain and refused.permanent):
            raise
        # "No" may also mean that it is there already.
        found = _found(client, number, begun.since)
        if found is None:
            raise
        return _confirmed(client, found)


def _confirmed(client: Provider, found: ProviderOrder) -> ProviderOrder:
    """An order that is there, and goes on; one that cannot go on as failed, with why."""
    if not found.unconfirmed:
        return found
    try:
        return client.confirm(found.id)
    except ProviderError as error:
        return replace(found, status="failed", reason=error.reason)


def _found(client: Provider, number: str, since: int) -> ProviderOrder | None:
    try:
        return client.find(number, since)
    except ProviderError:
        return None


# -- what came of it ------------------------------------------------------------------------------------


def _accepted(tx: Tx, *, job: Job, begun: Begun, held: ProviderOrder) -> None:
    row = orders.find(tx, job.order_id or "", lock=True)
    if row is None:
        return
    _set(
        tx,
        begun.submission_id,
        state="accepted",
        provider_order_id=held.id,
        accepted_at=tx.now,
        permanent=0,
        reason=None,
    )
    step = FulfilmentStep(
        status="submitted",
        provider=begun.known.label,
        provider_order_id=held.id,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
    )
    now = orders.told(tx, row.id, step, actor=_actor(job))
    activity.settle(tx, "job.exhausted", order_id=row.id)  # an earlier job of it gave up; this one did not
    following.apply(tx, now, begun.known, held)
    following.wake(tx, begun.known, held.id)


def _failed(
    tx: Tx, *, job: Job, begun: Begun, error: ProviderError, held: ProviderOrder | None = None
) -> None:
    kept: dict[str, Any] = {"reason": error.reason, "permanent": int(error.permanent)}
    if held is not None:
        kept |= {"state": "accepted", "provider_order_id": held.id}
    elif error.certain:
        kept |= {"state": "refused"}
    _set(tx, begun.submission_id, **kept)
    _tell_failure(tx, job, begun.known.label, error.reason, held)


def _hindered(tx: Tx, *, job: Job, why: Hindered) -> None:
    row = orders.find(tx, job.order_id or "", lock=True)
    if row is None:
        return
    known = registry.find(why.provider)
    if known is not None:
        own = tx.execute(
            select(submission).where(submission.c.order_id == row.id, submission.c.provider == known.name)
        ).first()
        kept = {"fingerprint": why.fingerprint, "permanent": 1, "reason": why.reason}
        state = own.state if own is not None and own.state in ("sent", "accepted") else "prepared"
        _note(tx, row, known.name, own, state=state, attempts=(own.attempts if own else 0) + 1, **kept)
    _tell_failure(tx, job, known.label if known else None, why.reason)


def gave_up(tx: Tx, job: Job, reason: str) -> None:
    """The last attempt ended. When its worker died, nobody has told the order's story of it yet."""
    row = orders.find(tx, job.order_id or "", lock=True)
    if row is not None and (row.fulfilment_status, row.fulfilment_attempt) != ("failed", job.attempt):
        last = policy.standings(tx, [row])[row.id].last
        known = registry.find(last.provider) if last is not None else None
        _tell_failure(tx, job, known.label if known else None, reason)


def _tell_failure(
    tx: Tx, job: Job, label: str | None, reason: str, held: ProviderOrder | None = None
) -> None:
    row = orders.find(tx, job.order_id or "", lock=True)
    if row is None or (row.fulfilment_status != "failed" and not may_step(row.fulfilment_status, "failed")):
        return
    if row.fulfilment_status in ("submitted", "processing"):
        return  # somebody told meanwhile that the provider has it
    step = FulfilmentStep(
        status="failed",
        provider=label,
        provider_order_id=None if held is None else held.id,
        reason=reason or None,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
    )
    orders.fulfil(tx, row.id, step, actor=_actor(job))


def _actor(job: Job) -> Actor:
    if job.asked_by is not None:
        return Actor("staff", user_id=job.asked_by)
    return Actor("job", name=KIND)


def _note(tx: Tx, row: Row[Any], provider: str, before: Row[Any] | None, **values: Any) -> str:
    """Write an order's row at one provider; gives its id. The order is locked, so nobody else does."""
    if before is not None:
        _set(tx, before.id, **values)
        known_id: str = before.id
        return known_id
    made = tx.new_id()
    tx.execute(
        insert(submission).values(
            id=made,
            order_id=row.id,
            provider=provider,
            external_id=row.number,
            created_at=tx.now,
            updated_at=tx.now,
            **values,
        )
    )
    tx.touch("orders")
    return made


def _set(tx: Tx, submission_id: str, **values: Any) -> None:
    if values.get("reason"):
        order_id = tx.execute(
            select(submission.c.order_id).where(submission.c.id == submission_id)
        ).scalar_one()
        if refs.is_anonymised(tx, order_id):
            values["reason"] = None  # a provider's words may name whom the order was for
    tx.execute(update(submission).where(submission.c.id == submission_id).values(**values, updated_at=tx.now))
    tx.touch("orders")


def failures(tries: Sequence[Row[Any]]) -> str | None:
    """The reason of the last refusal, in the provider's words."""
    told = [one for one in tries if one.reason]
    return max(told, key=lambda one: one.updated_at).reason if told else None
