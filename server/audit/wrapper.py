"""Audit entries of the shop's business (``billing.*``, ``shop.*``): written after an act, and never in its way.

Only routes write these, once their mutation is committed. Whatever goes wrong here is swallowed, told to the server's
log and counted: the act stands. Acts of privilege are recorded the other way, in their own transaction
(``audit.service.record``).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from server.audit import service
from server.audit.models import audit
from server.audit.service import Mode
from server.kit import refs
from server.kit.access import Principal
from server.kit.db import Store
from server.kit.failures import explain
from server.kit.tx import Tx

_log = logging.getLogger("shopbell.audit")
_NO_TABLE: Final = f"no such table: {audit.name}"
_UNDEFINED_TABLE: Final = "42P01"


@dataclass(frozen=True, slots=True)
class Ok:
    """The entry is written."""

    entry_id: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """There is no audit log here."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The entry could not be written; ``reason`` is a stable name (``locked``, ``full``) or the kind of mistake."""

    reason: str


Outcome = Ok | Unavailable | Failed


class _Count:
    """How many entries of each store were lost since the process started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost: weakref.WeakKeyDictionary[Store, int] = weakref.WeakKeyDictionary()

    def add(self, store: Store) -> None:
        with self._lock:
            self._lost[store] = self._lost.get(store, 0) + 1

    def of(self, store: Store) -> int:
        with self._lock:
            return self._lost.get(store, 0)


_count: Final = _Count()


def lost(store: Store) -> int:
    """How many entries this process could not write."""
    return _count.of(store)


def actor_id(caller: Principal | None) -> str | None:
    """The user who acts; None for somebody anonymous and for a program of the shop."""
    return None if caller is None else caller.user_id


def actor_role(roles: object) -> str | None:
    """The role to write down: the first of several; None for what is no text."""
    if isinstance(roles, Sequence) and not isinstance(roles, str):
        roles = roles[0] if roles else None
    return roles if isinstance(roles, str) else None


def log(
    store: Store | None,
    action: str,
    *,
    caller: Principal | None,
    resource_type: str | None = None,
    resource_id: str | None = None,
    target_user_id: str | None = None,
    module: str = "billing",
    mode: Mode = "manual",
    metadata: Mapping[str, Any] | None = None,
) -> Outcome:
    """Write an entry about an act that is committed, in a transaction of its own. Blocks until it is on disk.

    Args:
        store: where the log is; None where there is none.
        action: ``billing.invoice_voided``, …
        caller: who acted; None for somebody anonymous.
        resource_type: what kind of thing it was done to.
        resource_id: which of them.
        target_user_id: the user concerned: nothing else has its place here, other ids are facts.
        module: the room whose act it was.
        mode: how it came about.
        metadata: facts as the action allows them; they go before the caller's role, which is added otherwise.

    Returns:
        What came of it. Never raises, whatever happens to the store; only a cancelled task and Ctrl-C go through.
    """
    if store is None:
        return Unavailable()
    try:
        role = actor_role(caller.role) if caller is not None else None
        held = ({} if role is None else {"actor_role": role}) | dict(metadata or {})

        def unit(tx: Tx) -> str:
            _be_user(tx, target_user_id)
            return service.record(
                tx,
                action,
                caller=caller,
                resource_type=resource_type,
                resource_id=resource_id,
                target_user_id=target_user_id,
                metadata=held,
                module=module,
                mode=mode,
            )

        return Ok(store.write(unit))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise
    except BaseException as error:  # noqa: BLE001 - the act is done: nothing that happens here may undo its answer
        if _no_log(error):
            return Unavailable()
        return _failed(store, action, error)


def _be_user(tx: Tx, user_id: str | None) -> None:
    table = refs.staff()
    if user_id is None or table is None:
        return
    if tx.execute(select(table.c.id).where(table.c.id == user_id)).first() is None:
        raise ValueError("the target is no user")


def _no_log(error: BaseException) -> bool:
    """Whether the store has no table of audit entries."""
    if not isinstance(error, DBAPIError):
        return False
    return _NO_TABLE in str(error.orig) or getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE


def _failed(store: Store, action: str, error: BaseException) -> Failed:
    failure = explain(error)
    reason = failure.kind if failure is not None else type(error).__name__
    _count.add(store)
    _log.error("audit entry not written", extra={"fields": {"action": str(action)[:100], "because": reason}})
    return Failed(reason)
