"""Products, their variants and their stock: made, changed, taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.catalog import categories, events, reading
from server.catalog.categories import TOPIC, taken
from server.catalog.models import product, variant
from server.contract.catalog import (
    ChangedProducts,
    ChangeProduct,
    ChangeProducts,
    NewProduct,
    NewVariant,
    StockChange,
    Variant,
)
from server.kit.problems import ProblemError, invalid_request, not_found
from server.kit.tx import Tx


def create(tx: Tx, new: NewProduct) -> str:
    """Make a product with its variants.

    Returns:
        Its id.

    Raises:
        ProblemError: 409 ``slug_taken``, ``provider_product_taken``; 422 ``invalid_request`` for an unknown category
            or a provider's id without the provider.
    """
    if new.provider_product_id is not None and new.provider is None:
        raise invalid_request(("provider", "is missing beside provider_product_id"))
    if _by_slug(tx, new.slug):
        raise taken(new.slug)
    product_id = tx.new_id()
    values = new.model_dump(
        include={"slug", "name", "description", "provider", "provider_product_id", "image_url"}
    )
    values["category_id"] = None if new.category is None else categories.id_of(tx, new.category)
    try:
        with tx.savepoint():
            tx.execute(
                insert(product).values(
                    id=product_id,
                    available=int(new.available),
                    created_at=tx.now,
                    updated_at=tx.now,
                    **values,
                )
            )
    except IntegrityError:
        raise _clash(tx, new.slug) from None
    events.product(tx, "product_created", product_id)
    put_variants(tx, product_id, new.variants)
    tx.touch(TOPIC)
    return product_id


def change(tx: Tx, key: str, new: ChangeProduct) -> str:
    """Change a product; what is left out stays. Variants that are given take the place of all.

    Returns:
        Its id.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``slug_taken``; 422 ``invalid_request``.
    """
    row = reading.find(tx, key, lock=True)
    if row is None:
        raise not_found("product")
    given = new.model_fields_set
    values: dict[str, Any] = {
        name: getattr(new, name) for name in ("description", "image_url") if name in given
    }
    for name in ("slug", "name"):
        if (value := getattr(new, name)) is not None:
            values[name] = value
    if new.available is not None:
        values["available"] = int(new.available)
    if "category" in given:
        values["category_id"] = None if new.category is None else categories.id_of(tx, new.category)
    try:
        with tx.savepoint():
            tx.execute(update(product).where(product.c.id == row.id).values(**values, updated_at=tx.now))
    except IntegrityError:
        raise _clash(tx, values.get("slug", row.slug)) from None
    events.product(tx, "product_updated", row.id)
    if new.variants is not None:
        put_variants(tx, row.id, new.variants)
    tx.touch(TOPIC)
    product_id: str = row.id
    return product_id


def change_many(tx: Tx, new: ChangeProducts) -> ChangedProducts:
    """Let many products be had, or not.

    Raises:
        ProblemError: 404 ``not_found`` when one of them is not there; then none is changed.
    """
    wanted = sorted(set(new.ids))
    rows = tx.execute(
        select(product.c.id, product.c.available)
        .where(product.c.id.in_(wanted))
        .order_by(product.c.id)
        .with_for_update()
    ).all()
    if len(rows) != len(wanted):
        raise not_found("product")
    changed = [row.id for row in rows if bool(row.available) != new.available]
    if changed:
        now = {"available": int(new.available), "updated_at": tx.now}
        tx.execute(update(product).where(product.c.id.in_(changed)).values(**now))
        events.bulk_status(tx, changed, available=new.available)
        tx.touch(TOPIC)
    return ChangedProducts(changed=changed)


def remove(tx: Tx, key: str) -> str:
    """Take a product away with its variants; orders keep what they say of it.

    Returns:
        The id it had.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = reading.find(tx, key, lock=True)
    if row is None:
        raise not_found("product")
    put_variants(tx, row.id, ())  # so that their stock is told to be gone
    tx.execute(delete(product).where(product.c.id == row.id))
    events.product(tx, "product_deleted", row.id)
    tx.touch(TOPIC)
    product_id: str = row.id
    return product_id


def put_variants(tx: Tx, product_id: str, wanted: Sequence[NewVariant]) -> None:
    """Let a product have exactly these variants, in this order. One with an ``id`` stays the same one.

    Raises:
        ProblemError: 422 ``invalid_request`` for an ``id`` that is none of its variants, or is there twice.
    """
    mine = select(variant.c.id, variant.c.stock).where(variant.c.product_id == product_id)
    known: dict[str, int | None] = {
        row.id: row.stock for row in tx.execute(mine.order_by(variant.c.position).with_for_update())
    }
    named = [one.id for one in wanted if one.id is not None]
    for number, one in enumerate(wanted):
        if one.id is not None and (one.id not in known or named.count(one.id) > 1):
            raise invalid_request(
                (f"variants.{number}.id", "is no variant of this product, or is there twice")
            )
    tx.execute(delete(variant).where(variant.c.product_id == product_id, variant.c.id.not_in(named)))
    for variant_id, stock in known.items():
        if variant_id not in named:
            events.stock(tx, product_id, variant_id, stock, None)
    for position, one in enumerate(wanted):
        values = _values(one, position)
        if one.id is None:
            made = {"id": tx.new_id(), "product_id": product_id, "created_at": tx.now}
            tx.execute(insert(variant).values(**made, **values, updated_at=tx.now))
            events.stock(tx, product_id, str(made["id"]), None, one.stock)
        else:
            tx.execute(update(variant).where(variant.c.id == one.id).values(**values, updated_at=tx.now))
            events.stock(tx, product_id, one.id, known[one.id], one.stock)


def set_stock(tx: Tx, variant_id: str, new: StockChange) -> Variant:
    """Set a variant's stock, or move it.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``stock_not_counted``, ``stock_too_low``; 422 ``invalid_request`` unless
            exactly one of ``stock`` and ``change`` is given.
    """
    if (new.stock is None) == (new.change is None):
        raise invalid_request(("stock", "give either stock or change"))
    row = tx.execute(select(variant).where(variant.c.id == variant_id).with_for_update()).first()
    if row is None:
        raise not_found("variant")
    now = tx.execute(
        update(variant)
        .where(variant.c.id == variant_id)
        .values(stock=_moved(row, new), updated_at=tx.now)
        .returning(variant)
    ).one()
    events.stock(tx, row.product_id, row.id, row.stock, now.stock)
    tx.touch(TOPIC)
    return reading.shown_variant(now)


def _moved(row: Row[Any], new: StockChange) -> int:
    if new.change is None:
        return new.stock or 0
    if row.stock is None:
        raise ProblemError(
            409, "stock_not_counted", "The stock of this variant is not counted. Set it before you move it."
        )
    moved: int = row.stock + new.change
    if moved < 0:
        raise ProblemError(409, "stock_too_low", f"There are only {row.stock}.")
    return moved


def _values(one: NewVariant, position: int) -> dict[str, Any]:
    return {
        "position": position,
        "name": one.name,
        "sku": one.sku,
        "provider_variant_id": one.provider_variant_id,
        "price": one.price.amount if one.price else None,
        "currency": one.price.currency if one.price else None,
        "stock": one.stock,
        "available": int(one.available),
    }


def _by_slug(tx: Tx, slug: str) -> bool:
    return tx.execute(select(product.c.id).where(product.c.slug == slug)).first() is not None


def _clash(tx: Tx, slug: str) -> ProblemError:
    if _by_slug(tx, slug):
        return taken(slug)
    return ProblemError(
        409, "provider_product_taken", "This product of the provider is in the catalogue already."
    )
