"""Deletions over HTTP: planned, asked for, looked at afterwards."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from server.contract.base import Page
from server.contract.deletion import Delete, Deletion, DeletionPlan
from server.deletion import service as deletions
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services

routes: Final[APIRouter] = router("/v1", "deletion")
_DELETES = Annotated[Principal, permit("people.delete")]


@routes.post(
    "/people/{person_id}/deletion/plan",
    response_model=DeletionPlan,
    summary="What a deletion would do, in exact counts",
    responses=refuses(not_found=404, already_erased=409),
)
async def plan_deletion(request: Request, person_id: str, caller: _DELETES) -> Response:
    """Nothing is changed. ``hash`` names the plan for a day; ``protections`` say what would refuse it."""
    return answer(await services(request).store.write_async(lambda tx: deletions.plan(tx, person_id, caller)))


@routes.post(
    "/people/{person_id}/deletion",
    response_model=Deletion,
    summary="Delete a person as planned",
    responses=refuses(
        invalid_current_user=403,
        cannot_delete_self=403,
        insufficient_permissions=403,
        not_found=404,
        plan_unknown=404,
        cannot_delete_last_owner=409,
        plan_changed=409,
        already_erased=409,
        deletion_scheduled=409,
        confirmation_mismatch=422,
        rate_limited=429,
        key_unusable=503,
    ),
)
async def delete_person(request: Request, person_id: str, told: Delete, caller: _DELETES) -> Response:
    """All of it or nothing. 202 where the erasure waits for the end of a grace period.

    Errors: 410 ``plan_unknown`` for a plan older than a day; 409 ``plan_changed`` holds ``drift``: what moved.
    """
    made: list[Deletion] = []

    def unit(tx: Tx) -> Deletion:
        made[:] = [deletions.delete(tx, person_id, told, caller)]
        return made[0]

    return await mutate(request, caller, unit, lambda: 202 if made[0].state == "scheduled" else 200)


@routes.get("/deletions", response_model=Page[Deletion], summary="Erasures, newest first")
def list_deletions(
    request: Request,
    caller: _DELETES,  # noqa: ARG001 - declares the permission
    paging: Annotated[PageQuery, Depends(page_query)],
    person: Annotated[str, Query(max_length=64, description="only those of this person")] = "",
) -> Response:
    """One page. They name nobody. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found = services(request)
    name = f"{deletions.QUERY}\0{person}" if person else deletions.QUERY
    page = found.store.read(lambda tx: deletions.listing(tx, paging.request(found.cursors, name), person))
    older, newer = found.cursors.around(page, name, deletions.place)
    return answer(Page[Deletion](items=list(page.rows), next=older, prev=newer))


@routes.get(
    "/deletions/{deletion_id}",
    response_model=Deletion,
    summary="An erasure, its receipt, and what the look for traces found",
    responses=refuses(not_found=404),
)
def read_deletion(
    request: Request,
    deletion_id: str,
    caller: _DELETES,  # noqa: ARG001 - declares the permission
) -> Response:
    """``state`` becomes ``clean`` or ``residue`` within a minute or so."""
    return answer(services(request).store.read(lambda tx: deletions.get(tx, deletion_id)))
