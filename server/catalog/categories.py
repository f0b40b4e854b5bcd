"""Categories: what products stand under."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.catalog import events
from server.catalog.models import category
from server.contract.catalog import CategoryRef, NewCategory
from server.kit.problems import ProblemError, invalid_request, not_found
from server.kit.tx import Tx

TOPIC = "catalog"


def listing(tx: Tx) -> list[CategoryRef]:
    """All categories by name."""
    rows = tx.execute(select(category).order_by(category.c.name, category.c.id))
    return [ref(row) for row in rows]


def create(tx: Tx, new: NewCategory) -> CategoryRef:
    """Make a category.

    Raises:
        ProblemError: 409 ``slug_taken``.
    """
    made = {"id": tx.new_id(), "slug": new.slug, "name": new.name}
    try:
        with tx.savepoint():
            tx.execute(insert(category).values(**made, created_at=tx.now, updated_at=tx.now))
    except IntegrityError:
        raise taken(new.slug) from None
    events.category(tx, "category_created", made["id"])
    tx.touch(TOPIC)
    return CategoryRef(**made)


def rename(tx: Tx, slug: str, new: NewCategory) -> CategoryRef:
    """Give a category another slug or name.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``slug_taken``.
    """
    try:
        with tx.savepoint():
            row = tx.execute(
                update(category)
                .where(category.c.slug == slug)
                .values(slug=new.slug, name=new.name, updated_at=tx.now)
                .returning(category)
            ).first()
    except IntegrityError:
        raise taken(new.slug) from None
    if row is None:
        raise not_found("category")
    events.category(tx, "category_updated", row.id)
    tx.touch(TOPIC)
    return ref(row)


def remove(tx: Tx, slug: str) -> str:
    """Take a category away; its products stay, without one.

    Returns:
        The id it had.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    gone = tx.execute(delete(category).where(category.c.slug == slug).returning(category.c.id)).first()
    if gone is None:
        raise not_found("category")
    events.category(tx, "category_deleted", gone.id)
    tx.touch(TOPIC)
    category_id: str = gone.id
    return category_id


def id_of(tx: Tx, slug: str) -> str:
    """The id of a category that a request names.

    Raises:
        ProblemError: 422 ``invalid_request``: there is none.
    """
    found: str | None = tx.execute(select(category.c.id).where(category.c.slug == slug)).scalar()
    if found is None:
        raise invalid_request(("category", "there is no such category"))
    return found


def ref(row: Row[Any]) -> CategoryRef:
    """A row as it travels."""
    return CategoryRef(id=row.id, slug=row.slug, name=row.name)


def taken(slug: str) -> ProblemError:
    """The refusal for a slug that another one has."""
    return ProblemError(409, "slug_taken", f"Another one is called {slug} already. Choose another slug.")
