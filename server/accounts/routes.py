"""The HTTP face of the accounts: who am I, tokens, the first Owner."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from server.accounts import service, setup, users
from server.contract.access import (
    Me,
    NewToken,
    NewTokenAnswer,
    Setup,
    TokenRow,
)
from server.contract.base import Page
from server.kit.access import Principal
from server.kit.clock import instant_or_none
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
            user=users.get(tx, caller.user_id, caller) if caller.user_id else None,
            role=caller.role,
            permissions=list(caller.permissions()),
            token_name=caller.token_name,
            token_expires_at=instant_or_none(caller.expires_at),
        )

    return answer(services(request).store.read(unit))


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


def _without_secret(model: BaseModel) -> BaseModel:
    return model.model_copy(update={"token": None})
