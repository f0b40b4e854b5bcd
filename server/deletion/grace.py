"""The grace period: until it ends a deleted person is locked and hidden, and can be restored.

How long it is says the setting ``deletion.grace_days``; 0 erases at once. What comes for the person meanwhile (an
order, a webhook) is taken as ever and erased with the rest. The end is a job (``deletion.due``), which stands in the
same transaction as the lock.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from server.accounts import policy as accounts
from server.accounts import users
from server.accounts.models import user
from server.audit import service as audit
from server.contract.base import ActionState
from server.deletion import erasing, erasures
from server.deletion.models import deletion
from server.jobs import service as jobs
from server.jobs.models import job
from server.kit import topics
from server.kit.access import RANK, Principal, Role
from server.kit.clock import DAY
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx
from server.people.erasure import Subject
from server.people.models import person
from server.settings import service as settings

DUE: Final = "deletion.due"
"""The kind of job that ends a grace period with the erasure."""
TOPIC: Final = "admin:users"


def days(tx: Tx) -> int:
    """How long a deletion that is asked for now waits; 0: not at all."""
    return settings.get(tx, "deletion.grace_days")


def schedule(
    tx: Tx, about: Subject, caller: Principal, *, role: Role, kind: str, plan_hash: str | None, wait: int
) -> str:
    """Lock and hide a person, to be erased when the grace period ends. Whether it may be is for the caller to say.

    The account is shut and all ways in are ended at once.

    Args:
        tx: the transaction.
        about: whom.
        caller: who asked for it.
        role: the caller's role as it stands.
        kind: ``customer`` or ``staff``.
        plan_hash: the plan that was agreed to.
        wait: days.

    Returns:
        The deletion's id.
    """
    deletion_id = tx.new_id()
    tx.execute(
        insert(deletion).values(
            id=deletion_id,
            person_id=about.person_id,
            kind=kind,
            mark=about.mark,
            state="scheduled",
            asked_by=caller.user_id,
            asked_role=role,
            asked_at=tx.now,
            plan_hash=plan_hash,
            due_at=tx.now + wait * DAY,
        )
    )
    audit.record(
        tx,
        "person.deletion_scheduled",
        caller=caller,
        resource_type="person",
        resource_id=about.person_id,
        target_user_id=about.user_id,
        metadata={"kind": kind, "days": wait, "deletion_id": deletion_id},
    )
    put_away(tx, deletion_id)
    erasures.remember(tx, deletion_id)
    return deletion_id


def put_away(tx: Tx, deletion_id: str) -> None:
    """Lock and hide the person of a scheduled deletion, and ask for the job that ends it."""
    row = tx.execute(select(deletion).where(deletion.c.id == deletion_id)).one()
    tx.execute(
        update(person).where(person.c.id == row.person_id).values(hidden_at=row.asked_at, updated_at=tx.now)
    )
    account = tx.execute(select(user).where(user.c.person_id == row.person_id)).first()
    if account is not None and account.active:
        users.lock(tx, account.id)
        # by this moment `take_back` knows that the account was open until then
        tx.execute(update(user).where(user.c.id == account.id).values(deactivated_at=row.asked_at))
    jobs.enqueue(
        tx,
        DUE,
        {"deletion_id": deletion_id},
        unique=f"{DUE}:{deletion_id}",
        delay=max(0, row.due_at - tx.now),
    )
    _tell(tx, row.person_id, account)


def restore(tx: Tx, deletion_id: str, caller: Principal) -> None:
    """Call a scheduled erasure off: the person is back, and so is the account; whoever came in with it signs in anew.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``not_scheduled``; 403 ``insufficient_permissions``.
    """
    row = _held(tx, deletion_id)
    account = tx.execute(select(user).where(user.c.person_id == row.person_id)).first()
    may_restore(replace(caller, role=users.acting_role(tx, caller)), account)
    if row.state != "scheduled":
        raise ProblemError(409, "not_scheduled", "This erasure does not wait: there is nothing to call off.")
    take_back(tx, row)
    audit.record(
        tx,
        "person.restored",
        caller=caller,
        resource_type="person",
        resource_id=row.person_id,
        target_user_id=None if account is None else account.id,
        metadata={"kind": row.kind, "deletion_id": deletion_id},
    )
    erasures.remember(tx, deletion_id)


def take_back(tx: Tx, row: Row[Any]) -> None:
    """Undo `put_away` for a row of ``deletion``: also where its job is gone or was withdrawn."""
    tx.execute(update(deletion).where(deletion.c.id == row.id).values(state="restored"))
    mine = (person.c.id == row.person_id) & person.c.erased_at.is_(None)
    tx.execute(update(person).where(mine).values(hidden_at=None, updated_at=tx.now))
    account = tx.execute(select(user).where(user.c.person_id == row.person_id)).first()
    if account is not None and not account.active and account.deactivated_at == row.asked_at:
        users.unlock(tx, account.id)
    waiting = (job.c.unique_key == f"{DUE}:{row.id}") & (job.c.state == "waiting")
    for job_id in tx.execute(select(job.c.id).where(waiting)).scalars().all():
        jobs.cancel(tx, job_id)
    _tell(tx, row.person_id, account)


def may_restore(caller: Principal, account: Any | None) -> None:
    """Whether the caller may call an erasure off: those who may touch the account, where there is one.

    Raises:
        ProblemError: 403 ``insufficient_permissions``.
    """
    if account is not None and RANK[account.role]:
        accounts.may_touch(caller.role, account.role)


def offer(tx: Tx, row: Row[Any], caller: Principal) -> list[ActionState]:
    """``restore`` as a hidden person's record lists it; nothing for others."""
    if row.hidden_at is None or row.erased_at is not None:
        return []
    if not caller.may("people.delete"):
        return [ActionState(name="restore", allowed=False, reason="insufficient_permissions")]
    account = tx.execute(select(user).where(user.c.person_id == row.id)).first()
    try:
        may_restore(caller, account)
    except ProblemError as refusal:
        return [ActionState(name="restore", allowed=False, reason=refusal.reason or refusal.code)]
    return [ActionState(name="restore", allowed=True)]


def is_due(tx: Tx, deletion_id: str) -> bool:
    """Whether a deletion still waits and its time has come. Others cannot change it until this transaction ends."""
    row = tx.execute(select(deletion).where(deletion.c.id == deletion_id).with_for_update()).first()
    return row is not None and row.state == "scheduled" and row.due_at <= tx.now


def _held(tx: Tx, deletion_id: str) -> Row[Any]:
    row = tx.execute(select(deletion).where(deletion.c.id == deletion_id).with_for_update()).first()
    if row is None:
        raise not_found("deletion")
    erasing.hold(tx, row.person_id)
    return row


def _tell(tx: Tx, person_id: str, account: Any | None) -> None:
    user_id = None if account is None else account.id
    topics.publish(tx, "user_updated", TOPIC, person_id=person_id, user_id=user_id, fields=["hidden"])
    tx.touch("people", "access")
