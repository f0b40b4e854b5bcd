"""The verbs of the carts, as the routes call them."""

from __future__ import annotations

from server.carts.converting import convert, stands
from server.carts.keeping import TOPIC, expire, open_cart
from server.carts.lines import add, change, choose, clear, merge, remove
from server.carts.reading import ListQuery, get, listing, place

__all__ = [
    "TOPIC",
    "ListQuery",
    "add",
    "change",
    "choose",
    "clear",
    "convert",
    "expire",
    "get",
    "listing",
    "merge",
    "open_cart",
    "place",
    "remove",
    "stands",
]
