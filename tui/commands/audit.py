"""``shopbell audit``: who did what in this program."""

from __future__ import annotations

from typing import Final

from server.contract.audit import AuditPage, AuditRow
from tui.api.client import segment
from tui.commands.printing import Cell, Column, Printer
from tui.commands.work import DONE, Work

_COLUMNS: Final = (
    Column("WHEN"),
    Column("WHO", spare=2),
    Column("ROLE", spare=3),
    Column("WHAT", flows=True),
    Column("ACTION", spare=1),
    Column("ID", spare=4),
)


def _who(row: AuditRow) -> str:
    actor = row.actor
    if actor.name:
        return actor.name
    if actor.user_id:
        return "somebody who is gone"
    return f"a {actor.role} program" if actor.role else "this machine"


async def listing(work: Work) -> int:
    """List acts."""
    given = work.given
    same = ("module", "action", "actor", "target", "since", "until")
    params = {name: getattr(given, name) for name in same}
    params |= {"q": given.query, "resource_type": given.type, "resource_id": given.record}
    return await work.print_page("/v1/audit", params, AuditPage.model_validate, _COLUMNS, _row)


def _row(out: Printer, row: AuditRow) -> list[str | Cell]:
    return [
        out.when(row.at),
        _who(row),
        row.actor.role or "",
        row.summary,
        Cell(row.action, "muted"),
        Cell(row.id, "muted"),
    ]


async def show(work: Work) -> int:
    """Show one act."""
    found = await work.client.document(f"/v1/audit/{segment(work.given.entry, 'entry')}")
    row = found.read(AuditRow.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    work.out.facts(
        [
            ("what", row.summary),
            ("who", _who(row)),
            ("role", row.actor.role or ""),
            ("when", work.out.full(row.at)),
            ("how", row.mode),
            ("action", row.action),
            ("done to", f"{row.resource_type or ''} {row.resource_id or ''}".strip()),
            ("concerns", row.target_name or row.target_user_id or ""),
            ("token", row.actor.token_id or ""),
            *((f"fact {number}", line) for number, line in enumerate(row.changes, 1)),
            ("id", row.id),
        ]
    )
    return DONE
