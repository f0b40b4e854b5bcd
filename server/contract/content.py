"""What people publish in the shop, as clients see it and as the shop's front sends it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from server.contract.activity import OrderRef
from server.contract.base import ActionState, Answer, Instant, Request
from server.contract.orders import CustomerRef, Line

PostBody = Annotated[str, Field(min_length=1, max_length=100_000)]
CommentBody = Annotated[str, Field(min_length=1, max_length=10_000)]


class PostComment(Answer):
    """A comment under a post. After the author's erasure ``author_deleted`` is true and the text is gone."""

    id: str
    post_id: str
    body: str
    author: CustomerRef | None = None
    author_deleted: bool
    created_at: Instant


class PostRow(Answer):
    """A post in a list."""

    id: str
    slug: str
    title: str
    author: CustomerRef | None = None
    author_deleted: bool
    comments: int
    created_at: Instant
    updated_at: Instant


class Post(PostRow):
    """A post whole; its comments are listed by a route of their own."""

    body: str
    actions: list[ActionState] = Field(default_factory=list)


class NewPost(Request):
    """A post. The author is named by e-mail; a customer's own token names none."""

    title: Line
    body: PostBody
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")] | None = None


class ChangePost(Request):
    """What to change of a post."""

    title: Line | None = None
    body: PostBody | None = None


class NewPostComment(Request):
    """A comment under a post."""

    body: CommentBody
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")] | None = None


class FileRow(Answer):
    """A file. After its owner's erasure name and content are gone, and what is left says so."""

    id: str
    name: str | None = None
    media_type: str
    size: int
    sha256: str | None = None
    owner: CustomerRef | None = None
    ticket_id: str | None = None
    order: OrderRef | None = None
    anonymized_at: Instant | None = None
    created_at: Instant


class NewFile(Request):
    """A file to keep; ``content`` is base64, at most 128 KiB when decoded."""

    name: Line
    media_type: Annotated[str, Field(pattern=r"^[a-z]+/[a-zA-Z0-9.+-]+$", max_length=100)]
    content: Annotated[str, Field(min_length=1, max_length=200_000)]
    email: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")] | None = None
    ticket_id: Line | None = None
    order: Line | None = None
