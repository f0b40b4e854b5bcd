"""The calls about who did what in this program. Imported when its section or a record's history is first gone to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.contract.audit import AuditChoices, AuditPage, AuditRow
from server.contract.base import Page
from tui.api.client import PAGE, Client, page_query, segment

if TYPE_CHECKING:
    from tui.api.window import Direction, Edge


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which acts to list; all that is named must hold. ``action`` may end in ``.*``.

    ``resource`` is the id of a record, ``resource_type`` its kind; ``target`` the user whom an act concerned.
    """

    module: str = ""
    mode: str = ""
    action: str = ""
    actor: str = ""
    resource_type: str = ""
    resource: str = ""
    target: str = ""
    q: str = ""

    def parameters(self) -> dict[str, str]:
        """The query parameters of ``GET /v1/audit``."""
        chosen = {
            "module": self.module,
            "mode": self.mode,
            "action": self.action,
            "actor": self.actor,
            "resource_type": self.resource_type,
            "resource_id": self.resource,
            "target": self.target,
            "q": self.q.strip(),
        }
        return {name: value for name, value in chosen.items() if value}


async def acts(
    client: Client, query: AuditQuery, cursor: str | None = None, limit: int = PAGE, edge: Edge = "newest"
) -> AuditPage:
    """A page of acts, newest first. Raises ApiError."""
    params = query.parameters() | page_query(cursor, limit, edge)
    return await client.ask("/v1/audit", AuditPage.model_validate, params=params)


async def act(client: Client, act_id: str) -> AuditRow:
    """One act. Raises ApiError."""
    return await client.ask(f"/v1/audit/{segment(act_id, 'entry')}", AuditRow.model_validate)


async def choices(client: Client) -> AuditChoices:
    """What there is to filter by. Raises ApiError."""
    return await client.ask("/v1/audit/choices", AuditChoices.model_validate)


@dataclass(frozen=True, slots=True)
class AuditSource:
    """The acts that a query describes, as a window reads them."""

    client: Client
    query: AuditQuery

    async def fetch(
        self,
        cursor: str | None,
        direction: Direction,  # noqa: ARG002 - the cursor knows
        limit: int,
        edge: Edge,
    ) -> Page[AuditRow]:
        """A page of acts. Raises ApiError."""
        return await acts(self.client, self.query, cursor, limit, edge)


def build() -> None:
    """Build the models' validators now instead of with the first answer."""
    for model in (AuditPage, AuditChoices):
        model.model_rebuild()
