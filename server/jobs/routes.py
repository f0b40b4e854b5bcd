"""The jobs over HTTP."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request, Response

from server.contract.base import Page
from server.contract.jobs import Ask, Job, JobCounts, JobRow, JobTab, Queues
from server.jobs import service as jobs
from server.kit import refs
from server.kit.access import Principal
from server.kit.clock import SECOND
from server.kit.paging import Slice
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services, together
from server.settings import service as settings

_Id = Annotated[str, Path(max_length=64, description="a job's id")]
_Queue = Annotated[str, Path(max_length=40, description="a queue's name")]
_Reader = Annotated[Principal, permit("jobs.read")]
_Manager = Annotated[Principal, permit("jobs.manage")]
_Chief = Annotated[Principal, permit("queues.manage")]
_NAME: Final = r"^[a-z][a-z0-9_.]*$"

_jobs: Final = router("/v1/jobs", "jobs")
_queues: Final = router("/v1/queues", "jobs")


@_jobs.get("", response_model=Page[JobRow], summary="Jobs, newest first")
def list_jobs(
    request: Request,
    caller: _Reader,
    paging: Annotated[PageQuery, Depends(page_query)],
    tab: Annotated[
        JobTab, Query(description="waiting: not tried yet; failed: failed, and will be tried again")
    ] = "all",
    queue: Annotated[str | None, Query(max_length=40, pattern=_NAME, description="only this queue")] = None,
    kind: Annotated[str | None, Query(max_length=100, pattern=_NAME, description="only this kind")] = None,
    order: Annotated[
        str | None, Query(max_length=64, description="only about this order: its id or number")
    ] = None,
) -> Response:
    """One page of a tab. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found = services(request)

    def unit(tx: Tx) -> tuple[Slice[JobRow], str]:
        order_id = None
        if order is not None:
            known = refs.find_order(tx, order)
            order_id = known.id if known else ""
        query = jobs.ListQuery(tab, queue, kind, order_id)
        return jobs.listing(tx, query, paging.request(found.cursors, query.name), caller), query.name

    page, name = found.store.read(unit)
    older, newer = found.cursors.around(page, name, jobs.place)
    return answer(Page[JobRow](items=list(page.rows), next=older, prev=newer))


@_jobs.get("/counts", response_model=JobCounts, summary="How many jobs stand under each tab")
def count_jobs(
    request: Request,
    caller: _Reader,  # noqa: ARG001 - declares the permission
) -> Response:
    """The numbers beside the tabs."""
    return answer(services(request).store.read(jobs.counts))


@_jobs.get("/{job_id}", response_model=Job, summary="A job with all its attempts")
def read_job(request: Request, job_id: _Id, caller: _Reader) -> Response:
    """A job whole. Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: jobs.whole(tx, job_id, caller)))


@_jobs.post(
    "/{job_id}/retry",
    response_model=JobRow,
    summary="Try again",
    responses=refuses(already_started=409, already_finished=409, already_waiting=409, never_tried=409),
)
async def retry_job(request: Request, job_id: _Id, caller: _Manager, body: Ask | None = None) -> Response:
    """Ask again for a job that gave up or was cancelled, or bring its next attempt forward.

    One whose effect leaves the shop waits for the shop's undo window first, in which it can be cancelled. Errors:
    404 ``not_found``; 409 with why not.
    """

    def unit(tx: Tx) -> JobRow:
        row = jobs.row(tx, job_id, caller)
        hold = 0
        if row.outside:
            asked = body.hold_seconds if body is not None else None
            hold = settings.get(tx, "actions.undo_seconds") if asked is None else asked
        jobs.retry(tx, job_id, caller, hold=hold * SECOND)
        return jobs.row(tx, job_id, caller)

    return await mutate(request, caller, unit)


@_jobs.post(
    "/{job_id}/cancel",
    response_model=JobRow,
    summary="Take back a job that waits",
    responses=refuses(already_started=409, already_finished=409),
)
async def cancel_job(request: Request, job_id: _Id, caller: _Manager) -> Response:
    """Once this is answered, nothing of what the job had still to do has left or will. Errors: 404 ``not_found``."""

    def unit(tx: Tx) -> JobRow:
        jobs.cancel(tx, job_id, caller)
        return jobs.row(tx, job_id, caller)

    return await mutate(request, caller, unit)


@_queues.get("", response_model=Queues, summary="Queues and schedules")
def read_queues(request: Request, caller: _Reader) -> Response:
    """What waits in each queue, which are paused, and which jobs come by themselves."""
    return answer(services(request).store.read(lambda tx: jobs.overview(tx, caller)))


@_queues.post(
    "/{name}/pause",
    response_model=Queues,
    summary="Let no more jobs of a queue begin",
    responses=refuses(already_paused=409),
)
async def pause_queue(request: Request, name: _Queue, caller: _Chief) -> Response:
    """Jobs that run go on. Errors: 404 ``not_found``."""

    def unit(tx: Tx) -> Queues:
        jobs.pause(tx, name, caller)
        return jobs.overview(tx, caller)

    return await mutate(request, caller, unit)


@_queues.post(
    "/{name}/resume",
    response_model=Queues,
    summary="Let a paused queue go on",
    responses=refuses(not_paused=409),
)
async def resume_queue(request: Request, name: _Queue, caller: _Chief) -> Response:
    """Errors: 404 ``not_found``."""

    def unit(tx: Tx) -> Queues:
        jobs.resume(tx, name, caller)
        return jobs.overview(tx, caller)

    return await mutate(request, caller, unit)


routes: Final = together(_jobs, _queues)
