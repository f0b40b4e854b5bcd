"""A shop whose every table holds something, of one person and of others: made by rows, for every rule at once."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
    insert,
)

from server.contract.deletion import Delete, Deletion, DeletionPlan
from server.deletion import service as deletions
from server.kit.access import Principal
from server.kit.db import Store
from server.kit.folding import fold, fold_email, mark_words
from server.kit.schema import ID, JSON, metadata
from server.kit.tx import Tx

SKIPPED = {
    "alembic_version",
    "topic",
    "store_fact",
    "order_day",
    "setup_code",
    "job_schedule",
    "job_queue",
    "setting",
}
"""Tables of the shop itself, whose rows mean something to the program: nothing random belongs there."""
SOME = 0.25
"""How often a reference that may be empty is."""
_USERS = (
    *("user_id", "actor_user_id", "target_user_id", "author_user_id", "assigned_to", "changed_by"),
    *("resolved_by", "asked_by", "invited_by", "updated_by", "paused_by"),
)
_ORDERS = ("order_id", "recovered_order_id")
REFERENCES = {
    "person_id": "person",
    **dict.fromkeys(_USERS, "account"),
    **dict.fromkeys(_ORDERS, "shop_order"),
    **{f"{name}_id": name for name in ("ticket", "activity", "cart", "mail", "job", "token")},
}
"""Columns that name a row of another table, some of them without a foreign key."""
CHOICES: dict[tuple[str, str], Sequence[str]] = {
    ("person", "kind"): ("customer",),
    ("account", "role"): ("user",),
    ("inbox", "state"): ("received", "done", "ignored", "parked", "failed", "dead"),
    ("job", "state"): ("done", "exhausted", "cancelled"),
    ("deletion", "state"): ("restored",),
    ("deletion", "kind"): ("customer",),
}

Words = Callable[[Table, Column[Any], dict[str, Any]], str]


def unique_columns(table: Table) -> set[str]:
    """The columns that no two rows may agree in, by themselves or with others."""
    constraints = [
        one for one in table.constraints if isinstance(one, UniqueConstraint | PrimaryKeyConstraint)
    ]
    named = {column.name for one in constraints for column in one.columns}
    named |= {column.name for index in table.indexes if index.unique for column in index.columns}
    return (
        named
        | {column.name for column in table.columns if column.unique}
        | ({"email"} if table.name == "person" else set())
    )


def plain_words(table: Table, column: Column[Any], row: dict[str, Any]) -> str:
    return "nothing of anybody"


@dataclass
class World:
    """Rows by table, as they are written."""

    rng: random.Random
    people: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    words: Words = plain_words
    count: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    def number(self) -> int:
        return next(iter(self.count))

    def fill(self, tx: Tx, most: int = 3, least: int = 0) -> None:
        """Rows of every table, parents first."""
        for table in metadata.sorted_tables:
            if table.name not in SKIPPED:
                self.fill_table(tx, table, self.rng.randint(least, most))

    def fill_table(self, tx: Tx, table: Table, many: int) -> None:
        for _ in range(many):
            row = self.row(tx, table)
            if row is not None:
                tx.execute(insert(table).values(row))
                self.note(table, row)

    def note(self, table: Table, row: dict[str, Any]) -> None:
        self.rows.setdefault(table.name, []).append(row)
        if table.name == "person":
            self.people.append(row["id"])
        if table.name == "account":
            self.users.append(row["id"])

    def row(self, tx: Tx, table: Table) -> dict[str, Any] | None:
        made: dict[str, Any] = {}
        for column in table.columns:
            value = self.value(tx, table, column, made)
            if value is None and not column.nullable and column.name != "seq":
                return None
            if column.name != "seq":
                made[column.name] = value
        if table.name == "person":
            made |= {"email_key": fold_email(made["email"]), "name_key": fold(made["name"])}
            made |= {"erased_at": None, "hidden_at": None, "mark": f"{self.rng.randrange(65_536):04X}"}
        if "words" in made and "value" in made:
            made["words"] = mark_words(made["value"])
        return made

    def value(self, tx: Tx, table: Table, column: Column[Any], made: dict[str, Any]) -> Any:
        name, kind = column.name, column.type
        if (table.name, name) in CHOICES:
            return self.rng.choice(CHOICES[table.name, name])
        if isinstance(kind, SmallInteger):
            return self.rng.randint(0, 1)
        if isinstance(kind, Integer | BigInteger):
            return self.number()
        if column.foreign_keys or name in REFERENCES:
            return self.reference(table, column)
        if kind is ID:
            return tx.new_id()
        return self.text(table, column, made)

    def reference(self, table: Table, column: Column[Any]) -> Any:
        """The id of some row that the column may name; None now and then."""
        keys = [key.column.table.name for key in column.foreign_keys]
        parents = self.rows.get(keys[0] if keys else REFERENCES[column.name], [])
        if column.name in unique_columns(table):
            taken = {row[column.name] for row in self.rows.get(table.name, [])}
            parents = [row for row in parents if row["id"] not in taken]
        if not parents or (column.nullable and self.rng.random() < SOME):
            return None
        return self.rng.choice(parents)["id"]

    def text(self, table: Table, column: Column[Any], made: dict[str, Any]) -> Any:
        words = self.words(table, column, made)
        if column.name in unique_columns(table):
            words = f"{words} {self.number()}"
        if column.name == "email":
            words = f"{words.replace(' ', '.')}@example.com"
        if isinstance(column.type, LargeBinary):
            return words.encode()
        return {"said": words} if column.type is JSON else words


def delete(store: Store, person_id: str, caller: Principal) -> Deletion:
    """Plan and delete, as somebody does who reads and types."""
    plan = planned(store, person_id, caller)
    request = Delete(plan=plan.hash, confirm=plan.confirm)
    return store.write(lambda tx: deletions.delete(tx, person_id, request, caller))


def planned(store: Store, person_id: str, caller: Principal) -> DeletionPlan:
    return store.write(lambda tx: deletions.plan(tx, person_id, caller))
