"""The topic of the audit log, and who may follow it."""

from __future__ import annotations

from typing import Final

from server.kit import topics
from server.kit.access import Role

SEES_ALL: Final[frozenset[Role]] = frozenset({"owner", "admin"})
"""Who sees the whole log; others see what they did themselves, and poll for it."""

AUDIT: Final = "audit"

topics.allow(AUDIT, lambda caller, _: caller.may("audit.read") and caller.role in SEES_ALL)
