"""Who did what in this program. Written with the act itself: an act that cannot be recorded does not happen.

Entries hold ids, roles and numbers, never a name, an e-mail, a secret or anybody's free text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from sqlalchemy import insert

from server.audit import facts as kinds
from server.audit.actions import ACTIONS
from server.audit.models import audit
from server.audit.topics import AUDIT
from server.kit import topics
from server.kit.access import Principal
from server.kit.tx import Tx

Mode = Literal["manual", "auto", "cron", "script"]
"""How it came about: by hand, by itself, by a schedule, by a program."""

_MODES: Final = get_args(Mode)


def record(
    tx: Tx,
    action: str,
    *,
    caller: Principal | None,
    resource_type: str | None = None,
    resource_id: str | None = None,
    target_user_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    module: str | None = None,
    mode: Mode = "manual",
) -> str:
    """Write an entry in the transaction of the act.

    Args:
        tx: the transaction that the act stands or falls with.
        action: one of ``actions.ACTIONS``.
        caller: who did it; None for somebody with access to the machine itself.
        resource_type: what kind of thing it was done to (``token``, ``user``).
        resource_id: which of them.
        target_user_id: the user concerned, never another kind of id.
        metadata: facts as the action allows them.
        module: the room whose act it is; the action's own when left out.
        mode: how it came about.

    Returns:
        The entry's id.

    Raises:
        ValueError: an unknown action, or anything that an entry must not hold.
    """
    held = dict(metadata or {})
    _check(action, held)
    module = ACTIONS[action].module if module is None else module
    _check_references(action, resource_type, resource_id, target_user_id, module, mode)
    entry_id = tx.new_id()
    tx.execute(
        insert(audit).values(
            id=entry_id,
            action=action,
            module=module,
            mode=mode,
            actor_user_id=caller.user_id if caller else None,
            actor_role=caller.role if caller else None,
            token_id=caller.token_id if caller else None,
            resource_type=resource_type,
            resource_id=resource_id,
            target_user_id=target_user_id,
            metadata=held,
            inserted_at=tx.now,
        )
    )
    topics.publish(tx, "activity_logged", AUDIT, id=entry_id, action=action)
    tx.touch("audit")
    return entry_id


def record_of_user(
    tx: Tx,
    action: str,
    user_id: str,
    *,
    caller: Principal | None,
    metadata: Mapping[str, Any] | None = None,
    mode: Mode = "manual",
) -> str:
    """Write an entry about what was done to a user, as `record` does."""
    return record(
        tx,
        action,
        caller=caller,
        resource_type="user",
        resource_id=user_id,
        target_user_id=user_id,
        metadata=metadata,
        mode=mode,
    )


def _check(action: str, held: Mapping[str, Any]) -> None:
    known = ACTIONS.get(action)
    if known is None:
        raise ValueError(f"unknown audit action {action!r}")
    for name, value in held.items():
        if name not in known.facts and not (known.changes and kinds.CHANGED.fullmatch(name)):
            raise ValueError(f"{action} may not hold {name!r}")
        if not kinds.fits(name, value):
            raise ValueError(f"{action}: this is no value for {name}")


def _check_references(
    action: str,
    resource_type: str | None,
    resource_id: str | None,
    target_user_id: str | None,
    module: str,
    mode: str,
) -> None:
    """Whatever names something must be a program's name or an id, and the target must be a user.

    A resource that is no user cannot be the target as well: it is its id that was given for a user's.
    """
    for value in (resource_type, resource_id, target_user_id):
        if value is not None and not kinds.reference(value):
            raise ValueError(f"{action}: this names nothing")
    if not kinds.word(module) or mode not in _MODES:
        raise ValueError(f"{action}: an unknown module or mode")
    if target_user_id is not None and target_user_id == resource_id and resource_type != "user":
        raise ValueError(f"{action}: the target is a user, not the {resource_type}")
