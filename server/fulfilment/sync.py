"""Reading a provider's catalogue into the shop's.

A product is known again by the provider's id, else by its slug: ids change when a product is made anew over there. What
has not changed is not written. A product that was there and is gone is kept, marked as not to be had, and told.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final, Literal

from sqlalchemy import Row, insert, select, update

from server.activity import service as activity
from server.activity import standing
from server.activity.service import Actor
from server.audit import service as audit
from server.catalog import service as catalog
from server.catalog.models import product, variant
from server.catalog.slugs import slug_of
from server.contract.base import Money
from server.contract.catalog import NewVariant
from server.fulfilment import policy, registry
from server.fulfilment.models import sync_run
from server.fulfilment.provider import Connection, ProviderError, ProviderProduct, ProviderVariant
from server.fulfilment.registry import Known
from server.jobs import service as jobs
from server.jobs.errors import JobError
from server.jobs.service import Asked
from server.jobs.work import Job, Then, Work
from server.kit.access import Principal
from server.kit.clock import MINUTE
from server.kit.problems import ProblemError
from server.kit.tx import Tx

KIND: Final = "catalog.sync"
STALE: Final = 10 * MINUTE
"""A sync that has not been heard of for this long is over, whoever ran it."""
BATCH: Final = 50
_AT_ONCE: Final = 500
_NOBODY: Final = "It was cut off: the server stopped, or the worker died."


# -- asking for it --------------------------------------------------------------------------------------


def ask(tx: Tx, name: str, caller: Principal) -> Asked:
    """Ask for the reading of a catalogue. While one waits or runs, that one is given.

    Raises:
        ProblemError: 422 ``unknown_provider``; 409 ``not_connected``.
    """
    known = registry.check(name)
    if registry.connection(tx, known) is None:
        raise ProblemError(
            409, policy.NOT_CONNECTED, registry.not_connected(known), reason=policy.NOT_CONNECTED
        )
    audit.record(tx, "sync.asked", caller=caller, resource_type="provider", resource_id=known.name)
    return want(tx, known, asked_by=caller.user_id)


def want(tx: Tx, known: Known, *, asked_by: str | None = None) -> Asked:
    """Ask for the reading of a catalogue; one at a time."""
    return jobs.enqueue(
        tx, KIND, {"provider": known.name}, unique=policy.sync_key(known.name), asked_by=asked_by
    )


def recover(tx: Tx, *, all_of: str | None = None) -> int:
    """End the runs that nobody goes on with, and tell that they failed.

    Args:
        tx: the transaction.
        all_of: a provider of which no run can be alive, since its job is only beginning; else only those that have
            not been heard of for long.

    Returns:
        How many there were.
    """
    gone = (sync_run.c.provider == all_of) if all_of else (sync_run.c.heard_at < tx.now - STALE)
    rows = tx.execute(
        update(sync_run)
        .where(sync_run.c.state == "running", gone)
        .values(state="failed", reason=_NOBODY, finished_at=tx.now)
        .returning(sync_run)
    ).all()
    for row in rows:
        _tell_failed(tx, row.id, row.provider, _NOBODY, Actor("system"))
    return len(rows)


# -- doing it -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a product: our id, and what was written."""

    product_id: str
    what: Literal["created", "updated", "same"]


def run(work: Work) -> Then | None:
    """The job ``catalog.sync``: read everything, then write what differs.

    Raises:
        JobError: the provider's catalogue could not be read to its end; nothing of it is taken over.
    """
    job = work.job
    known = registry.find(str(job.args["provider"]))
    if known is None:
        return None
    run_id = work.store.write(partial(_begin, known=known, job=job))
    reached = work.store.read(lambda tx: registry.connection(tx, known))
    try:
        found = _read(work, known, reached, run_id)
    except ProviderError as error:
        end = partial(_failed, run_id=run_id, known=known, job=job, error=error)
        raise JobError(error.reason, permanent=error.permanent, after=error.after, then=end) from None
    upstream = frozenset(one.id for one in found)
    outcomes: list[Outcome] = []
    for start in range(0, len(found), BATCH):
        part = found[start : start + BATCH]
        outcomes += work.store.write(
            partial(_put_all, known=known, found=part, upstream=upstream, run_id=run_id)
        )
    return partial(_done, run_id=run_id, known=known, job=job, outcomes=outcomes)


