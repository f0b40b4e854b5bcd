"""The vault as it is read by those who look after it: pages of people, how many there are, one with all addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, func, literal, or_, select, true

from server.contract.orders import Address
from server.contract.people import PeopleCounts, PeopleTab
from server.kit.folding import fold, fold_email
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.tx import DialectName, Tx
from server.people.models import address, person
from server.people.service import holds

MAX_SEARCH: Final = 200
_TABS: Final[dict[PeopleTab, ColumnElement[bool]]] = {
    "all": true(),
    "customers": person.c.kind == "customer",
    "staff": person.c.kind == "staff",
}
_THERE: Final = and_(person.c.erased_at.is_(None), person.c.hidden_at.is_(None))


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """Which people: those of a tab whose e-mail, name or phone holds ``q``, letter for letter.

    Those who were erased, and those who are hidden until they are, come only with ``erased``; then ``q`` finds them by
    their marks too.
    """

    tab: PeopleTab = "all"
    q: str = ""
    erased: bool = False

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return f"people\0{self.tab}\0{self.erased}\0{self.q}"


def page(tx: Tx, query: PeopleQuery, request: PageRequest) -> Slice[Row[Any]]:
    """A page of rows of ``person``, newest first."""
    statement = select(person).where(_TABS[query.tab])
    if not query.erased:
        statement = statement.where(_THERE)
    if query.q.strip():
        statement = statement.where(_matches(tx.dialect, query.q, marks=query.erased))
    rows = tx.execute(keyset(statement, request, person.c.created_at, person.c.id)).all()
    return slice_of(rows, request)


def counts(tx: Tx, q: str = "") -> PeopleCounts:
    """How many people stand under each tab, of those who are found by ``q``. Erased and hidden ones do not count."""
    tabs = [func.count().filter(condition).label(tab) for tab, condition in _TABS.items()]
    statement = select(*tabs).select_from(person).where(_THERE)
    if q.strip():
        statement = statement.where(_matches(tx.dialect, q, marks=False))
    return PeopleCounts(**tx.execute(statement).one()._mapping)


def row_of(tx: Tx, person_id: str, *, lock: bool = False) -> Row[Any] | None:
    """The row of a person; None when there is none.

    Args:
        tx: the transaction.
        person_id: anything a stranger may have sent.
        lock: keep others from changing it until the transaction ends.
    """
    statement = select(person).where(person.c.id == person_id)
    return tx.execute(statement.with_for_update() if lock else statement).first()


def addresses_of(tx: Tx, person_id: str, most: int) -> list[Address]:
    """A person's addresses, the newest first, ``most`` of them."""
    statement = (
        select(*(address.c[field] for field in Address.model_fields))
        .where(address.c.person_id == person_id)
        .order_by(address.c.created_at.desc(), address.c.id.desc())
        .limit(most)
    )
    return [Address.model_construct(**row._mapping) for row in tx.execute(statement)]


def _matches(dialect: DialectName, q: str, *, marks: bool) -> ColumnElement[bool]:
    words = q.strip()
    position = func.instr if dialect == "sqlite" else func.strpos
    found = [
        holds(dialect, literal(fold_email(words)), literal(fold(words))),
        position(person.c.phone, words) > 0,
    ]
    if marks:
        found.append(position(person.c.mark, words.upper()) > 0)
    return or_(*found)
