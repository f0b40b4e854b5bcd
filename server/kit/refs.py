"""What lower rooms know of higher ones: which tables can name an order or a member of staff.

The rooms themselves stand above the ones that ask and are not imported; their tables are found by name in the one
catalogue of tables. Where a room is not there, its names are missing and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, Table, false, literal, or_, select

from server.kit.schema import metadata
from server.kit.tx import Tx


@dataclass(frozen=True, slots=True)
class OrderFact:
    """What an entry or a job needs to know of an order."""

    id: str
    number: str
    person_id: str | None


def orders() -> Table | None:
    """The table whose rows have ``id``, ``number`` and ``person_id``."""
    return metadata.tables.get("shop_order")


def staff() -> Table | None:
    """The table whose rows have a user's ``id`` and ``person_id``."""
    return metadata.tables.get("account")


def orders_of(person_id: str) -> Select[str]:
    """The ids of a person's orders, for conditions; none where there is no room of orders."""
    table = orders()
    if table is None:
        return select(literal("")).where(false())
    return select(table.c.id).where(table.c.person_id == person_id)


def is_anonymised(tx: Tx, order_id: str | None) -> bool:
    """Whether an order's customer has been erased."""
    table = orders()
    if table is None or order_id is None:
        return False
    found = select(table.c.id).where(table.c.id == order_id, table.c.anonymized_at.is_not(None))
    return tx.execute(found).first() is not None


def find_order(tx: Tx, id_or_number: str) -> OrderFact | None:
    """The order with this id, or this number in any case; None when there is none."""
    table = orders()
    if table is None:
        return None
    same = or_(table.c.id == id_or_number, table.c.number == id_or_number.upper())
    row = tx.execute(select(table.c.id, table.c.number, table.c.person_id).where(same).limit(1)).first()
    return None if row is None else OrderFact(row.id, row.number, row.person_id)
