"""What happens to what somebody published when they are erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, literal, or_, select

from server.content.models import comment, file, file_body, post
from server.people import erasure
from server.people.erasure import GONE, Mentions, Rule, Subject


def _author_gone(subject: Subject) -> dict[str, Any]:
    return {
        "person_id": None,
        "author_mark": subject.mark,
        "author_deleted": 1,
        "anonymized_at": subject.now,
        "body": GONE,
    }


def _post_gone(subject: Subject) -> Mapping[str, Any]:
    words = {"title": GONE, "slug": literal("post-") + post.c.id}
    return _author_gone(subject) | words


def _speaks_of(subject: Subject) -> ColumnElement[bool]:
    """What stands under the person's own posts, and wherever else their e-mail or phone does."""
    theirs = select(post.c.id).where(post.c.person_id == subject.person_id)
    unique = (*subject.known.emails, *subject.known.phones)
    return or_(comment.c.post_id.in_(theirs), erasure.holds(comment.c.body, unique))


erasure.register(
    Rule(
        table=comment,
        noun="post comments",
        fate="anonymise",
        why="The talk under a post keeps its shape; what the person wrote in it goes.",
        whose=lambda subject: comment.c.person_id == subject.person_id,
        covers=("person_id",),
        values=_author_gone,
    ),
    Rule(
        table=post,
        noun="posts",
        fate="anonymise",
        why="What others wrote below stays where it stands; the person's own words go.",
        whose=lambda subject: post.c.person_id == subject.person_id,
        covers=("person_id",),
        values=_post_gone,
    ),
    Rule(
        table=file_body,
        noun="contents of files",
        fate="delete",
        why="What a file holds is the person's own.",
        whose=lambda subject: file_body.c.file_id.in_(
            select(file.c.id).where(file.c.person_id == subject.person_id)
        ),
        covers=(),
    ),
    Rule(
        table=file,
        noun="files",
        fate="anonymise",
        why="That a file was handed in stays told; its name, its content and whose it was go.",
        whose=lambda subject: file.c.person_id == subject.person_id,
        covers=("person_id",),
        values=lambda subject: {
            "person_id": None,
            "person_mark": subject.mark,
            "name": None,
            "media_type": "application/octet-stream",
            "sha256": None,
            "anonymized_at": subject.now,
        },
    ),
    Mentions(post, ("title", "body")),
    Mentions(comment, ("body",), linked=_speaks_of),
    Mentions(file, ("name",)),
)
