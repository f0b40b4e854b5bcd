"""The verbs of the vault. Every other room holds a person's id and asks here for what stands behind it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, func, insert, literal, or_, select, update

from server.contract.orders import Address
from server.kit.folding import clean_text, fold, fold_email
from server.kit.ids import random_text
from server.kit.tx import DialectName, Tx
from server.kit.upsert import upsert
from server.people.models import address, person

PersonKind = Literal["customer", "staff"]

MAX_EMAIL: Final = 254
MAX_NAME: Final = 255
MAX_PHONE: Final = 40
_MARK_SIGNS: Final = "0123456789ABCDEF"
_AT_ONCE: Final = 500  # ids in one statement


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the shop knows. After erasure only ``id``, ``kind``, ``mark`` and ``erased_at`` (ms) are left."""

    id: str
    kind: str
    name: str | None
    email: str | None
    phone: str | None
    mark: str
    erased_at: int | None

    @property
    def shown(self) -> str:
        """How a sentence names this person."""
        return shown_as(self.email, self.name, self.mark)


def shown_as(email: str | None, name: str | None, mark: str | None) -> str:
    """How a sentence names a person: the e-mail, else the name, else ``⟨erased 7F2A⟩``."""
    return email or name or (f"⟨erased {mark}⟩" if mark else "⟨erased⟩")


def find_or_create_customer(tx: Tx, *, email: str, name: str | None = None, phone: str | None = None) -> str:
    """The customer with this e-mail, whatever its letters' case; made when there is none.

    An empty name or phone is filled with what is given here; one that is there stays as it is.

    Returns:
        The person's id.

    Raises:
        ValueError: an e-mail of nothing but spaces.
    """
    return _find_or_create(tx, "customer", email=email, name=name, phone=phone)


def find_customer(tx: Tx, email: str) -> str | None:
    """The id of the customer with this e-mail, whatever its letters' case; None when there is none."""
    found: str | None = tx.execute(
        select(person.c.id).where(person.c.kind == "customer", person.c.email_key == fold_email(email))
    ).scalar()
    return found


def create_staff(tx: Tx, *, email: str, name: str | None = None) -> str:
    """The member of staff with this e-mail; made when there is none. An empty name is filled.

    Returns:
        The person's id.

    Raises:
        ValueError: an e-mail of nothing but spaces.
    """
    return _find_or_create(tx, "staff", email=email, name=name, phone=None)


def add_address(tx: Tx, person_id: str, place: Address) -> str:
    """Keep an address of a person; one that is there already, word for word, is used again.

    Returns:
        The address's id.
    """
    parts = {
        field: None if (value := getattr(place, field)) is None else clean_text(value, MAX_NAME)
        for field in ("name", "line1", "line2", "city", "postal_code", "state", "country")
    }
    same = (address.c[field].is_not_distinct_from(value) for field, value in parts.items())
    known: str | None = tx.execute(
        select(address.c.id).where(address.c.person_id == person_id, *same).order_by(address.c.id).limit(1)
    ).scalar()
    if known is not None:
        return known
    address_id = tx.new_id()
    tx.execute(insert(address).values(id=address_id, person_id=person_id, created_at=tx.now, **parts))
    tx.touch("people")
    return address_id


def addresses(tx: Tx, ids: Collection[str]) -> dict[str, Address]:
    """Addresses by id; one that is gone is left out."""
    columns = [address.c[field] for field in ("id", *Address.model_fields)]
    rows = _by_ids(tx, columns, address.c.id, ids)
    return {
        row.id: Address.model_construct(**{k: v for k, v in row._mapping.items() if k != "id"})
        for row in rows
    }


def people(tx: Tx, ids: Collection[str]) -> dict[str, Person]:
    """People by id; an unknown id is left out."""
    columns = [person.c[field] for field in Person.__slots__]
    return {row.id: Person(*row) for row in _by_ids(tx, columns, person.c.id, ids)}


def search(tx: Tx, q: str, limit: int = 200) -> list[str]:
    """People whose e-mail or name holds ``q`` somewhere, letter for letter, whatever case or accents.

    Returns:
        At most ``limit`` ids, the newest people first.
    """
    if not q.strip():
        return []
    condition = holds(tx.dialect, literal(fold_email(q)), literal(fold(q.strip())))
    found = select(person.c.id).where(condition).order_by(person.c.id.desc()).limit(limit)
    return list(tx.execute(found).scalars())


def holds(
    dialect: DialectName, email_part: ColumnElement[str], name_part: ColumnElement[str]
) -> ColumnElement[bool]:
    """The condition on ``person`` behind `search`, for statements that join the vault themselves.

    Args:
        dialect: the database's.
        email_part: what `kit.folding.fold_email` makes of the words searched for.
        name_part: what `kit.folding.fold` makes of them.
    """
    position = func.instr if dialect == "sqlite" else func.strpos
    return or_(position(person.c.email_key, email_part) > 0, position(person.c.name_key, name_part) > 0)


def _by_ids(
    tx: Tx, columns: Sequence[ColumnElement[Any]], key: ColumnElement[str], ids: Collection[str]
) -> list[Any]:
    wanted = sorted(set(ids))
    rows: list[Any] = []
    for start in range(0, len(wanted), _AT_ONCE):
        rows += tx.execute(select(*columns).where(key.in_(wanted[start : start + _AT_ONCE])))
    return rows


def _find_or_create(tx: Tx, kind: PersonKind, *, email: str, name: str | None, phone: str | None) -> str:
    email = clean_text(email.strip(), MAX_EMAIL)
    email_key = fold_email(email)
    if not email_key:
        raise ValueError("a person needs an e-mail")
    name = clean_text(name.strip(), MAX_NAME) or None if name else None
    phone = clean_text(phone.strip(), MAX_PHONE) or None if phone else None
    while True:
        found = _make_or_hold(tx, kind, email=email, name=name, phone=phone)
        if found is not None:
            return found
        # whoever had this e-mail was erased between the two statements: now it is free


def _make_or_hold(tx: Tx, kind: PersonKind, *, email: str, name: str | None, phone: str | None) -> str | None:
    """The person with this e-mail, whom nobody erases until this transaction ends; None when that just happened."""
    email_key = fold_email(email)
    make = upsert(tx.dialect, person)
    made: str | None = tx.execute(
        make.values(
            id=tx.new_id(),
            kind=kind,
            name=name,
            email=email,
            email_key=email_key,
            name_key=None if name is None else fold(name),
            phone=phone,
            mark=random_text(4, _MARK_SIGNS),
            created_at=tx.now,
            updated_at=tx.now,
        )
        .on_conflict_do_nothing(
            index_elements=[person.c.kind, person.c.email_key], index_where=person.c.email_key.is_not(None)
        )
        .returning(person.c.id)
    ).scalar()
    if made is not None:
        tx.touch("people")
        return made
    known = tx.execute(
        select(person.c.id, person.c.name, person.c.phone)
        .where(person.c.kind == kind, person.c.email_key == email_key)
        .with_for_update(read=True, key_share=True)
    ).first()
    if known is None:
        return None
    missing: dict[str, object] = {}
    if name is not None and not known.name:
        missing |= {"name": name, "name_key": fold(name)}
    if phone is not None and not known.phone:
        missing["phone"] = phone
    if missing:
        tx.execute(update(person).where(person.c.id == known.id).values(**missing, updated_at=tx.now))
        tx.touch("people")
    person_id: str = known.id
    return person_id
