"""The shapes that every other model is made of: instants, money, pages, refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

T = TypeVar("T")


def _rfc3339(value: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with milliseconds and ``Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainSerializer(_rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment, always with a zone; on the wire RFC 3339 UTC with ``Z``."""


class Answer(BaseModel):
    """What the server says. Unknown fields are ignored, so an older client reads a newer server."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Request(BaseModel):
    """What a caller says. Unknown fields are refused, so a misspelt one is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Money(BaseModel):
    """An amount in minor units (pence, cents; yen has none) of an ISO 4217 currency. Never a float."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    amount: int = Field(ge=-(10**15), le=10**15, description="minor units")
    currency: str = Field(pattern=r"^[A-Z]{3}$")


class Page(Answer, Generic[T]):
    """One page of a list. ``next`` leads to older rows, ``prev`` to newer ones; ``None`` is the end."""

    items: list[T]
    next: str | None = None
    prev: str | None = None


class ActionState(Answer):
    """An action that the caller may, or may not, take on the record that carries it, decided by the server.

    ``reason`` is a stable code (``insufficient_permissions``, ``already_resolved``, …) when not allowed.
    """

    name: str
    allowed: bool
    reason: str | None = None


class FieldProblem(Answer):
    """One field of a refused request: where it stands and what is wrong with it."""

    field: str
    message: str


class Problem(Answer):
    """RFC 9457 problem+json. ``code`` is stable and meant for programs, ``detail`` for people."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str | None = None
    reason: str | None = None
    fields: list[FieldProblem] | None = None
