"""The HTTP face of the accounts: who am I, staff, tokens, the first Owner, and the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy import Row

from server.accounts import service, setup, users
from server.audit import service as audit
from server.contract.access import (
    ChangeUser,
    Me,
    NewToken,
    NewTokenAnswer,
    NewUser,
    Setup,
    TokenRow,
    UserRow,
)
from server.contract.audit import AuditActor, AuditRow
from server.contract.base import Page
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.kit.web import (
    PageQuery,
    answer,
    mutate,
    open_to_all,
    page_query,
    permit,
    refuses,
    router,
    services,
)

routes = router("/v1", "access")
_Paging = Annotated[PageQuery, Depends(page_query)]
_REFUSED_CODES = {
    "wrong": "This is not the setup code.",
    "expired": "The setup code has expired. Start the server again for a new one.",
    "used_up": "The setup code was tried too often. Start the server again for a new one.",
    "no_code": "There is no setup code. Start the server again for one.",
}


@routes.get("/me", response_model=Me, summary="Who the token is")
def me(request: Request, caller: Annotated[Principal, permit("me.read")]) -> Response:
    """The caller's user, role and permissions, and when the token expires."""

    def unit(tx: Tx) -> Me:
        return Me(
            user=users.get(tx, caller.user_id) if caller.user_id else None,
            role=caller.role,
            permissions=list(caller.permissions()),
            token_name=caller.token_name,
            token_expires_at=instant_or_none(caller.expires_at),
        )

    return answer(services(request).store.read(unit))


@routes.get(
    "/users",
    response_model=Page[UserRow],
    summary="The shop's staff",
    dependencies=[permit("users.read")],
)
def list_users(request: Request, query: _Paging) -> Response:
    """Members of staff, newest first."""
    cursors = services(request).cursors
    asked = query.request(cursors, "users")

    def unit(tx: Tx) -> Page[UserRow]:
        cut = users.page(tx, asked)
        older, newer = cursors.around(cut, "users", lambda row: (row.created_at, row.id))
        return Page[UserRow](items=users.shown(tx, cut.rows), next=older, prev=newer)

    return answer(services(request).store.read(unit))


@routes.post(
    "/users",
    response_model=UserRow,
    status_code=201,
    summary="Let a member of staff in",
    responses=refuses(owner_role_protected=403, insufficient_permissions=403, email_taken=409),
)
async def create_user(
    request: Request, body: NewUser, caller: Annotated[Principal, permit("users.manage")]
) -> Response:
    """A role below one's own; the Owner's cannot be granted. The new user has no token yet."""

    def unit(tx: Tx) -> UserRow:
        made = users.create_user(tx, email=body.email, name=body.name, role=body.role, caller=caller)
        return users.get(tx, made)

    return await mutate(request, caller, unit, 201)


@routes.patch(
    "/users/{user_id}",
    response_model=UserRow,
    summary="Change a role, deactivate, reactivate",
    responses=refuses(
        owner_role_protected=403,
        insufficient_permissions=403,
        cannot_deactivate_self=403,
        cannot_deactivate_last_owner=409,
        cannot_demote_last_owner=409,
    ),
)
async def change_user(
    request: Request, user_id: str, body: ChangeUser, caller: Annotated[Principal, permit("users.manage")]
) -> Response:
    """Deactivating revokes all the user's tokens at once. The last active Owner stays."""

    def unit(tx: Tx) -> UserRow:
        users.change(tx, user_id, role=body.role, active=body.active, caller=caller)
        return users.get(tx, user_id)

    return await mutate(request, caller, unit)


@routes.get("/tokens", response_model=Page[TokenRow], summary="Tokens, never their secrets")
def list_tokens(
    request: Request, caller: Annotated[Principal, permit("tokens.own")], query: _Paging
) -> Response:
    """One's own, newest first; with ``tokens.manage`` everybody's."""
    cursors = services(request).cursors
    name = "tokens" if caller.may("tokens.manage") else f"tokens of {caller.user_id}"
    asked = query.request(cursors, name)
    cut = services(request).store.read(lambda tx: service.page_of_tokens(tx, asked, caller=caller))
    older, newer = cursors.around(cut, name, lambda row: (row.created_at, row.id))
    return answer(Page[TokenRow](items=[service.shown(row) for row in cut.rows], next=older, prev=newer))


