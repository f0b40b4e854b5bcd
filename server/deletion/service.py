"""The deletion of a person: checked, pinned to its plan, carried out in one transaction, and told afterwards.

What was planned is what is done: what is done is counted, and where it differs from the plan nothing of it stands. What
the database files still hold of the person is cleaned and looked for by a job (``deletion.jobs``).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, func, insert, select, update

from server.accounts import standing
from server.audit import service as audit
from server.contract.base import ActionState
from server.contract.deletion import Delete, Deletion, DeletionPlan, ScanPlace
from server.deletion import erasing, erasures, grace, planning, policy, receipts, traces
from server.deletion.models import deletion
from server.directory import hooks
from server.jobs import service as jobs
from server.kit import topics
from server.kit.access import Principal
from server.kit.clock import DAY, HOUR, SECOND, instant, instant_or_none, milliseconds
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx
from server.people.erasure import Subject

CLEAN: Final = "deletion.clean"
"""The kind of job that cleans up after an erasure."""
QUERY: Final = "deletions"
"""What cursors of the list are bound to."""
PER_ACTOR: Final = 10
PER_SHOP: Final = 50


@hooks.offer
def _offers(tx: Tx, row: Row[Any], caller: Principal) -> list[ActionState]:
    """``delete``, in the list of what a caller may do about a person."""
    return [policy.may_delete(tx, caller, row.id)]


def plan(tx: Tx, person_id: str, caller: Principal) -> DeletionPlan:
    """What a deletion would do now (see `planning.make`)."""
    return planning.make(tx, person_id, caller, grace_days=grace.days(tx))


def delete(tx: Tx, person_id: str, request: Delete, caller: Principal) -> Deletion:
    """Delete a person as planned.

    Raises:
        ProblemError: 404 ``not_found``; what `policy.check` raises; 429 ``rate_limited``; 422
            ``confirmation_mismatch``; 404 or 410 ``plan_unknown``; 409 ``plan_changed`` with ``drift``.
    """
    standing.hold_owners(tx)  # deletions come one after the other: Owners and the limits are counted
    erasing.hold(tx, person_id)
    row = policy.find(tx, person_id)
    actor = policy.check(tx, caller, row)
    check_limits(tx, actor.user_id)
    planning.check_typed(row, request.confirm)
    agreed = planning.pinned(tx, request.plan, row)
    about = planning.subject(tx, person_id)
    if wait := grace.days(tx):
        agreed.check(erasing.counts(tx, about))
        scheduled = grace.schedule(
            tx, about, caller, role=actor.role, kind=row.kind, plan_hash=agreed.hash, wait=wait
        )
        return get(tx, scheduled)
    deletion_id = tx.new_id()
    tx.execute(
        insert(deletion).values(
            id=deletion_id,
            person_id=person_id,
            kind=row.kind,
            mark=row.mark,
            state="erased",
            asked_by=actor.user_id,
            asked_role=actor.role,
            asked_at=tx.now,
            plan_hash=agreed.hash,
        )
    )
    return finish(tx, about, deletion_id, caller=caller, agreed=agreed)


def finish(
    tx: Tx,
    about: Subject,
    deletion_id: str,
    *,
    caller: Principal | None = None,
    agreed: planning.Pinned | None = None,
) -> Deletion:
    """Erase a person for a row of ``deletion``, which says who asked for it.

    Nothing is asked any more: that is for who calls this (`delete`, and the end of a grace period).

    Args:
        tx: the transaction that all of it stands or falls with.
        about: whom.
        deletion_id: the row.
        caller: who does it now; None when it happens by itself.
        agreed: the plan: what must be done, no more and no less; None where nothing was pinned.

    Raises:
        ProblemError: 409 ``plan_changed``: what was done is not what was planned, so nothing of it stands; 503
            ``key_unusable``: the receipt cannot be signed.
    """
    asked = _row(tx, deletion_id)
    account = policy.account_of(tx, about.person_id)
    sealed = traces.seal(tx, deletion_id, about.known)
    done = erasing.erase(tx, about)
    if agreed is not None:
        agreed.check(done)
    row = tx.execute(
        update(deletion)
        .where(deletion.c.id == deletion_id)
        .values(state="erased", erased_at=tx.now, counts=done, sealed=sealed, scan=None, scanned_at=None)
        .returning(deletion)
    ).one()
    receipt, signature = receipts.make(tx, row)
    tx.execute(
        update(deletion).where(deletion.c.id == deletion_id).values(receipt=receipt, signature=signature)
    )
    actor = caller or Principal("", "", asked.asked_role, asked.asked_by)
    audit.record(
        tx,
        "user.deleted",
        caller=Principal(actor.token_id, actor.token_name, asked.asked_role, asked.asked_by),
        resource_type="person",
        resource_id=about.person_id,
        target_user_id=about.user_id,
        metadata={
            "kind": asked.kind,
            "deletion_id": deletion_id,
            **({} if account is None else {"role": account.role}),
        },
        mode="auto" if caller is None else "manual",
    )
    topics.publish(tx, "user_deleted", "admin:users", person_id=about.person_id, user_id=about.user_id)
    jobs.enqueue(tx, CLEAN, {"deletion_id": deletion_id}, unique=f"{CLEAN}:{deletion_id}")
    erasures.remember(tx, deletion_id)
    return get(tx, deletion_id)


def check_limits(tx: Tx, user_id: str) -> None:
    """Whether one more deletion may be asked for: ten an hour by one user, fifty a day in the shop.

    Raises:
        ProblemError: 429 ``rate_limited`` with ``Retry-After``.
    """
    mine = deletion.c.asked_by == user_id
    waits = (
        (_wait(tx, HOUR, PER_ACTOR, mine), f"You asked for {PER_ACTOR} deletions within the hour."),
        (_wait(tx, DAY, PER_SHOP), f"{PER_SHOP} people were deleted in this shop within a day."),
    )
    wait, sentence = max(waits)
    if wait:
        minutes = -(-wait // 60)
        raise ProblemError(
            429,
            "rate_limited",
            f"{sentence} The next one may follow in {minutes} minute{'' if minutes == 1 else 's'}.",
            retry_after=wait,
        )


def get(tx: Tx, deletion_id: str) -> Deletion:
    """An erasure.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    return shown(_row(tx, deletion_id))


