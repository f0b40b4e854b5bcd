"""The HTTP face of invitations: made and taken back by who manages users, accepted by who has the code."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Request, Response

from server.accounts import invitations, service, users
from server.contract.access import AcceptInvitation, Invitation, NewTokenAnswer, UserRow
from server.kit.access import Principal
from server.kit.clock import instant
from server.kit.limits import RateLimit
from server.kit.pages import peer
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.kit.web import answer, mutate, open_to_all, permit, refuses, router, services

routes = router("/v1", "access")
_Staff = Annotated[Principal, permit("users.manage")]
BURST: Final = 10
SECONDS: Final = 6.0
"""How often one address may try a code: ``BURST`` at once, then one each ``SECONDS``."""


@routes.post(
    "/users/{user_id}/invitation",
    response_model=Invitation,
    status_code=201,
    summary="Invite a member of staff",
    responses=refuses(
        insufficient_permissions=403,
        not_found=404,
        account_inactive=409,
        customer_account=409,
        deletion_scheduled=409,
    ),
)
async def invite(request: Request, user_id: str, caller: _Staff) -> Response:
    """A code for ``shopbell join``, shown once, good for a week and one use. It ends any code before it."""

    def unit(tx: Tx) -> Invitation:
        made = invitations.invite(tx, user_id, caller)
        return Invitation(
            user=users.get(tx, user_id, caller), expires_at=instant(made.expires_at), code=made.code
        )

    return await mutate(request, caller, unit, 201, remembered=_without_code)


@routes.delete(
    "/users/{user_id}/invitation",
    response_model=UserRow,
    summary="Take an invitation back",
    responses=refuses(insufficient_permissions=403, not_found=404),
)
async def revoke(request: Request, user_id: str, caller: _Staff) -> Response:
    """The code is good no more."""

    def unit(tx: Tx) -> UserRow:
        invitations.revoke(tx, user_id, caller)
        return users.get(tx, user_id, caller)

    return await mutate(request, caller, unit, remembered=users.without_person)


@routes.post(
    "/invitations/accept",
    response_model=NewTokenAnswer,
    status_code=201,
    summary="Come in with an invitation",
    responses=refuses(invitation_refused=403),
    dependencies=[open_to_all("needs the code of an invitation, which works once")],
)
async def accept(request: Request, body: AcceptInvitation) -> Response:
    """The first token of who was invited. Every code that is not good is answered alike."""
    limit: RateLimit = request.app.state.invitation_limit
    wait = limit.take(peer(request))
    if wait:
        raise ProblemError(429, "rate_limited", "Too many codes came from this address.", retry_after=wait)

    def unit(tx: Tx) -> NewTokenAnswer:
        row, text = invitations.accept(tx, body.code)
        return NewTokenAnswer(**service.shown(row).model_dump(), token=text)

    return answer(await services(request).store.write_async(unit), 201)


def _without_code(invited: Invitation) -> Invitation:
    return invited.model_copy(update={"code": None, "user": users.without_person(invited.user)})
