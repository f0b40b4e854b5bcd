"""Who did what in this program, as clients see it."""

from __future__ import annotations

from typing import Any

from server.contract.base import Answer, Instant, Page


class AuditActor(Answer):
    """Who acted. No user and no role: somebody with access to the machine itself. ``name`` while the user is known."""

    user_id: str | None = None
    name: str | None = None
    role: str | None = None
    token_id: str | None = None


class AuditRow(Answer):
    """One act in this program, as it was recorded together with the act. Outlives everybody it names.

    ``summary`` is the sentence to show; ``changes`` are lines of "field: 1 → 2" for whatever shape the metadata has.
    """

    id: str
    action: str
    module: str
    mode: str
    actor: AuditActor
    resource_type: str | None = None
    resource_id: str | None = None
    target_user_id: str | None = None
    target_name: str | None = None
    metadata: dict[str, Any]
    summary: str
    changes: list[str]
    at: Instant


class AuditPage(Page[AuditRow]):
    """Entries newest first, by ``?page=`` or by cursor. ``page`` is the one answered: out of range is clamped."""

    total: int
    page: int | None = None
    per_page: int
    total_pages: int


class AuditChoices(Answer):
    """What there is to filter by, among the entries that the caller may see."""

    modules: list[str]
    modes: list[str]
    actions: list[str]
    resource_types: list[str]