def listing(tx: Tx, page: PageRequest, person_id: str = "") -> Slice[Deletion]:
    """A page of erasures, newest first; with ``person_id`` only those of that person."""
    wanted = select(deletion)
    if person_id:
        wanted = wanted.where(deletion.c.person_id == person_id)
    found = slice_of(tx.execute(keyset(wanted, page, deletion.c.asked_at, deletion.c.id)).all(), page)
    return Slice([shown(row) for row in found.rows], found.older, found.newer)


def place(one: Deletion) -> tuple[int, str]:
    """An erasure's place in the list, for its page's cursors."""
    return milliseconds(one.asked_at), one.id


def shown(row: Row[Any]) -> Deletion:
    """An erasure as it travels."""
    return Deletion(
        id=row.id,
        person_id=row.person_id,
        kind=row.kind,
        mark=row.mark,
        state=row.state,
        asked_by=row.asked_by,
        asked_at=instant(row.asked_at),
        due_at=instant_or_none(row.due_at),
        erased_at=instant_or_none(row.erased_at),
        counts=row.counts,
        receipt=row.receipt,
        signature=row.signature,
        scan=None if row.scan is None else [ScanPlace(**each) for each in row.scan],
        scanned_at=instant_or_none(row.scanned_at),
    )


def _row(tx: Tx, deletion_id: str) -> Row[Any]:
    row = tx.execute(select(deletion).where(deletion.c.id == deletion_id)).first()
    if row is None:
        raise not_found("deletion")
    return row


def _wait(tx: Tx, window: int, most: int, mine: Any = None) -> int:
    """Seconds until one more fits into the window; 0 when it does now."""
    recent = [deletion.c.asked_at > tx.now - window, *(() if mine is None else (mine,))]
    counted = tx.execute(select(func.count()).select_from(deletion).where(*recent)).scalar_one()
    if counted < most:
        return 0
    leaves = (
        select(deletion.c.asked_at)
        .where(*recent)
        .order_by(deletion.c.asked_at)
        .offset(counted - most)
        .limit(1)
    )
    free_at = int(tx.execute(leaves).scalar_one()) + window
    return max(1, -(-(free_at - tx.now) // SECOND))
