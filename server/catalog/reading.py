"""Products as they are read: one whole, a page of a list, what is behind the lines of an order."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Row, func, or_, select

from server.catalog.categories import ref
from server.catalog.models import category, product, product_option, variant
from server.contract.base import Money
from server.contract.catalog import Product, ProductOption, ProductRow, Variant
from server.kit.clock import instant, instant_or_none, milliseconds
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.settings import service as settings

MAX_SEARCH: Final = 200
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which products: those with ``q`` in name or slug, of a category (its slug), of a provider, to be had or not."""

    q: str = ""
    category: str | None = None
    provider: str | None = None
    available: bool | None = None

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"products\0{self.q}\0{self.category}\0{self.provider}\0{self.available}"


def find(tx: Tx, key: str, *, lock: bool = False) -> Row[Any] | None:
    """The product with this id or slug; None when there is none, whatever a stranger may have sent."""
    mine = product.c.id == key if _ID.fullmatch(key) else product.c.slug == key
    statement = select(product).where(mine)
    return tx.execute(statement.with_for_update() if lock else statement).first()


def get(tx: Tx, key: str) -> Product:
    """A product whole.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = find(tx, key)
    if row is None:
        raise not_found("product")
    rows = tx.execute(select(variant).where(variant.c.product_id == row.id).order_by(variant.c.position))
    items = [shown_variant(one) for one in rows]
    return Product(
        **_head(row, _categories(tx, [row]), len(items), settings.get(tx, "shop.url")),
        description=row.description,
        provider_product_id=row.provider_product_id,
        items=items,
        options=options_of(tx, row.id),
        synced_at=instant_or_none(row.synced_at),
    )


def listing(tx: Tx, query: ListQuery, page: PageRequest) -> Slice[ProductRow]:
    """A page of products, newest first."""
    statement = select(product)
    if query.q:
        like = (
            product.c.name.icontains(query.q, autoescape=True),
            product.c.slug.contains(query.q.lower(), autoescape=True),
        )
        statement = statement.where(or_(*like))
    if query.category is not None:
        statement = statement.where(
            product.c.category_id.in_(select(category.c.id).where(category.c.slug == query.category))
        )
    if query.provider is not None:
        statement = statement.where(product.c.provider == query.provider)
    if query.available is not None:
        statement = statement.where(product.c.available == int(query.available))
    found = slice_of(tx.execute(keyset(statement, page, product.c.created_at, product.c.id)).all(), page)
    ids = [row.id for row in found.rows]
    counted = tx.execute(
        select(variant.c.product_id, func.count().label("many"))
        .where(variant.c.product_id.in_(ids))
        .group_by(variant.c.product_id)
    )
    counts: dict[str, int] = {row.product_id: row.many for row in counted}
    categories, shop = _categories(tx, found.rows), settings.get(tx, "shop.url")
    rows = [ProductRow(**_head(row, categories, counts.get(row.id, 0), shop)) for row in found.rows]
    return Slice(rows, found.older, found.newer)


def options_of(tx: Tx, product_id: str) -> list[ProductOption]:
    """What can be chosen about a product, by key."""
    mine = select(product_option).where(product_option.c.product_id == product_id)
    return [
        ProductOption(key=row.key, required=bool(row.required), choices=row.choices)
        for row in tx.execute(mine.order_by(product_option.c.key))
    ]


def place(row: ProductRow) -> tuple[int, str]:
    """A row's place in the list, for its page's cursors."""
    return milliseconds(row.created_at), row.id


def page_of(shop: str, slug: str) -> str | None:
    """The address of a product's page in the shop; None while nobody said where the shop is."""
    return f"{shop.rstrip('/')}/products/{quote(slug, safe='')}" if shop else None


def shown_variant(row: Row[Any]) -> Variant:
    """A variant as it travels."""
    return Variant(
        id=row.id,
        name=row.name,
        sku=row.sku,
        provider_variant_id=row.provider_variant_id,
        price=None if row.price is None else Money(amount=row.price, currency=row.currency),
        stock=row.stock,
        available=bool(row.available),
    )


def _categories(tx: Tx, rows: Collection[Row[Any]]) -> dict[str, Row[Any]]:
    wanted = {row.category_id for row in rows if row.category_id}
    if not wanted:
        return {}
    return {row.id: row for row in tx.execute(select(category).where(category.c.id.in_(wanted)))}


def _head(row: Row[Any], categories: Mapping[str, Row[Any]], variants: int, shop: str) -> dict[str, Any]:
    under = categories.get(row.category_id)
    return {
        "id": row.id,
        "slug": row.slug,
        "name": row.name,
        "category": None if under is None else ref(under),
        "provider": row.provider,
        "available": bool(row.available),
        "image_url": row.image_url,
        "url": page_of(shop, row.slug) if row.available else None,
        "variants": variants,
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
    }
