"""What changed about a user: both sides of a plain field, of a personal one its name alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from server.audit import facts, service
from server.audit.service import Mode
from server.audit.wrapper import actor_role
from server.kit.access import Principal
from server.kit.tx import Tx

PLAIN: Final = frozenset({"role", "active", "status", "locale", "language", "two_factor"})
"""Fields whose values are a program's words. Of any other field only the name is kept: its values may be somebody's."""


def log_user_change(
    tx: Tx,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    caller: Principal | None,
    user_id: str,
    action: str = "user.updated",
    mode: Mode = "manual",
    skip_fields: Collection[str] = (),
) -> str | None:
    """Record what changed about a user, in the transaction of the change.

    Args:
        tx: the transaction that the change stands or falls with.
        before: the user's fields as they were; a field that is missing had no value.
        after: as they are now.
        caller: who changed them; None for somebody with access to the machine itself.
        user_id: the user.
        action: what it is recorded as; one that may hold changes.
        mode: how it came about.
        skip_fields: fields that say nothing (``updated_at``).

    Returns:
        The entry's id; None when nothing changed, and nothing was written.

    Raises:
        ValueError: an action that may not hold changes, or a field whose name is none.
    """
    metadata: dict[str, Any] = {}
    named: list[str] = []
    for field in sorted({*before, *after} - set(skip_fields)):
        old, new = before.get(field), after.get(field)
        if old == new:
            continue
        sides = {f"{field}_from": _told(old), f"{field}_to": _told(new)}
        if field in PLAIN and all(facts.fits(name, side) for name, side in sides.items()):
            metadata |= sides
        else:
            named.append(field)
    if not metadata and not named:
        return None
    if named:
        metadata["fields"] = named
    role = None if caller is None else actor_role(caller.role)
    if role is not None:
        metadata["actor_role"] = role
    return service.record_of_user(tx, action, user_id, caller=caller, metadata=metadata, mode=mode)


def _told(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