@routes.post(
    "/tokens",
    response_model=NewTokenAnswer,
    status_code=201,
    summary="Make a token",
    responses=refuses(insufficient_permissions=403),
)
async def create_token(
    request: Request, body: NewToken, caller: Annotated[Principal, permit("tokens.own")]
) -> Response:
    """For oneself, or for a program of the shop (``storefront``); never one that may do more than one's own."""

    def unit(tx: Tx) -> NewTokenAnswer:
        row, text = service.request_token(tx, role=body.role, name=body.name, days=body.days, caller=caller)
        return NewTokenAnswer(**service.shown(row).model_dump(), token=text)

    return await mutate(request, caller, unit, 201, remembered=_without_secret)


@routes.delete(
    "/tokens/{token_id}",
    response_model=TokenRow,
    summary="Revoke a token",
    responses=refuses(insufficient_permissions=403),
)
async def revoke_token(
    request: Request, token_id: str, caller: Annotated[Principal, permit("tokens.own")]
) -> Response:
    """It opens nothing from the next request on. One's own always, another's with ``tokens.manage``."""
    return await mutate(
        request, caller, lambda tx: service.shown(service.revoke(tx, token_id, caller=caller))
    )


@routes.post(
    "/setup",
    response_model=NewTokenAnswer,
    status_code=201,
    summary="Make the first Owner",
    responses=refuses(setup_refused=403, conflict=409),
    dependencies=[open_to_all("needs the one-time code of the server's console, until an Owner exists")],
)
async def first_owner(request: Request, body: Setup) -> Response:
    """With the one-time code that the server wrote on its console and into its data directory."""

    def unit(tx: Tx) -> NewTokenAnswer | setup.Refused:
        made = setup.use_code(tx, body.code, email=body.email, name=body.name)
        if isinstance(made, str):
            return made
        row, text = made
        return NewTokenAnswer(**service.shown(row).model_dump(), token=text)

    made = await services(request).store.write_async(unit)
    if isinstance(made, str):
        raise ProblemError(403, "setup_refused", _REFUSED_CODES[made], reason=made)
    return answer(made, 201)


@routes.get(
    "/audit",
    response_model=Page[AuditRow],
    summary="Who did what in this program",
    dependencies=[permit("audit.read")],
)
def list_audit(request: Request, query: _Paging) -> Response:
    """Entries newest first. They outlive everybody they name."""
    cursors = services(request).cursors
    asked = query.request(cursors, "audit")

    def unit(tx: Tx) -> Page[AuditRow]:
        cut = audit.page(tx, asked)
        older, newer = cursors.around(cut, "audit", lambda row: (row.inserted_at, row.id))
        return Page[AuditRow](items=_audit_rows(tx, cut.rows), next=older, prev=newer)

    return answer(services(request).store.read(unit))


def _audit_rows(tx: Tx, rows: Sequence[Row[Any]]) -> list[AuditRow]:
    names = users.names(tx, [user_id for row in rows for user_id in (row.actor_user_id, row.target_user_id)])
    return [
        AuditRow(
            id=row.id,
            action=row.action,
            actor=AuditActor(
                user_id=row.actor_user_id,
                name=names.get(row.actor_user_id),
                role=row.actor_role,
                token_id=row.token_id,
            ),
            resource_type=row.resource_type,
            resource_id=row.resource_id,
            target_user_id=row.target_user_id,
            target_name=names.get(row.target_user_id),
            metadata=row.metadata,
            module=row.module,
            mode=row.mode,
            summary=row.action,
            changes=[],
            at=instant(row.inserted_at),
        )
        for row in rows
    ]


def _without_secret(model: BaseModel) -> BaseModel:
    return model.model_copy(update={"token": None})
