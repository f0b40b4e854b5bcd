"""The calls about the shop's settings. Imported when their section is first gone to."""

from __future__ import annotations

from server.contract.settings import SettingRow, Settings, SetValue, TestResult
from tui.api.client import Client
from tui.api.errors import Refused

__all__ = ["refusal", "set_value", "settings", "try_out", "unset"]


async def settings(client: Client) -> Settings:
    """All settings in their groups. Raises ApiError."""
    return await client.ask("/v1/settings", Settings.model_validate)


async def set_value(client: Client, name: str, value: str) -> SettingRow:
    """Change a setting; the value may be a secret, and is in no answer and no error. Raises ApiError."""
    body = SetValue(value=value).model_dump_json().encode()
    return await client.change(f"/v1/settings/{name}", SettingRow.model_validate, body, "PUT")


async def unset(client: Client, name: str) -> SettingRow:
    """Forget what was stored. Raises ApiError."""
    return await client.change(f"/v1/settings/{name}", SettingRow.model_validate, None, "DELETE")


async def try_out(client: Client, test: str) -> TestResult:
    """Try a connection out with the settings as they are stored. Raises ApiError."""
    return await client.change(f"/v1/settings/tests/{test}", TestResult.model_validate)


def refusal(error: Refused, label: str) -> str:
    """Why a value was refused, about the setting's label: ``SMTP port must be a port, 1 to 65,535.``"""
    fields = error.problem.fields or []
    return f"{label} {fields[0].message}." if fields else error.sentence


def build() -> None:
    """Build the models' validators now instead of with the first answer."""
    for model in (Settings, SettingRow, TestResult):
        model.model_rebuild()
