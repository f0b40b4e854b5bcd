"""Routes whose acts the audit log's wrapper writes down: once each, after they are done, never a refused one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from server.audit import wrapper
from server.kit import web
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import services

Made = TypeVar("Made", bound=BaseModel | bytes)


@dataclass(frozen=True, slots=True)
class Act:
    """What was done to which thing, for the audit log. ``target_user_id`` is the user concerned, never another id."""

    action: str
    resource_type: str
    resource_id: str | None = None
    target_user_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


async def mutate(
    request: Request,
    caller: Principal,
    unit: Callable[[Tx], Made],
    act: Callable[[Tx, Made], Act | None],
    status: int | Callable[[], int] = 200,
    *,
    remembered: Callable[[Made], BaseModel | bytes] = lambda made: made,
) -> Response:
    """`web.mutate`, and then an entry of what was done. A repeat that only gets the first answer writes none.

    Args:
        request: the request.
        caller: whose act it is.
        unit: what to do.
        act: what the entry says, asked in the same transaction; None when nothing was changed.
        status: of the answer.
        remembered: what is stored for a repeat.

    Raises:
        ProblemError: as `web.mutate`; then there is no entry.
    """
    acts: list[Act] = []

    def acting(tx: Tx) -> Made:
        made = unit(tx)
        done = act(tx, made)
        if done is not None:
            tx.after_commit(lambda: acts.append(done))  # a unit that is run again is written down once
        return made

    answered = await web.mutate(request, caller, acting, status, remembered=remembered)
    for done in acts:
        await run_in_threadpool(
            wrapper.log,
            services(request).store,
            done.action,
            caller=caller,
            resource_type=done.resource_type,
            resource_id=done.resource_id,
            target_user_id=done.target_user_id,
            module=done.action.partition(".")[0],
            metadata=done.metadata,
        )
    return answered