def gave_up(tx: Tx, job: Job, reason: str) -> None:
    """Its worker died for the last time: the run it left is over."""
    del reason
    recover(tx, all_of=str(job.args["provider"]))


def _begin(tx: Tx, *, known: Known, job: Job) -> str:
    recover(tx, all_of=known.name)  # this job is the only one of its key: what runs was left by a dead one
    run_id = tx.new_id()
    tx.execute(
        insert(sync_run).values(
            id=run_id, provider=known.name, state="running", started_at=tx.now, heard_at=tx.now
        )
    )
    tx.touch(catalog.TOPIC)
    activity.log(
        tx,
        "sync.started",
        params={"provider": known.label},
        identity=("sync", run_id, "started"),
        actor=_actor(job),
    )
    return run_id


def _read(work: Work, known: Known, reached: Connection | None, run_id: str) -> list[ProviderProduct]:
    if reached is None:
        raise ProviderError(registry.not_connected(known), permanent=True, certain=True)
    found: dict[str, ProviderProduct] = {}
    client = registry.client(known, reached)
    try:
        for one in client.products():
            if work.stopping.is_set():
                raise ProviderError("The server is being stopped.", certain=True)
            found[one.product.id] = one.product
            work.progress(len(found), one.total)
            if len(found) % BATCH == 0:
                heard = {"seen": len(found), "total": one.total}
                work.store.write(partial(_set, run_id=run_id, values=heard))
    finally:
        client.close()
    work.store.write(partial(_set, run_id=run_id, values={"seen": len(found), "total": len(found)}))
    return list(found.values())


def _put_all(
    tx: Tx, *, known: Known, found: list[ProviderProduct], upstream: frozenset[str], run_id: str
) -> list[Outcome]:
    outcomes = [_put(tx, known, one, upstream) for one in found]
    if any(one.what != "same" for one in outcomes):
        tx.touch(catalog.TOPIC)
    _set(tx, run_id=run_id, values={})
    return outcomes


def _put(tx: Tx, known: Known, found: ProviderProduct, upstream: frozenset[str]) -> Outcome:
    row = _match(tx, known, found, upstream)
    checksum = _checksum(found)
    if row is not None and row.checksum == checksum and row.provider_product_id == found.id:
        return Outcome(row.id, "same")
    values = {
        "name": found.name,
        "description": found.description,
        "image_url": found.image_url,
        "provider_product_id": found.id,
        "available": int(found.available),
        "checksum": checksum,
        "synced_at": tx.now,
        "updated_at": tx.now,
    }
    product_id = tx.new_id() if row is None else row.id
    if row is None:
        made = {"id": product_id, "slug": _free_slug(tx, found.name), "provider": known.name}
        tx.execute(insert(product).values(**made, **values, created_at=tx.now))
    else:
        tx.execute(update(product).where(product.c.id == product_id).values(**values))
    catalog.tell_product(tx, "product_created" if row is None else "product_updated", product_id)
    _put_variants(tx, product_id, found.variants)
    return Outcome(product_id, "created" if row is None else "updated")


def _match(tx: Tx, known: Known, found: ProviderProduct, upstream: frozenset[str]) -> Row[Any] | None:
    """The product that it is here: by the provider's id, else one of that slug whose own id is gone over there."""
    mine = product.c.provider == known.name
    row = tx.execute(select(product).where(mine, product.c.provider_product_id == found.id)).first()
    if row is not None:
        return row
    alike = tx.execute(select(product).where(mine, product.c.slug == slug_of(found.name))).first()
    if alike is None or (alike.provider_product_id is not None and alike.provider_product_id in upstream):
        return None
    return alike


def _free_slug(tx: Tx, name: str) -> str:
    base = slug_of(name)
    taken = set(
        tx.execute(
            select(product.c.slug).where((product.c.slug == base) | product.c.slug.startswith(f"{base}-"))
        ).scalars()
    )
    number = 2
    slug = base
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug


