"""The topics of accounts, and who may follow them."""

from __future__ import annotations

from typing import Final

from server.kit import topics

USERS: Final = "admin:users"
ROLES: Final = "admin:roles"

topics.allow(USERS, topics.staff("users.read"))
topics.allow(ROLES, topics.staff("users.read"))
