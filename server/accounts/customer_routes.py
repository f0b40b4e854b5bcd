"""The HTTP face of customers' accounts, for the shop's front."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel

from server.accounts import customers, service, users
from server.contract.access import (
    NewAccount,
    NewOauthLink,
    NewSession,
    NewTokenAnswer,
    OauthLink,
    UserRow,
)
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import mutate, permit, refuses, router

routes = router("/v1/customers", "access")
_Manage = Annotated[Principal, permit("customers.manage")]


@routes.post(
    "",
    response_model=UserRow,
    status_code=201,
    summary="Sign a customer up",
    responses=refuses(email_already_registered=409, deletion_scheduled=409),
)
async def register(request: Request, body: NewAccount, caller: _Manage) -> Response:
    """Who bought as a guest with the same e-mail is that very person. The account has no session yet."""

    def unit(tx: Tx) -> UserRow:
        made = customers.register(tx, email=body.email, name=body.name, phone=body.phone, caller=caller)
        return users.get(tx, made, caller)

    return await mutate(request, caller, unit, 201, remembered=users.without_person)


@routes.post(
    "/{user_id}/sessions",
    response_model=NewTokenAnswer,
    status_code=201,
    summary="Let a customer in",
    responses=refuses(not_found=404, account_inactive=409),
)
async def open_session(request: Request, user_id: str, body: NewSession, caller: _Manage) -> Response:
    """A token of the role ``user``, for whom the shop's front let in: it reaches this customer's own things alone."""

    def unit(tx: Tx) -> NewTokenAnswer:
        row, text = customers.open_session(tx, user_id, days=body.days, caller=caller)
        return NewTokenAnswer(**service.shown(row).model_dump(), token=text)

    return await mutate(request, caller, unit, 201, remembered=_without_token)


@routes.delete(
    "/{user_id}/sessions",
    response_model=UserRow,
    summary="End all of a customer's sessions",
    responses=refuses(not_found=404),
)
async def end_sessions(request: Request, user_id: str, caller: _Manage) -> Response:
    """They open nothing from the next request on."""

    def unit(tx: Tx) -> UserRow:
        customers.end_sessions(tx, user_id, caller)
        return users.get(tx, user_id, caller)

    return await mutate(request, caller, unit, remembered=users.without_person)


@routes.post(
    "/{user_id}/oauth-links",
    response_model=OauthLink,
    status_code=201,
    summary="Link a customer with an account elsewhere",
    responses=refuses(not_found=404, oauth_already_linked=409, account_inactive=409),
)
async def link(request: Request, user_id: str, body: NewOauthLink, caller: _Manage) -> Response:
    """The same link again answers 200 with the one that is there."""
    new = [True]

    def unit(tx: Tx) -> OauthLink:
        made, new[0] = customers.link(
            tx, user_id, provider=body.provider, subject=body.subject, caller=caller
        )
        return made

    return await mutate(request, caller, unit, lambda: 201 if new[0] else 200)


@routes.delete(
    "/{user_id}/oauth-links/{link_id}",
    response_model=OauthLink,
    summary="Take a customer's link away",
    responses=refuses(not_found=404),
)
async def unlink(request: Request, user_id: str, link_id: str, caller: _Manage) -> Response:
    """The account elsewhere lets this customer in no more."""
    return await mutate(request, caller, lambda tx: customers.unlink(tx, user_id, link_id, caller))


def _without_token(model: BaseModel) -> BaseModel:
    return model.model_copy(update={"token": None})
