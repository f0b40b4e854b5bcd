"""The erasure itself: every rule of the registry, in one transaction.

``counts`` says what ``erase`` would do, by the same conditions in the same order; whoever shows the one and does the
other compares them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, func, select, update

from server.deletion import mentions, steps
from server.kit.tx import Tx
from server.people import erasure
from server.people.erasure import Mentions, Rule, Subject
from server.people.models import person

TOPICS: Final = (
    *("people", "access", "orders", "activity", "mail", "jobs"),
    *("carts", "tickets", "content", "billing", "audit"),
)
"""Whatever shows a person is looked at again."""


def hold(tx: Tx, person_id: str) -> None:
    """Let nothing new be tied to the person until this transaction ends.

    Whoever ties something to a person holds the row of the vault (``people.find_or_create_customer`` before all, and
    every foreign key); on SQLite there is only one writing transaction anyway.
    """
    tx.execute(select(person.c.id).where(person.c.id == person_id).with_for_update())


def counts(tx: Tx, subject: Subject) -> dict[str, int]:
    """How many rows each rule concerns now, by the rules' keys; rules that concern none are left out."""
    found = {key_of(entry): mentions.count(tx, entry, subject) for entry in erasure.mentions()}
    found |= {rule.key: _count(tx, rule, subject) for rule in steps.in_order()}
    return {key: many for key, many in found.items() if many}


def erase(tx: Tx, subject: Subject) -> dict[str, int]:
    """Carry out every rule. Nothing is checked: whether it may be done is for the caller to say.

    Returns:
        What was done, as `counts` would have told just before.
    """
    hold(tx, subject.person_id)
    done = {key_of(entry): mentions.replace(tx, entry, subject) for entry in erasure.mentions()}
    done |= {rule.key: _carry_out(tx, rule, subject) for rule in steps.in_order()}
    tx.touch(*TOPICS)
    return {key: many for key, many in done.items() if many}


def key_of(entry: Mentions) -> str:
    """What the count of an entry's texts is called, as ``Rule.key``."""
    return f"anonymise {mentions.noun(entry)}"


def _count(tx: Tx, rule: Rule, subject: Subject) -> int:
    theirs = select(func.count()).select_from(rule.table).where(rule.whose(subject))
    return int(tx.execute(theirs).scalar_one())


def _carry_out(tx: Tx, rule: Rule, subject: Subject) -> int:
    if rule.fate == "keep":
        return _count(tx, rule, subject)
    if rule.values is None:
        return tx.execute(delete(rule.table).where(rule.whose(subject))).rowcount
    changed = update(rule.table).where(rule.whose(subject)).values(dict(rule.values(subject)))
    return tx.execute(changed).rowcount
