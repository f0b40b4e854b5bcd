"""What is told on the topics of the shop when its catalogue changes: ids and the change, once, after the commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from server.catalog.topics import CATEGORIES, INVENTORY, PRODUCTS, of_product
from server.kit import topics
from server.kit.tx import Tx

ProductEvent = Literal["product_created", "product_updated", "product_deleted"]
CategoryEvent = Literal["category_created", "category_updated", "category_deleted"]


def product(tx: Tx, event: ProductEvent, product_id: str) -> None:
    """A product was made, changed or taken away."""
    topics.publish(tx, event, PRODUCTS, of_product(product_id), product_id=product_id)


def category(tx: Tx, event: CategoryEvent, category_id: str) -> None:
    """A category was made, renamed or taken away."""
    topics.publish(tx, event, CATEGORIES, category_id=category_id)


def bulk_status(tx: Tx, product_ids: Sequence[str], *, available: bool) -> None:
    """Products began or ceased to be had, together. The list is told of all, who looks at one product of that one."""
    if not product_ids:
        return
    event, status = "products_bulk_status_changed", "available" if available else "unavailable"
    topics.publish(tx, event, PRODUCTS, ids=list(product_ids), status=status)
    for product_id in product_ids:
        topics.publish(tx, event, of_product(product_id), ids=[product_id], status=status)


def stock(tx: Tx, product_id: str, variant_id: str, before: int | None, now: int | None) -> None:
    """A variant's stock moved. One that is not counted counts as none; what did not move is not told."""
    change = (now or 0) - (before or 0)
    if change:
        topics.publish(
            tx,
            "inventory_updated",
            INVENTORY,
            of_product(product_id),
            product_id=product_id,
            variant_id=variant_id,
            change=change,
        )
