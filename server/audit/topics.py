"""The topic of the audit log, and who may follow it."""

from __future__ import annotations

from typing import Final

from server.kit import topics

AUDIT: Final = "audit"

topics.allow(AUDIT, topics.staff("audit.read"))
