"""Who may do what: one table, read by the routes when they act and by the records when they list their actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["owner", "admin", "support", "readonly", "storefront"]
Permission = Literal[
    "pulse.read",
    "orders.read",
    "orders.create",
    "orders.fulfil",
    "orders.submit",
    "mail.read",
    "mail.send",
    "jobs.read",
    "jobs.manage",
    "queues.manage",
    "catalog.read",
    "catalog.manage",
    "syncs.run",
    "carts.read",
    "checkout.read",
    "settings.read",
    "settings.manage",
    "activity.read",
    "activity.write",
    "activity.resolve",
    "tokens.own",
    "tokens.manage",
    "users.read",
    "users.manage",
    "audit.read",
    "me.read",
]

RANK: Final[dict[Role, int]] = {"owner": 4, "admin": 3, "support": 2, "readonly": 1, "storefront": 0}
"""Who stands above whom. A storefront token belongs to a program and ranks below every person."""

_STAFF: Final[frozenset[Role]] = frozenset({"owner", "admin", "support", "readonly"})
_HANDS: Final[frozenset[Role]] = frozenset({"owner", "admin", "support"})
_CHIEFS: Final[frozenset[Role]] = frozenset({"owner", "admin"})

PERMISSIONS: Final[dict[Permission, frozenset[Role]]] = {
    "pulse.read": _STAFF,
    "orders.read": _STAFF,
    "orders.create": _CHIEFS | {"storefront"},
    "orders.fulfil": _HANDS | {"storefront"},
    "orders.submit": _HANDS,
    "mail.read": _STAFF,
    "mail.send": _HANDS,
    "jobs.read": _STAFF,
    "jobs.manage": _HANDS,
    "queues.manage": _CHIEFS,
    "catalog.read": _STAFF | {"storefront"},
    "catalog.manage": _CHIEFS | {"storefront"},
    "syncs.run": _HANDS,
    "carts.read": _STAFF,
    "checkout.read": _STAFF | {"storefront"},
    "settings.read": _CHIEFS,
    "settings.manage": _CHIEFS,
    "activity.read": _STAFF,
    "activity.write": _CHIEFS | {"storefront"},
    "activity.resolve": _HANDS,
    "tokens.own": _STAFF,
    "tokens.manage": _CHIEFS,
    "users.read": _CHIEFS,
    "users.manage": _CHIEFS,
    "audit.read": _CHIEFS,
    "me.read": _STAFF | {"storefront"},
}
"""An unknown permission is denied; Owner has all."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: the token that came with the request, and the user it belongs to (none for a storefront)."""

    token_id: str
    token_name: str
    role: Role
    user_id: str | None = None
    expires_at: int | None = None

    def may(self, permission: Permission) -> bool:
        """Whether this caller's role has the permission."""
        return self.role in PERMISSIONS.get(permission, frozenset())

    def permissions(self) -> list[Permission]:
        """All that this caller may do, sorted by name."""
        return sorted(name for name, roles in PERMISSIONS.items() if self.role in roles)
