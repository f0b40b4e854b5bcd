"""Who may do what: one table, read by the routes when they act and by the records when they list their actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["owner", "admin", "support", "readonly", "user", "storefront"]
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
    "people.read",
    "people.edit",
    "people.export",
    "people.delete",
    "customers.manage",
    "tickets.read",
    "tickets.create",
    "tickets.write",
    "tickets.delete",
    "tickets.own",
    "content.read",
    "content.write",
    "content.own",
    "carts.manage",
    "billing.read",
    "billing.manage_orders",
    "billing.manage_invoices",
    "billing.manage_profiles",
    "events.follow",
    "me.read",
]

RANK: Final[dict[Role, int]] = {
    "owner": 4,
    "admin": 3,
    "support": 2,
    "readonly": 1,
    "user": 0,
    "storefront": 0,
}
"""Who stands above whom. A user is a customer with an account; a storefront token belongs to a program."""

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
    "users.read": _STAFF,
    "users.manage": _CHIEFS,
    "audit.read": _STAFF,
    "people.read": _STAFF,
    "people.edit": _HANDS,
    "people.export": _CHIEFS,
    "people.delete": _CHIEFS,
    "customers.manage": _CHIEFS | {"storefront"},
    "tickets.read": _STAFF,
    "tickets.create": _HANDS | {"storefront"},
    "tickets.write": _HANDS,
    "tickets.delete": _CHIEFS,
    "tickets.own": frozenset({"user"}),
    "content.read": _STAFF | {"storefront", "user"},
    "content.write": _HANDS | {"storefront"},
    "content.own": frozenset({"user"}),
    "carts.manage": _CHIEFS | {"storefront"},
    "billing.read": _STAFF,
    "billing.manage_orders": _CHIEFS,
    "billing.manage_invoices": _CHIEFS,
    "billing.manage_profiles": _HANDS | {"storefront"},
    "events.follow": _STAFF | {"user"},
    "me.read": _STAFF | {"user", "storefront"},
}
"""An unknown permission is denied; Owner has all but what is a customer's own (``tickets.own``, ``content.own``)."""


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
