"""The verbs of what people publish, as the routes call them."""

from __future__ import annotations

from server.content.comments import comment, comments, uncomment
from server.content.files import Content, add_file, content_of, file, files, remove_file
from server.content.posts import ListQuery, change, create, get, listing, place, remove

__all__ = [
    "Content",
    "ListQuery",
    "add_file",
    "change",
    "comment",
    "comments",
    "content_of",
    "create",
    "file",
    "files",
    "get",
    "listing",
    "place",
    "remove",
    "remove_file",
    "uncomment",
]
