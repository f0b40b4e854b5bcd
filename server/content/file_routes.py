"""Files over HTTP. A customer's token sees and touches the customer's own alone."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Response

from server.content import service as content
from server.content.files import QUERY
from server.content.routes import Removed
from server.contract.base import Page
from server.contract.content import FileRow, NewFile
from server.kit.access import Principal
from server.kit.clock import milliseconds
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services

routes: Final = router("/v1", "content")
_Reader = Annotated[Principal, permit("content.read")]
_Writer = Annotated[Principal, permit("content.write")]
_Customer = Annotated[Principal, permit("content.own")]
_FULL: Final = refuses(storage_full=409, attachments_disabled=409, payload_too_large=413)

_BYTES: Final[dict[str, Any]] = {
    "description": "the file",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@routes.get("/files", response_model=Page[FileRow], summary="Files, newest first")
def list_files(
    request: Request,
    caller: _Reader,
    paging: Annotated[PageQuery, Depends(page_query)],
    ticket: Annotated[str | None, Query(max_length=64, description="a ticket's id")] = None,
) -> Response:
    """One page; for a customer, of their own. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    found, query = services(request), f"{QUERY}\0{ticket}"
    page = found.store.read(
        lambda tx: content.files(tx, paging.request(found.cursors, query), caller, ticket_id=ticket)
    )
    older, newer = found.cursors.around(page, query, lambda row: (milliseconds(row.created_at), row.id))
    return answer(Page[FileRow](items=list(page.rows), next=older, prev=newer))


@routes.post("/files", response_model=FileRow, status_code=201, summary="Keep a file", responses=_FULL)
async def add_file(request: Request, new: NewFile, caller: _Writer) -> Response:
    """Whose it is is named by e-mail; staff who name nobody are it themselves.

    Errors: 409 ``storage_full``, ``attachments_disabled``; 413 ``payload_too_large`` over 128 KiB; 422
    ``invalid_request``.
    """
    return await _add(request, new, caller)


@routes.post("/my/files", response_model=FileRow, status_code=201, summary="Hand in a file", responses=_FULL)
async def add_my_file(request: Request, new: NewFile, caller: _Customer) -> Response:
    """Four megabytes in all.

    Errors: 409 ``storage_full``, ``attachments_disabled``; 413 ``payload_too_large``; 422 ``invalid_request``.
    """
    return await _add(request, new, caller)


@routes.get("/files/{file}", response_model=FileRow, summary="What is known of a file")
def read_file(request: Request, file: str, caller: _Reader) -> Response:
    """Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: content.file(tx, file, caller)))


@routes.get(
    "/files/{file}/content", response_class=Response, summary="What a file holds", responses={200: _BYTES}
)
def read_content(request: Request, file: str, caller: _Reader) -> Response:
    """As it came, to be saved and not to be shown. Errors: 404 ``not_found``, also once its owner was erased."""
    found = services(request).store.read(lambda tx: content.content_of(tx, file, caller))
    response = Response(found.content, headers=found.headers)
    response.headers["content-type"] = found.media_type  # as it is: no character set is known
    return response


@routes.delete("/files/{file}", response_model=Removed, summary="Take a file away")
async def remove_file(request: Request, file: str, caller: _Writer) -> Response:
    """Errors: 404 ``not_found``."""
    return await _remove(request, file, caller)


@routes.delete("/my/files/{file}", response_model=Removed, summary="Take a file of one's own away")
async def remove_my_file(request: Request, file: str, caller: _Customer) -> Response:
    """Errors: 404 ``not_found``, also for somebody else's."""
    return await _remove(request, file, caller)


async def _add(request: Request, new: NewFile, caller: Principal) -> Response:
    return await mutate(
        request,
        caller,
        lambda tx: content.add_file(tx, new, caller),
        201,
        remembered=lambda made: made.model_copy(update={"name": None, "sha256": None, "owner": None}),
    )


async def _remove(request: Request, file: str, caller: Principal) -> Response:
    def unit(tx: Tx) -> Removed:
        content.remove_file(tx, file, caller)
        return Removed()

    return await mutate(request, caller, unit)
