"""The HTTP face of the settings. A secret goes in and never comes out again."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Request, Response

from server.contract.settings import SettingRow, Settings, SetValue, TestResult
from server.kit.access import Principal
from server.kit.tx import Tx
from server.kit.web import answer, permit, refuses, router, services
from server.settings import listing, service, trying

routes: Final = router("/v1/settings", "settings")
_Manager = Annotated[Principal, permit("settings.manage")]


@routes.get("", response_model=Settings, summary="All settings, in groups")
def list_settings(request: Request, caller: Annotated[Principal, permit("settings.read")]) -> Response:
    """What holds and who says so: the default, what was stored, or the environment. Of a secret only a hint."""
    return answer(services(request).store.read(lambda tx: listing.listing(tx, caller)))


# Setting and unsetting do the same however often they are asked for, so no answer is kept for an Idempotency-Key: what
# is kept for one says something about the body, and this body may hold a password.


@routes.put(
    "/{name}",
    response_model=SettingRow,
    summary="Change a setting",
    responses=refuses(overridden_by_environment=409),
)
async def set_setting(request: Request, name: str, body: SetValue, caller: _Manager) -> Response:
    """It holds at once, in every process. The audit log notes the name and not the value."""
    listing.find(name)

    def unit(tx: Tx) -> SettingRow:
        service.set_value(tx, name, body.value, caller)
        return listing.one(tx, name, caller)

    return answer(await services(request).store.write_async(unit))


@routes.delete(
    "/{name}",
    response_model=SettingRow,
    summary="Unset a setting",
    responses=refuses(overridden_by_environment=409),
)
async def unset_setting(request: Request, name: str, caller: _Manager) -> Response:
    """What was stored is forgotten and the default holds; a secret is gone."""
    listing.find(name)

    def unit(tx: Tx) -> SettingRow:
        service.unset(tx, name, caller)
        return listing.one(tx, name, caller)

    return answer(await services(request).store.write_async(unit))


@routes.post(
    "/tests/{name}",
    response_model=TestResult,
    summary="Try a connection out",
    responses=refuses(already_running=409),
    dependencies=[permit("settings.manage")],
)
async def run_test(request: Request, name: str) -> Response:
    """With the settings as they are stored, within 20 seconds. What did not work is a sentence, and the answer 200."""
    return answer(await trying.try_out(services(request).store, name))
