"""The registry of erasure leaves out nothing: every column that names a person, and every text, has its fate."""

from __future__ import annotations

import random
import re

import pytest
from sqlalchemy import Table

import server.app.registered  # noqa: F401 - every room declares its rules
from server.deletion import erasing, mentions, planning, steps
from server.deletion.rows import texts_of
from server.kit.db import Store
from server.kit.schema import metadata
from server.kit.tx import Tx
from server.people import erasure
from server.people.erasure import Rule, Subject
from tests.server.deletion.plain_columns import PLAIN, TABLES
from tests.server.deletion.world import World

TABLE_NAMES = sorted(set(metadata.tables) - {"alembic_version"})
_PERSONAL = re.compile(r"(.*_)?(person_id|user_id|assigned_to|author|author_id|owner_id|customer_id)|.+_by")


def refers(table: Table) -> set[str]:
    """The columns of a table that name a person or an account: by a foreign key, or by what they are called."""
    found = {column.name for column in table.columns if _PERSONAL.fullmatch(column.name)}
    for key in table.foreign_keys:
        if key.column.table.name in ("person", "account"):
            found.add(key.parent.name)
    return found - {"handled_by"}  # a word: shopbell or the shop's own program


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_every_reference_to_a_person_has_a_fate(name: str) -> None:
    table = metadata.tables[name]
    covered = {column for rule in erasure.rules() if rule.table is table for column in rule.covers}
    exempt = {column for (of, column), why in erasure.exempted().items() if of == name and why}
    assert refers(table) <= covered | exempt
    assert covered | exempt <= set(table.columns.keys()), (
        "a rule or an exemption for a column that is not there"
    )
    assert not covered & exempt


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_every_text_goes_is_searched_or_says_why_not(name: str) -> None:
    """A text is deleted or overwritten by a rule, searched for mentions, or declared to hold nobody's words."""
    table = metadata.tables[name]
    covered = {
        column.name
        for rule in erasure.rules()
        if rule.table is table
        for column in steps.written_columns(rule)
    }
    covered |= {column for entry in erasure.mentions() if entry.table is table for column in entry.columns}
    texts = {column.name for column in texts_of(table)}
    if name in TABLES:
        assert not covered & texts, "this table is not only the shop's own"
        return
    plain = PLAIN.get(name, {})
    assert texts - covered == set(plain), (
        "what holds nobody's words is declared, with the reason, and nothing else is"
    )
    assert all(plain.values())


def test_declared_tables_are_there() -> None:
    assert set(PLAIN) | set(TABLES) <= set(metadata.tables)


def test_the_order_is_sound() -> None:
    """No rule is carried out after one that changes what it reads, unless they are about different rows."""
    order = steps.in_order()
    assert len(order) == len(erasure.rules())
    for place, rule in enumerate(order):
        for earlier in order[:place]:
            if earlier.table is not rule.table:
                assert not steps._read(rule) & steps.written_columns(earlier), (earlier.key, rule.key)


def test_a_circle_of_rules_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token, account = metadata.tables["token"], metadata.tables["account"]
    circle = (
        Rule(token, "a", "anonymise", "", lambda _: account.c.role == "x", (), lambda _: {"name": ""}),
        Rule(account, "b", "anonymise", "", lambda _: token.c.name == "x", (), lambda _: {"role": "user"}),
    )
    monkeypatch.setattr(erasure, "rules", lambda: circle)
    with pytest.raises(ValueError, match="each reads what another changes"):
        steps.in_order()


def test_names_of_counts_are_unique() -> None:
    keys = [rule.key for rule in erasure.rules()] + [erasing.key_of(entry) for entry in erasure.mentions()]
    assert len(set(keys)) == len(keys)
    assert all(mentions.noun(entry) for entry in erasure.mentions())


@pytest.mark.parametrize("user_id", [None, "nobody"])
def test_somebody_who_is_nowhere_concerns_no_row(store: Store, user_id: str | None) -> None:
    """Above all, a person without an account is not taken for everything that has no user."""

    def unit(tx: Tx) -> dict[str, int]:
        World(random.Random(4)).fill(tx, most=12, least=8)  # noqa: S311 - the same each time
        return erasing.counts(tx, Subject("nobody", user_id, "0000", tx.now))

    assert store.write(unit) == {}


def test_whom_an_erasure_is_about_is_never_printed(store: Store) -> None:
    def unit(tx: Tx) -> tuple[str, str]:
        made = World(random.Random(5), words=lambda *_: "Mary Secret")  # noqa: S311 - the same each time
        made.fill(tx, most=3, least=3)
        about = planning.subject(tx, made.people[0])
        return repr(about), repr(about.known)

    assert not any("ecret" in text for text in store.write(unit))
