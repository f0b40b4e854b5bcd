"""Billing profiles: to whom, and where, a person's invoices are made out. Who has any has one that is the default."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from server.contract.people import BillingProfile, NewBillingProfile
from server.kit.clock import instant
from server.kit.folding import clean_text
from server.kit.problems import invalid_request, not_found
from server.kit.tx import Tx
from server.people import service as people
from server.people.editing import cleaned
from server.people.models import billing_profile as profile
from server.people.service import MAX_NAME

_LINES: Final = ("label", "name", "company", "tax_id")


def add(tx: Tx, person_id: str, new: NewBillingProfile) -> str:
    """Make a profile. A person's first one is the default, whatever is asked for.

    Returns:
        Its id.

    Raises:
        ProblemError: 422 ``invalid_request``.
    """
    values = _values(tx, person_id, new)
    first = tx.execute(select(profile.c.id).where(profile.c.person_id == person_id).limit(1)).first() is None
    profile_id = tx.new_id()
    tx.execute(
        insert(profile).values(
            id=profile_id,
            person_id=person_id,
            is_default=0,
            created_at=tx.now,
            updated_at=tx.now,
            **values,
        )
    )
    if first or new.is_default:
        make_default(tx, person_id, profile_id)
    tx.touch("people")
    return profile_id


def replace(tx: Tx, person_id: str, profile_id: str, new: NewBillingProfile) -> None:
    """Write a profile anew. The default one stays that until another is made it.

    Raises:
        ProblemError: 404 ``not_found``, also for somebody else's; 422 ``invalid_request``.
    """
    values = _values(tx, person_id, new)
    mine = (profile.c.id == profile_id) & (profile.c.person_id == person_id)
    written = update(profile).where(mine).values(**values, updated_at=tx.now).returning(profile.c.id)
    if tx.execute(written).first() is None:
        raise not_found("billing profile")
    if new.is_default:
        make_default(tx, person_id, profile_id)
    tx.touch("people")


def remove(tx: Tx, person_id: str, profile_id: str) -> str | None:
    """Take a profile away. When it was the default, the newest of the others takes its place.

    Returns:
        The id of the one that is the default in its place; None where nothing else changed.

    Raises:
        ProblemError: 404 ``not_found``, also for somebody else's.
    """
    mine = (profile.c.id == profile_id) & (profile.c.person_id == person_id)
    gone = tx.execute(delete(profile).where(mine).returning(profile.c.is_default)).first()
    if gone is None:
        raise not_found("billing profile")
    tx.touch("people")
    if not gone.is_default:
        return None
    newest = (profile.c.created_at.desc(), profile.c.id.desc())
    others = select(profile.c.id).where(profile.c.person_id == person_id).order_by(*newest).limit(1)
    heir: str | None = tx.execute(others).scalar()
    if heir is not None:
        make_default(tx, person_id, heir)
    return heir


def make_default(tx: Tx, person_id: str, profile_id: str) -> None:
    """Let this one of a person's profiles be the default, and no other."""
    mine = profile.c.person_id == person_id
    tx.execute(update(profile).where(mine & (profile.c.id != profile_id)).values(is_default=0))
    tx.execute(update(profile).where(mine & (profile.c.id == profile_id)).values(is_default=1))


def of(tx: Tx, person_id: str, most: int) -> list[BillingProfile]:
    """A person's profiles, the default first, then the newest, ``most`` of them."""
    order = (profile.c.is_default.desc(), profile.c.created_at.desc(), profile.c.id.desc())
    mine = select(profile).where(profile.c.person_id == person_id).order_by(*order).limit(most)
    return shown(tx, tx.execute(mine).all())


def get(tx: Tx, profile_id: str) -> BillingProfile:
    """A profile as clients see it.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = tx.execute(select(profile).where(profile.c.id == profile_id)).first()
    if row is None:
        raise not_found("billing profile")
    return shown(tx, [row])[0]


def shown(tx: Tx, rows: Sequence[Row[Any]]) -> list[BillingProfile]:
    """Rows of profiles with their addresses."""
    wanted: Collection[str] = {row.address_id for row in rows if row.address_id is not None}
    places = people.addresses(tx, wanted) if wanted else {}
    return [
        BillingProfile(
            id=row.id,
            label=row.label,
            name=row.name,
            company=row.company,
            tax_id=row.tax_id,
            email=row.email,
            phone=row.phone,
            address=places.get(row.address_id),
            is_default=bool(row.is_default),
            created_at=instant(row.created_at),
        )
        for row in rows
    ]


def _values(tx: Tx, person_id: str, new: NewBillingProfile) -> dict[str, Any]:
    texts = {field: getattr(new, field) for field in _LINES}
    values: dict[str, Any] = {
        field: None if text is None else clean_text(text.strip(), MAX_NAME) or None
        for field, text in texts.items()
    }
    if values["label"] is None:
        raise invalid_request(("label", "must hold more than spaces"))
    values |= {field: cleaned(field, getattr(new, field)) for field in ("email", "phone")}
    values["address_id"] = None if new.address is None else people.add_address(tx, person_id, new.address)
    return values
