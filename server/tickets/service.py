"""The verbs of the tickets, as other rooms and the routes call them."""

from __future__ import annotations

from server.tickets.bulk import change_many
from server.tickets.changing import change, delete_ticket
from server.tickets.commenting import add, add_own, remove
from server.tickets.finding import find, person_of
from server.tickets.listing import ListQuery, OwnQuery, counts, open_counts, place, waiting
from server.tickets.opening import create, create_own
from server.tickets.policy import customers_welcome
from server.tickets.reading import get, get_own, page, page_own, shown, shown_comment

__all__ = [
    "ListQuery",
    "OwnQuery",
    "add",
    "add_own",
    "change",
    "change_many",
    "counts",
    "create",
    "create_own",
    "customers_welcome",
    "delete_ticket",
    "find",
    "get",
    "get_own",
    "open_counts",
    "page",
    "page_own",
    "person_of",
    "place",
    "remove",
    "shown",
    "shown_comment",
    "waiting",
]
