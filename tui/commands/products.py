"""``shopbell products``."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from server.contract.base import Page
from server.contract.catalog import ProductRow
from server.contract.fulfilment import NewSync, Provider
from server.contract.jobs import Enqueued
from tui.commands.printing import Cell, Column, Printer
from tui.commands.work import DONE, UsageError, Work

_COLUMNS: Final = (
    Column("PRODUCT", flows=True),
    Column("SLUG", spare=3),
    Column("CATEGORY", spare=2),
    Column("PROVIDER"),
    Column("VARIANTS", right=True, spare=1),
    Column("AVAILABLE"),
)


class _Providers(BaseModel):
    items: list[Provider]


async def listing(work: Work) -> int:
    """List products."""
    given = work.given
    params = {"q": given.query.strip(), "category": given.category, "provider": given.provider}
    params["available"] = {"yes": "true", "no": "false"}.get(given.available, "")
    return await work.print_page("/v1/products", params, Page[ProductRow].model_validate, _COLUMNS, _row)


def _row(out: Printer, row: ProductRow) -> list[str | Cell]:
    available = (
        Cell(f"{out.glyphs.info} yes", "success")
        if row.available
        else Cell(f"{out.glyphs.waiting} no", "muted")
    )
    return [
        row.name,
        Cell(row.slug, "muted"),
        row.category.name if row.category else "",
        row.provider or "",
        str(row.variants),
        available,
    ]


async def sync(work: Work) -> int:
    """Read a provider's catalogue."""
    name = work.given.provider or await _own(work)
    body = NewSync.model_construct(provider=name).model_dump_json().encode()
    found = await work.client.changed("/v1/syncs", body)
    asked = found.read(Enqueued.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        work.waits_here()
        return DONE
    work.asked_for(asked.job, new=asked.new)
    return DONE


async def _own(work: Work) -> str:
    """The provider that the shop uses. Raises UsageError where that is not one."""
    told = (await work.client.document("/v1/providers")).read(_Providers.model_validate)
    connected = [one for one in told.items if one.default] or [one for one in told.items if one.connected]
    if len(connected) == 1:
        return connected[0].name
    there = ", ".join(one.name for one in told.items)
    raise UsageError(f"Which provider? Name it: {there}.")
