"""The HTTP face of accounts: who is there, letting staff in, roles, shutting and opening."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from server.accounts import users
from server.contract.access import AccountRole, ChangeUser, NewUser, SyncedRoles, SyncRoles, UserRow
from server.contract.base import Page
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services

routes = router("/v1/users", "access")
_Paging = Annotated[PageQuery, Depends(page_query)]


@routes.get("", response_model=Page[UserRow], summary="The shop's staff, or its customers' accounts")
def list_users(
    request: Request,
    caller: Annotated[Principal, permit("users.read")],
    query: _Paging,
    role: Annotated[AccountRole | None, Query(description="only these; all staff without it")] = None,
) -> Response:
    """Accounts, newest first. Those of customers (``user``) come only when they are asked for."""
    cursors = services(request).cursors
    name = f"users {role}" if role else "users"
    asked = query.request(cursors, name)

    def unit(tx: Tx) -> Page[UserRow]:
        cut = users.page(tx, asked, role)
        older, newer = cursors.around(cut, name, lambda row: (row.created_at, row.id))
        return Page[UserRow](items=users.shown(tx, cut.rows, caller), next=older, prev=newer)

    return answer(services(request).store.read(unit))


@routes.post(
    "",
    response_model=UserRow,
    status_code=201,
    summary="Let a member of staff in",
    responses=refuses(
        owner_role_protected=403,
        insufficient_permissions=403,
        email_taken=409,
        customer_account=409,
        role_not_found=422,
    ),
)
async def create_user(
    request: Request, body: NewUser, caller: Annotated[Principal, permit("users.manage")]
) -> Response:
    """A role below one's own; the Owner's cannot be granted. The new user has no token yet: invite them."""

    def unit(tx: Tx) -> UserRow:
        made = users.create_user(tx, email=body.email, name=body.name, role=body.role, caller=caller)
        return users.get(tx, made, caller)

    return await mutate(request, caller, unit, 201, remembered=users.without_person)


@routes.put(
    "/roles",
    response_model=SyncedRoles,
    summary="Give accounts the roles they shall have",
    responses=refuses(role_not_found=422),
)
async def sync_roles(
    request: Request, body: SyncRoles, caller: Annotated[Principal, permit("users.manage")]
) -> Response:
    """What the caller may not grant or take away is left as it is, and named in ``dropped`` with the reason."""
    return await mutate(request, caller, lambda tx: users.sync(tx, body.roles, caller))


@routes.patch(
    "/{user_id}",
    response_model=UserRow,
    summary="Change a role, deactivate, reactivate",
    responses=refuses(
        owner_role_protected=403,
        insufficient_permissions=403,
        cannot_deactivate_self=403,
        cannot_deactivate_last_owner=409,
        cannot_demote_last_owner=409,
        customer_account=409,
        deletion_scheduled=409,
        role_not_found=422,
    ),
)
async def change_user(
    request: Request, user_id: str, body: ChangeUser, caller: Annotated[Principal, permit("users.manage")]
) -> Response:
    """Deactivating ends all tokens, sessions and open invitations at once. The last active Owner stays."""

    def unit(tx: Tx) -> UserRow:
        users.change(tx, user_id, role=body.role, active=body.active, caller=caller)
        return users.get(tx, user_id, caller)

    return await mutate(request, caller, unit, remembered=users.without_person)
