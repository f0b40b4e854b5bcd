"""Products as a shop's customers are shown them beside what they bought: a page where there is one, and a picture."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from server.catalog.models import product
from server.catalog.reading import page_of
from server.kit.pages import web_address
from server.kit.tx import Tx


@dataclass(frozen=True, slots=True)
class Shown:
    """A product beside an item: ``url`` only while it can be bought and the shop's address is known."""

    url: str | None = None
    image: str | None = None


def shown(tx: Tx, ids: Collection[str | None], shop_url: str | None) -> dict[str | None, Shown]:
    """Products by id; an id that is empty, or not (any more) in the catalogue, is left out.

    Args:
        tx: the transaction.
        ids: as items have them.
        shop_url: the shop's address, where it is known.
    """
    wanted = {found for found in ids if found}
    columns = (product.c.id, product.c.slug, product.c.available, product.c.image_url)
    rows = tx.execute(select(*columns).where(product.c.id.in_(wanted))) if wanted else ()
    return {
        row.id: Shown(
            web_address(page_of(shop_url or "", row.slug)) if row.available else None,
            web_address(row.image_url),
        )
        for row in rows
    }