def _put_variants(tx: Tx, product_id: str, found: tuple[ProviderVariant, ...]) -> None:
    """The provider's variants, each the same one as before; what the shop counts of them stays."""
    mine = select(variant).where(variant.c.product_id == product_id)
    rows = tx.execute(mine.with_for_update()).all()  # so that a stock that moves meanwhile is not lost
    before = {row.provider_variant_id: row for row in rows}
    wanted = []
    for one in {each.id: each for each in found}.values():
        row = before.get(one.id)
        wanted.append(
            NewVariant.model_construct(
                id=None if row is None else row.id,
                name=one.name,
                sku=one.sku,
                provider_variant_id=one.id,
                price=None
                if one.price is None or not one.currency
                else Money.model_construct(amount=one.price, currency=one.currency),
                stock=None if row is None else row.stock,
                available=one.available,
            )
        )
    catalog.put_variants(tx, product_id, wanted)


# -- how it ends ----------------------------------------------------------------------------------------


def _done(tx: Tx, *, run_id: str, known: Known, job: Job, outcomes: list[Outcome]) -> None:
    met = [one.product_id for one in outcomes]
    for start in range(0, len(met), _AT_ONCE):
        part = met[start : start + _AT_ONCE]
        tx.execute(update(product).where(product.c.id.in_(part)).values(synced_at=tx.now))
    gone = _vanish(tx, known, frozenset(met), job)
    counts = {
        "products": len(outcomes),
        "created": sum(one.what == "created" for one in outcomes),
        "updated": sum(one.what == "updated" for one in outcomes),
        "removed": gone,
    }
    ended = {"state": "done", "finished_at": tx.now, **counts}
    _set(tx, run_id=run_id, values=ended)
    tx.touch(catalog.TOPIC)
    standing.over(tx, "sync.failed", {"provider": known.label})  # whatever was wrong before
    activity.log(
        tx,
        "sync.completed",
        params={"provider": known.label, **counts},
        identity=("sync", run_id, "completed"),
        actor=_actor(job),
    )


def _vanish(tx: Tx, known: Known, met: frozenset[str], job: Job) -> int:
    """Mark what is no longer there as not to be had; how many."""
    here = tx.execute(
        select(product.c.id, product.c.name)
        .where(product.c.provider == known.name, product.c.provider_product_id.is_not(None))
        .where(product.c.available == 1)
        .order_by(product.c.name, product.c.id)
    )
    gone = [row for row in here if row.id not in met]
    for row in gone:
        tx.execute(
            update(product)
            .where(product.c.id == row.id)
            .values(available=0, checksum=None, updated_at=tx.now)
        )
        activity.log(
            tx,
            "product.vanished",
            params={"product": row.name, "provider": known.label, "product_id": row.id},
            actor=_actor(job),
        )
    catalog.bulk_status(tx, [row.id for row in gone], available=False)
    return len(gone)


def _failed(tx: Tx, *, run_id: str, known: Known, job: Job, error: ProviderError) -> None:
    ended = {"state": "failed", "reason": error.reason, "finished_at": tx.now}
    _set(tx, run_id=run_id, values=ended)
    tx.touch(catalog.TOPIC)
    if error.permanent or not job.has_next:
        _tell_failed(tx, run_id, known.name, error.reason, _actor(job))


def _tell_failed(tx: Tx, run_id: str, provider: str, reason: str, actor: Actor) -> None:
    known = registry.find(provider)
    activity.log(
        tx,
        "sync.failed",
        params={"provider": known.label if known else provider},
        texts={"reason": reason},
        identity=("sync", run_id, "failed"),
        actor=actor,
    )


def _set(tx: Tx, *, run_id: str, values: dict[str, Any]) -> None:
    tx.execute(update(sync_run).where(sync_run.c.id == run_id).values(**values, heard_at=tx.now))


def _checksum(found: ProviderProduct) -> str:
    return hashlib.sha256(json.dumps(asdict(found), sort_keys=True).encode()).hexdigest()


def _actor(job: Job) -> Actor:
    return Actor("job", name=KIND) if job.asked_by is None else Actor("staff", user_id=job.asked_by)
