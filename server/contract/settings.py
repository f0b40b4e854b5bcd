"""Settings as clients see them. A secret never travels back: only a hint of it does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.base import ActionState, Answer, Instant, Request

SettingKind = Literal["text", "long_text", "number", "switch", "choice", "address", "time", "secret"]


class SettingRow(Answer):
    """One setting.

    Args:
        value: as text; for a switch ``on`` or ``off``; for a secret None.
        hint: of a secret: ``····`` and its last letters.
        default: what holds when nobody set it, as text.
        source: who says what holds now. ``environment`` wins over what is stored, and says which variable.
        trouble: a sentence when the stored value is no use (the default holds; a secret is unset).
    """

    name: str
    label: str
    help: str
    kind: SettingKind
    choices: list[str] | None = None
    value: str | None = None
    hint: str | None = None
    default: str | None = None
    unit: str | None = None
    source: Literal["default", "stored", "environment"]
    variable: str | None = None
    trouble: str | None = None
    updated_at: Instant | None = None
    updated_by: str | None = None
    actions: list[ActionState]


class SettingGroup(Answer):
    """Settings that belong together, and what can be tried out with them (``mail``, ``printify``, …)."""

    name: str
    label: str
    settings: list[SettingRow]
    tests: list[ActionState]


class Settings(Answer):
    """All groups, in the order in which screens show them."""

    groups: list[SettingGroup]


class SetValue(Request):
    """A new value, as text."""

    value: Annotated[str, Field(max_length=8192)]


class TestResult(Answer):
    """What a try of a connection found. ``message`` says what to do next when it did not work."""

    ok: bool
    message: str
    took_ms: int
