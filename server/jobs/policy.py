"""What a caller may do about a job or a queue now: the same rules that refuse it when it is tried."""

from __future__ import annotations

from typing import Any, Final

from server.contract.base import ActionState
from server.jobs.registry import KINDS
from server.jobs.work import job_of
from server.kit.access import Permission, Principal
from server.kit.tx import Tx

SENTENCES: Final = {
    "already_started": "It runs already. What has begun cannot be taken back.",
    "already_finished": "It came to its end already.",
    "already_waiting": "The same waits or runs already.",
    "never_tried": "It was not tried yet; it comes by itself.",
    "outcome_unknown": "It may have left already, and must not leave twice.",
    "unknown_kind": "This version of the server does not know this kind of job.",
    "already_paused": "This queue is paused already.",
    "not_paused": "This queue is not paused.",
}
"""Why not, for people, by the code that programs get."""


def cancel_obstacle(tx: Tx, row: Any) -> str | None:  # noqa: ARG001 - as retry_obstacle
    """Why a job cannot be taken back now; None when it can."""
    if row.state == "waiting":
        return None
    return "already_started" if row.state == "running" else "already_finished"


def retry_obstacle(tx: Tx, row: Any) -> str | None:
    """Why a job cannot be asked for again now; None when it can: it failed, gave up or was cancelled."""
    if row.state == "running":
        return "already_started"
    if row.state == "done":
        return "already_finished"
    kind = KINDS.get(row.kind)
    if kind is None:
        return "unknown_kind"
    if row.state == "waiting" and row.attempt == 0:
        return "never_tried"
    return kind.no_retry(tx, job_of(row)) if kind.no_retry else None


def job_actions(tx: Tx, row: Any, caller: Principal) -> list[ActionState]:
    """``retry`` and ``cancel``, with the reason for what is not allowed."""
    return [
        _state("retry", caller, "jobs.manage", retry_obstacle(tx, row)),
        _state("cancel", caller, "jobs.manage", cancel_obstacle(tx, row)),
    ]


def queue_actions(caller: Principal, *, paused: bool) -> list[ActionState]:
    """``pause`` and ``resume``, with the reason for what is not allowed."""
    return [
        _state("pause", caller, "queues.manage", "already_paused" if paused else None),
        _state("resume", caller, "queues.manage", None if paused else "not_paused"),
    ]


def _state(name: str, caller: Principal, permission: Permission, obstacle: str | None) -> ActionState:
    reason = obstacle if caller.may(permission) else "insufficient_permissions"
    return ActionState(name=name, allowed=reason is None, reason=reason)
