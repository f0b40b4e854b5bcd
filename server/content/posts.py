"""Posts: made, read, changed, taken away."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.catalog.slugs import slug_of
from server.content import authors
from server.content.models import comment as comment_table
from server.content.models import post
from server.contract.base import ActionState
from server.contract.content import ChangePost, NewPost, Post, PostRow
from server.kit.access import Principal
from server.kit.clock import instant, milliseconds
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx

TOPIC: Final = "content"
MAX_SEARCH: Final = 200
_PERSONAL: Final = re.compile(r"\S*[@0-9]\S*")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which posts: those with ``q`` in the title; with ``mine`` the caller's own."""

    q: str = ""
    mine: bool = False

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"posts\0{self.mine}\0{self.q}"


def create(tx: Tx, new: NewPost, caller: Principal) -> str:
    """Publish a post.

    Returns:
        Its id.

    Raises:
        ProblemError: 422 ``invalid_request`` (see `authors.author`).
    """
    post_id = tx.new_id()
    values = {
        "id": post_id,
        "title": new.title,
        "body": new.body,
        "person_id": authors.author(tx, caller, new.email),
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    slug = _slug(new.title)
    try:
        with tx.savepoint():
            tx.execute(insert(post).values(slug=slug, **values))
    except IntegrityError:  # another one is called so
        tx.execute(insert(post).values(slug=f"{slug}-{post_id[-12:]}", **values))
    tx.touch(TOPIC)
    return post_id


def change(tx: Tx, key: str, new: ChangePost, caller: Principal) -> str:
    """Change a post; what is left out stays, and so does its slug.

    Returns:
        Its id.

    Raises:
        ProblemError: 404 ``not_found``, also for somebody else's; 409 ``author_deleted``.
    """
    row = find(tx, key, lock=True)
    if row is None or not authors.may_touch(tx, row, caller):
        raise not_found("post")
    if row.author_deleted:
        raise ProblemError(409, "author_deleted", "Who wrote this was erased, and the text with them.")
    values = new.model_dump(exclude_none=True)
    if values:
        tx.execute(update(post).where(post.c.id == row.id).values(**values, updated_at=tx.now))
        tx.touch(TOPIC)
    post_id: str = row.id
    return post_id


def remove(tx: Tx, key: str, caller: Principal) -> None:
    """Take a post away with its comments.

    Raises:
        ProblemError: 404 ``not_found``, also for somebody else's.
    """
    row = find(tx, key, lock=True)
    if row is None or not authors.may_touch(tx, row, caller):
        raise not_found("post")
    tx.execute(delete(post).where(post.c.id == row.id))
    tx.touch(TOPIC)


def find(tx: Tx, key: str, *, lock: bool = False) -> Row[Any] | None:
    """The post with this id or slug."""
    statement = select(post).where((post.c.id == key) | (post.c.slug == key)).order_by(post.c.id).limit(1)
    return tx.execute(statement.with_for_update() if lock else statement).first()


def get(tx: Tx, key: str, caller: Principal) -> Post:
    """A post whole, as this caller sees it.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = find(tx, key)
    if row is None:
        raise not_found("post")
    may = authors.may_touch(tx, row, caller)
    writes = caller.may("content.write") or authors.own(caller)
    refused = None if may else "insufficient_permissions"
    change_reason = refused or ("author_deleted" if row.author_deleted else None)
    return Post(
        **_heads(tx, [row], caller)[0],
        body=row.body,
        actions=[
            ActionState(name="change", allowed=change_reason is None, reason=change_reason),
            ActionState(name="delete", allowed=may, reason=refused),
            ActionState(
                name="comment", allowed=writes, reason=None if writes else "insufficient_permissions"
            ),
        ],
    )


def listing(tx: Tx, query: ListQuery, page: PageRequest, caller: Principal) -> Slice[PostRow]:
    """A page of posts, newest first."""
    statement = select(post)
    if query.q:
        statement = statement.where(post.c.title.icontains(query.q, autoescape=True))
    if query.mine:
        statement = statement.where(post.c.person_id == authors.me(tx, caller))
    found = slice_of(tx.execute(keyset(statement, page, post.c.created_at, post.c.id)).all(), page)
    return Slice([PostRow(**head) for head in _heads(tx, found.rows, caller)], found.older, found.newer)


def place(row: PostRow) -> tuple[int, str]:
    """A row's place in the list, for its page's cursors."""
    return milliseconds(row.created_at), row.id


def _heads(tx: Tx, rows: Collection[Row[Any]], caller: Principal) -> list[dict[str, Any]]:
    known = authors.shown(tx, {row.person_id for row in rows}, caller)
    counted = tx.execute(
        select(comment_table.c.post_id, func.count().label("many"))
        .where(comment_table.c.post_id.in_([row.id for row in rows]))
        .group_by(comment_table.c.post_id)
    )
    counts: dict[str, int] = {row.post_id: row.many for row in counted}
    return [
        {
            "id": row.id,
            "slug": row.slug,
            "title": row.title,
            "author": known.get(row.person_id) or authors.gone(row.author_mark),
            "author_deleted": bool(row.author_deleted),
            "comments": counts.get(row.id, 0),
            "created_at": instant(row.created_at),
            "updated_at": instant(row.updated_at),
        }
        for row in rows
    ]


def _slug(title: str) -> str:
    """What of a title may stand in an address, which is copied about: no e-mails and no numbers."""
    words = _PERSONAL.sub(" ", title)
    return slug_of(words) if re.search("[a-zA-Z]", words) else "post"
