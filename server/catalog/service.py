"""The verbs of the catalogue, as other rooms and the routes call them."""

from __future__ import annotations

from server.catalog.categories import TOPIC
from server.catalog.products import change, create, put_variants, remove, set_stock
from server.catalog.reading import (
    MAX_SEARCH,
    ListQuery,
    find,
    get,
    listing,
    page_of,
    place,
)

__all__ = [
    "MAX_SEARCH",
    "TOPIC",
    "ListQuery",
    "change",
    "create",
    "find",
    "get",
    "listing",
    "page_of",
    "place",
    "put_variants",
    "remove",
    "set_stock",
]
