"""The verbs of the catalogue, as other rooms and the routes call them."""

from __future__ import annotations

from server.catalog.categories import TOPIC
from server.catalog.events import bulk_status
from server.catalog.events import product as tell_product
from server.catalog.options import check as check_options
from server.catalog.options import put as put_options
from server.catalog.products import change, change_many, create, put_variants, remove, set_stock
from server.catalog.reading import (
    MAX_SEARCH,
    ListQuery,
    find,
    get,
    listing,
    options_of,
    page_of,
    place,
)

__all__ = [
    "MAX_SEARCH",
    "TOPIC",
    "ListQuery",
    "bulk_status",
    "change",
    "change_many",
    "check_options",
    "create",
    "find",
    "get",
    "listing",
    "options_of",
    "page_of",
    "place",
    "put_options",
    "put_variants",
    "remove",
    "set_stock",
    "tell_product",
]
