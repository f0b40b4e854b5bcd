"""The HTTP face of the audit log. It stands here because entries are shown with the names of users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from sqlalchemy import Row

from server.accounts import users
from server.audit import reading, rendering
from server.audit.topics import SEES_ALL
from server.contract.audit import AuditActor, AuditChoices, AuditPage, AuditRow
from server.kit.access import Principal
from server.kit.clock import instant, parse_instant
from server.kit.paging import MAX_LIMIT
from server.kit.problems import invalid_request
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, page_query, permit, refuses, router, services

routes = router("/v1/audit", "access")
_Paging = Annotated[PageQuery, Depends(page_query)]
_Text = Annotated[str, Query(max_length=200)]
_MOST_PAGES = 10**9


async def _filters(
    module: Annotated[str, Query(max_length=200, description="the room whose acts")] = "",
    mode: Annotated[str, Query(max_length=200, description="`manual`, `auto`, `cron`, `script`")] = "",
    action: Annotated[
        str, Query(max_length=200, description="one action, or a beginning with `.*` after it (`billing.*`)")
    ] = "",
    actor: Annotated[str, Query(max_length=200, description="the id of the user who acted")] = "",
    resource_type: _Text = "",
    resource_id: _Text = "",
    target: Annotated[str, Query(max_length=200, description="the id of the user concerned")] = "",
    since: Annotated[str, Query(max_length=40, description="not before this moment (RFC 3339)")] = "",
    until: Annotated[str, Query(max_length=40, description="not after this moment (RFC 3339)")] = "",
    q: Annotated[
        str,
        Query(max_length=200, description="literal text in the action or in the id of what it was done to"),
    ] = "",
) -> reading.Filters:
    """Read the filters.

    Raises:
        ProblemError: 422 ``invalid_request`` for a moment that is none.
    """
    return reading.Filters(
        module=module,
        mode=mode,
        action=action,
        actor=actor,
        resource_type=resource_type,
        resource_id=resource_id,
        target=target,
        since=_moment("since", since),
        until=_moment("until", until),
        q=q.strip(),
    )


@routes.get(
    "",
    response_model=AuditPage,
    summary="Who did what in this program",
    responses=refuses(invalid_cursor=400),
)
def list_audit(
    request: Request,
    caller: Annotated[Principal, permit("audit.read")],
    query: _Paging,
    filters: Annotated[reading.Filters, Depends(_filters)],
    page: Annotated[
        str | None,
        Query(max_length=20, pattern=r"^-?[0-9]+$", description="by number, from 1; not with a cursor"),
    ] = None,
    per_page: Annotated[
        int | None, Query(ge=1, le=MAX_LIMIT, description="rows of a page, as `limit`")
    ] = None,
) -> Response:
    """Entries newest first, those that the caller may see: Owner and Admin all, others what they did themselves.

    They outlive everybody they name. With ``page`` the number answered is the nearest there is; cursors go on from
    any page.
    """
    cursors = services(request).cursors
    many = per_page or query.limit
    name = f"{filters.name}\0{caller.user_id if caller.role not in SEES_ALL else ''}"
    asked = PageQuery(many, query.cursor, query.edge).request(cursors, name)

    def unit(tx: Tx) -> AuditPage:
        if page is None:
            cut, total = reading.after(tx, filters, caller, asked)
            older, newer = cursors.around(cut, name, lambda row: (row.inserted_at, row.id))
            number = None
        else:
            found = reading.numbered(tx, filters, caller, page=min(int(page), _MOST_PAGES), per_page=many)
            cut, total, number = found.slice(), found.total, found.page
            older, newer = cursors.around(cut, name, lambda row: (row.inserted_at, row.id))
        return AuditPage(
            items=_shown(tx, cut.rows),
            next=older,
            prev=newer,
            total=total,
            page=number,
            per_page=many,
            total_pages=max(1, -(-total // many)),
        )

    return answer(services(request).store.read(unit))


@routes.get("/choices", response_model=AuditChoices, summary="What the audit log can be filtered by")
def audit_choices(request: Request, caller: Annotated[Principal, permit("audit.read")]) -> Response:
    """The modules, modes, actions and types of resources among the entries that the caller may see."""
    return answer(services(request).store.read(lambda tx: reading.choices(tx, caller)))


@routes.get("/{entry_id}", response_model=AuditRow, summary="One act", responses=refuses(not_found=404))
def audit_entry(
    request: Request, entry_id: str, caller: Annotated[Principal, permit("audit.read")]
) -> Response:
    """An entry that the caller may see; any other is not found."""
    return answer(services(request).store.read(lambda tx: _shown(tx, [reading.get(tx, entry_id, caller)])[0]))


def _shown(tx: Tx, rows: Sequence[Row[Any]]) -> list[AuditRow]:
    names = users.names(tx, [user_id for row in rows for user_id in (row.actor_user_id, row.target_user_id)])
    return [_one(row, names) for row in rows]


def _one(row: Row[Any], names: dict[str, str]) -> AuditRow:
    metadata = rendering.decoded(row.metadata)
    actor, target = names.get(row.actor_user_id), names.get(row.target_user_id)
    called = {"actor": actor, "target": target, "resource": row.resource_id}
    return AuditRow(
        id=row.id,
        action=row.action,
        module=row.module,
        mode=row.mode,
        actor=AuditActor(user_id=row.actor_user_id, name=actor, role=row.actor_role, token_id=row.token_id),
        resource_type=row.resource_type,
        resource_id=row.resource_id,
        target_user_id=row.target_user_id,
        target_name=target,
        metadata=metadata,
        summary=rendering.summary(row.action, metadata, called),
        changes=rendering.changes(metadata),
        at=instant(row.inserted_at),
    )


def _moment(name: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return parse_instant(text.replace(" ", "+"))
    except ValueError as error:
        raise invalid_request((name, str(error))) from None
