"""Comments under posts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, delete, insert, select

from server.content import authors, posts
from server.content.models import comment as table
from server.contract.content import NewPostComment, PostComment
from server.kit.access import Principal
from server.kit.clock import instant
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import not_found
from server.kit.tx import Tx


def comment(tx: Tx, key: str, new: NewPostComment, caller: Principal) -> PostComment:
    """Write under a post.

    Raises:
        ProblemError: 404 ``not_found``; 422 ``invalid_request`` (see `authors.author`).
    """
    under = posts.find(tx, key, lock=True)
    if under is None:
        raise not_found("post")
    row = tx.execute(
        insert(table)
        .values(
            id=tx.new_id(),
            post_id=under.id,
            body=new.body,
            person_id=authors.author(tx, caller, new.email),
            created_at=tx.now,
        )
        .returning(table)
    ).one()
    tx.touch(posts.TOPIC)
    return _shown(tx, [row], caller)[0]


def comments(tx: Tx, key: str, page: PageRequest, caller: Principal) -> Slice[PostComment]:
    """A page of a post's comments, newest first.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    under = posts.find(tx, key)
    if under is None:
        raise not_found("post")
    statement = keyset(select(table).where(table.c.post_id == under.id), page, table.c.created_at, table.c.id)
    found = slice_of(tx.execute(statement).all(), page)
    return Slice(_shown(tx, found.rows, caller), found.older, found.newer)


def uncomment(tx: Tx, comment_id: str, caller: Principal, *, under: str | None = None) -> None:
    """Take a comment away; ``under`` is the post that it must stand under.

    Raises:
        ProblemError: 404 ``not_found``, also for somebody else's.
    """
    row = tx.execute(select(table).where(table.c.id == comment_id).with_for_update()).first()
    if row is None or not authors.may_touch(tx, row, caller):
        raise not_found("comment")
    found = posts.find(tx, under) if under is not None else None
    if under is not None and (found is None or found.id != row.post_id):
        raise not_found("comment")
    tx.execute(delete(table).where(table.c.id == row.id))
    tx.touch(posts.TOPIC)


def _shown(tx: Tx, rows: Collection[Row[Any]], caller: Principal) -> list[PostComment]:
    known = authors.shown(tx, {row.person_id for row in rows}, caller)
    return [
        PostComment(
            id=row.id,
            post_id=row.post_id,
            body=row.body,
            author=known.get(row.person_id) or authors.gone(row.author_mark),
            author_deleted=bool(row.author_deleted),
            created_at=instant(row.created_at),
        )
        for row in rows
    ]
