"""Who a caller is and who may come in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from server.contract.base import Answer, Instant, Request

StaffRole = Literal["owner", "admin", "support", "readonly"]
Role = Literal["owner", "admin", "support", "readonly", "storefront"]


class UserRow(Answer):
    """A person of the shop's staff."""

    id: str
    name: str | None = None
    email: str | None = None
    role: StaffRole
    active: bool
    created_at: Instant


class Me(Answer):
    """The caller: a user of the shop, or for a storefront token no user at all."""

    user: UserRow | None
    role: Role
    permissions: list[str]
    token_name: str
    token_expires_at: Instant | None = None


class TokenRow(Answer):
    """A token, never its secret."""

    id: str
    name: str
    role: Role
    user_id: str | None = None
    created_at: Instant
    expires_at: Instant | None = None
    last_used_at: Instant | None = None
    revoked_at: Instant | None = None


class NewTokenAnswer(TokenRow):
    """A token just made. Its secret is shown once: ``token`` is None when the same request is repeated."""

    token: str | None = None


class NewToken(Request):
    """A token to make; ``role`` may not stand above the caller's own."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    role: Role
    days: Annotated[int, Field(ge=1, le=366)] = 90


class NewUser(Request):
    """A member of staff to let in. The Owner's role cannot be granted."""

    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")]
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    role: StaffRole


class ChangeUser(Request):
    """What to change about a member of staff; what is left out stays."""

    role: StaffRole | None = None
    active: bool | None = None


class Setup(Request):
    """The first Owner of a server reached from afar, made with the one-time code of its console."""

    code: Annotated[str, Field(min_length=8, max_length=128)]
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")]
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None


class AuditActor(Answer):
    """Who acted. No user and no role: somebody with access to the machine itself. ``name`` while the user is known."""

    user_id: str | None = None
    name: str | None = None
    role: str | None = None
    token_id: str | None = None


class AuditRow(Answer):
    """One act in this program, as it was recorded together with the act. Outlives everybody it names."""

    id: str
    action: str
    actor: AuditActor
    resource_type: str | None = None
    resource_id: str | None = None
    target_user_id: str | None = None
    target_name: str | None = None
    metadata: dict[str, Any]
    at: Instant
