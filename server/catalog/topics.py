"""The topics of the catalogue, and who may follow them."""

from __future__ import annotations

from typing import Final

from server.kit import topics

PRODUCTS: Final = "shop:products"
CATEGORIES: Final = "shop:categories"
INVENTORY: Final = "shop:inventory"


def of_product(product_id: str) -> str:
    """The topic of one product."""
    return f"shop:products:{product_id}"


for _name in (PRODUCTS, f"{PRODUCTS}:", CATEGORIES, INVENTORY):
    topics.allow(_name, topics.staff("catalog.read"))
