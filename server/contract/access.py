"""Who a caller is and who may come in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.base import ActionState, Answer, Instant, Request

StaffRole = Literal["owner", "admin", "support", "readonly"]
AccountRole = Literal["owner", "admin", "support", "readonly", "user"]
Role = Literal["owner", "admin", "support", "readonly", "user", "storefront"]


class UserRow(Answer):
    """Somebody with an account: staff, or (role ``user``) a customer who signed up.

    ``invited`` is true until the first token was fetched with an invitation. ``actions`` are what the caller may do
    to this account now: ``set_role``, ``deactivate``, ``reactivate``, ``invite``, ``delete``, with the reason when not.
    """

    id: str
    person_id: str | None = None
    name: str | None = None
    email: str | None = None
    role: AccountRole
    active: bool
    invited: bool = False
    created_at: Instant
    last_seen_at: Instant | None = None
    actions: list[ActionState] = Field(default_factory=list)


RoleName = Annotated[
    str,
    Field(
        pattern=r"^[a-z_]{1,40}$",
        json_schema_extra={"enum": ["owner", "admin", "support", "readonly", "user"]},
    ),
]
"""The name of a role; one that no role has is refused with ``role_not_found``."""
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")]


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
    role: RoleName


class ChangeUser(Request):
    """What to change about a member of staff; what is left out stays."""

    role: RoleName | None = None
    active: bool | None = None


class Invitation(Answer):
    """A way in for a new member of staff. ``code`` is shown once: None when the same request is repeated."""

    user: UserRow
    expires_at: Instant
    code: str | None = None


class AcceptInvitation(Request):
    """Fetch the first token with an invitation's code."""

    code: Annotated[str, Field(min_length=8, max_length=128)]


class NewAccount(Request):
    """A customer who signs up at the shop's front."""

    email: Email
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    phone: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class NewSession(Request):
    """A customer who signed in at the shop's front: a token that reaches this customer's own things alone."""

    days: Annotated[int, Field(ge=1, le=30)] = 7


class OauthLink(Answer):
    """An account elsewhere through which a user may come in. What it is called there is not shown."""

    id: str
    provider: str
    created_at: Instant


class NewOauthLink(Request):
    """An account elsewhere to link."""

    provider: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    subject: Annotated[str, Field(min_length=1, max_length=255)]


class SyncRoles(Request):
    """The roles that accounts shall have. What the caller may not grant or take away is left out, and told."""

    roles: Annotated[dict[str, RoleName], Field(max_length=200)]


class SyncedRoles(Answer):
    """What became of a role sync: the ids of the accounts changed, and of those left as they were, with the reason."""

    changed: list[str]
    dropped: dict[str, str]


class Setup(Request):
    """The first Owner of a server reached from afar, made with the one-time code of its console."""

    code: Annotated[str, Field(min_length=8, max_length=128)]
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")]
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
