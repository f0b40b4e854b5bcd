"""What goes with a deletion: all that is held about a person, taken along before; and calling an erasure off."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from server.audit import service as audit
from server.contract.deletion import Deletion, Export
from server.deletion import export, grace, planning
from server.deletion import service as deletions
from server.directory import policy
from server.directory.reading import account_of
from server.kit.access import Principal
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.kit.web import JSON_TYPE, mutate, permit, refuses, router, services
from server.people.erasure import Subject
from server.people.reading import row_of

routes: Final[APIRouter] = router("/v1", "deletion")


@routes.get(
    "/people/{person}/export",
    response_model=Export,
    summary="All that the shop holds about a person",
    responses=refuses(not_found=404, already_erased=409, insufficient_permissions=403),
)
async def export_person(
    request: Request, person: str, caller: Annotated[Principal, permit("people.export")]
) -> Response:
    """By table, as the erasure's rules find it; made when it is asked for and stored nowhere. That it was is recorded.

    The answer is streamed: of a person with many orders it is long. Secrets are left out; contents of files are
    base64. Errors: 404 ``not_found``; 409 ``already_erased``; 403 ``insufficient_permissions``.
    """
    store = services(request).store
    about, rows = await run_in_threadpool(store.read, lambda tx: _subject(tx, person, caller))

    def note(tx: Tx) -> None:
        audit.record(
            tx,
            "person.exported",
            caller=caller,
            resource_type="person",
            resource_id=person,
            target_user_id=about.user_id,
            metadata={"rows": rows},
        )

    await store.write_async(note)
    return StreamingResponse(export.stream(store, about), media_type=JSON_TYPE)


@routes.post(
    "/deletions/{deletion}/restore",
    response_model=Deletion,
    summary="Call a scheduled erasure off",
    responses=refuses(not_found=404, not_scheduled=409, insufficient_permissions=403),
)
async def restore_person(
    request: Request, deletion: str, caller: Annotated[Principal, permit("people.delete")]
) -> Response:
    """The person is visible again and the account open; tokens and sessions that were ended stay so.

    Errors: 404 ``not_found``; 409 ``not_scheduled``; 403 ``insufficient_permissions``.
    """

    def unit(tx: Tx) -> Deletion:
        grace.restore(tx, deletion, caller)
        return deletions.get(tx, deletion)

    return await mutate(request, caller, unit)


def _subject(tx: Tx, person_id: str, caller: Principal) -> tuple[Subject, int]:
    row = row_of(tx, person_id)
    if row is None:
        raise not_found("person")
    policy.may_export(row, account_of(tx, person_id), caller)
    about = planning.subject(tx, person_id)
    return about, export.count(tx, about)
