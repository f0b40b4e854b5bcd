"""Who did what in this program. Written with the act itself: an act that cannot be recorded does not happen.

Entries hold ids, roles and numbers, never a name, an e-mail, a secret or anybody's free text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import insert, select

from server.audit.models import audit
from server.kit.access import Principal
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.tx import Tx

ACTIONS: Final[dict[str, frozenset[str]]] = {
    "owner.created": frozenset({"by"}),
    "user.created": frozenset({"role"}),
    "user.role_changed": frozenset({"role_from", "role_to"}),
    "user.deactivated": frozenset({"tokens_revoked"}),
    "user.reactivated": frozenset(),
    "user.note_created": frozenset({"person_id"}),
    "user.note_deleted": frozenset({"person_id"}),
    "person.updated": frozenset({"name", "email", "phone"}),
    "person.exported": frozenset({"rows"}),
    "billing.billing_profile_created": frozenset({"person_id"}),
    "billing.billing_profile_updated": frozenset({"person_id"}),
    "billing.billing_profile_deleted": frozenset({"person_id"}),
    "token.created": frozenset({"role", "days"}),
    "token.revoked": frozenset({"role"}),
    "store.restored": frozenset({"backup_sha256"}),
    "setting.changed": frozenset(),
    "key.rotated": frozenset({"secrets"}),
    "order.submit_asked": frozenset(),
    "order.refresh_asked": frozenset(),
    "sync.asked": frozenset(),
    "job.retried": frozenset({"kind"}),
    "job.cancelled": frozenset({"kind"}),
    "queue.paused": frozenset(),
    "queue.resumed": frozenset(),
}
"""Every action, and the facts that an entry of it may hold."""

_WORD = re.compile(r"[a-zA-Z0-9_.:-]{1,80}", re.ASCII)


def record(
    tx: Tx,
    action: str,
    *,
    caller: Principal | None,
    resource_type: str | None = None,
    resource_id: str | None = None,
    target_user_id: str | None = None,
    metadata: Mapping[str, str | int | bool | None] | None = None,
) -> str:
    """Write an entry in the transaction of the act.

    Args:
        tx: the transaction that the act stands or falls with.
        action: one of ``ACTIONS``.
        caller: who did it; None for somebody with access to the machine itself.
        resource_type: what kind of thing it was done to (``token``, ``user``).
        resource_id: which of them.
        target_user_id: the user concerned, never another kind of id.
        metadata: facts as ``ACTIONS`` allows them.

    Returns:
        The entry's id.

    Raises:
        ValueError: an unknown action, or facts that an entry must not hold.
    """
    facts = dict(metadata or {})
    _check(action, facts)
    entry_id = tx.new_id()
    tx.execute(
        insert(audit).values(
            id=entry_id,
            action=action,
            actor_user_id=caller.user_id if caller else None,
            actor_role=caller.role if caller else None,
            token_id=caller.token_id if caller else None,
            resource_type=resource_type,
            resource_id=resource_id,
            target_user_id=target_user_id,
            metadata=facts,
            inserted_at=tx.now,
        )
    )
    return entry_id


def page(tx: Tx, request: PageRequest) -> Slice[Any]:
    """Entries newest first, as rows of the ``audit`` table."""
    statement = keyset(select(audit), request, audit.c.inserted_at, audit.c.id)
    return slice_of(tx.execute(statement).all(), request)


def _check(action: str, facts: Mapping[str, Any]) -> None:
    if action not in ACTIONS:
        raise ValueError(f"unknown audit action {action!r}")
    if unknown := set(facts) - ACTIONS[action]:
        raise ValueError(f"{action} may not hold {sorted(unknown)}")
    for name, value in facts.items():
        if isinstance(value, str) and not _WORD.fullmatch(value):
            raise ValueError(f"{action}: {name} must be one word of a program")
