"""The plan of a deletion: what would happen, in exact counts, and what must be typed to let it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, delete, func, select

from server.accounts.models import oauth_link
from server.contract.deletion import DeletionPlan, Drift, PlannedTable
from server.deletion import erasing, mentions, policy, steps
from server.deletion.models import plan as plans
from server.kit.access import Principal
from server.kit.clock import DAY, instant
from server.kit.folding import fold_email
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.people import erasure
from server.people.erasure import Known, Subject
from server.people.models import address, billing_profile, person
from server.people.service import shown_as

GOOD_FOR: Final = DAY
"""How long a plan may be carried out, in milliseconds."""
_REMEMBERED: Final = 2 * DAY
_SHORTEST_STREET: Final = 6
_SHORTEST_OTHER: Final = 6
_MENTIONED: Final = "The texts stay; the person's e-mail, phone, name and street in them become the mark."


@dataclass(frozen=True, slots=True)
class Stand:
    """How things stand with a person: who they are, and what would happen to their records."""

    row: Row[Any]
    subject: Subject
    counts: Mapping[str, int]
    hash: str


def subject(tx: Tx, person_id: str) -> Subject:
    """Whom an erasure of this person is about, with all that the vault holds of them.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = policy.find(tx, person_id)
    account = policy.account_of(tx, person_id)
    return Subject(
        person_id, None if account is None else account.id, row.mark, tx.now, _known(tx, row, account)
    )


def stand(tx: Tx, person_id: str) -> Stand:
    """How things stand with a person now.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = policy.find(tx, person_id)
    about = subject(tx, person_id)
    counts = erasing.counts(tx, about)
    return Stand(row, about, counts, name_of(identity(tx, row), counts))


def make(tx: Tx, person_id: str, caller: Principal, *, grace_days: int = 0) -> DeletionPlan:
    """Plan a person's deletion, and remember the plan for a day.

    Args:
        tx: a writing transaction.
        person_id: whom.
        caller: who would delete; what stands in their way is part of the plan.
        grace_days: how long the erasure would wait.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_erased``.
    """
    now = stand(tx, person_id)
    if now.row.erased_at is not None:
        raise ProblemError(409, "already_erased", "This person has been erased already.")
    tx.execute(delete(plans).where(plans.c.made_at < tx.now - _REMEMBERED))
    insert = upsert(tx.dialect, plans)
    kept = insert.values(hash=now.hash, person_id=person_id, counts=dict(now.counts), made_at=tx.now)
    tx.execute(kept.on_conflict_do_update(index_elements=[plans.c.hash], set_={"made_at": tx.now}))
    tables = tables_of(now.counts)
    return DeletionPlan(
        person_id=person_id,
        kind=now.row.kind,
        shown=shown_as(now.row.email, now.row.name, now.row.mark),
        confirm=_to_type(now.row),
        tables=tables,
        total=sum(table.count for table in tables if table.fate != "keep"),
        protections=policy.protections(tx, caller, now.row),
        hash=now.hash,
        grace_days=grace_days,
        also=_also(tx, now.row),
        made_at=instant(tx.now),
    )


def tables_of(counts: Mapping[str, int]) -> list[PlannedTable]:
    """What counts mean, in the order in which people read them: what goes, what is anonymised, what stays."""
    entries = [
        PlannedTable(
            table=rule.table.name, noun=rule.noun, fate=rule.fate, count=counts[rule.key], why=rule.why
        )
        for rule in erasure.rules()
        if rule.key in counts
    ]
    entries += [
        PlannedTable(
            table=entry.table.name,
            noun=mentions.noun(entry),
            fate="anonymise",
            count=counts[erasing.key_of(entry)],
            why=_MENTIONED,
        )
        for entry in erasure.mentions()
        if erasing.key_of(entry) in counts
    ]
    fates = ("delete", "anonymise", "keep")
    return sorted(entries, key=lambda entry: fates.index(entry.fate))


@dataclass(frozen=True, slots=True)
class Pinned:
    """A plan that was agreed to, and who it was about when that was checked."""

    hash: str
    counts: Mapping[str, int]
    identity: Sequence[object]

    def check(self, counts: Mapping[str, int]) -> None:
        """Whether these counts are what was planned, for the person as planned.

        Raises:
            ProblemError: 409 ``plan_changed`` with what moved (``drift``).
        """
        if name_of(self.identity, counts) != self.hash:
            raise changed(self.counts, counts)


def pinned(tx: Tx, plan_hash: str, row: Row[Any]) -> Pinned:
    """A plan that was made for this person, to be compared with what is done.

    Raises:
        ProblemError: 404 ``plan_unknown`` for one that was never made for this person, 410 for one older than a day.
    """
    made = tx.execute(select(plans).where(plans.c.hash == plan_hash)).first()
    if made is None or made.person_id != row.id:
        raise ProblemError(404, "plan_unknown", "This plan was not made for this person. Look at a new one.")
    if made.made_at <= tx.now - GOOD_FOR:
        raise ProblemError(410, "plan_unknown", "This plan is older than a day. Look at a new one.")
    return Pinned(plan_hash, made.counts, identity(tx, row))


def check_typed(row: Row[Any], typed: str) -> None:
    """Whether what was typed is what the plan asked for: letters' case and blanks around it do not matter.

    Raises:
        ProblemError: 422 ``confirmation_mismatch``.
    """
    if fold_email(typed) != fold_email(_to_type(row)):
        raise ProblemError(
            422,
            "confirmation_mismatch",
            "What was typed is not what the plan asks for. Nothing was deleted.",
            fields=[("confirm", "is not what the plan asks for")],
        )


def changed(planned: Mapping[str, int], now: Mapping[str, int]) -> ProblemError:
    """The refusal of a plan that is not true any more, with what moved."""
    names = {rule.key: (rule.table.name, rule.noun) for rule in steps.in_order()}
    names |= {erasing.key_of(entry): (entry.table.name, mentions.noun(entry)) for entry in erasure.mentions()}
    drift = [
        Drift(table=names[key][0], noun=names[key][1], planned=planned.get(key, 0), now=now.get(key, 0))
        for key in names
        if planned.get(key, 0) != now.get(key, 0)
    ]
    moved = "; ".join(f"{one.noun}: {one.planned} then, {one.now} now" for one in drift)
    return ProblemError(
        409,
        "plan_changed",
        f"The person's records changed since the plan ({moved or 'who they are'}). Look at a new plan.",
        extra={"drift": [one.model_dump() for one in drift]},
    )


def _known(tx: Tx, row: Row[Any], account: Row[Any] | None) -> Known:
    places = tx.execute(select(address).where(address.c.person_id == row.id)).all()
    profiles = tx.execute(select(billing_profile).where(billing_profile.c.person_id == row.id)).all()
    elsewhere: list[str] = []
    if account is not None:
        links = select(oauth_link.c.subject).where(oauth_link.c.user_id == account.id)
        elsewhere = list(tx.execute(links).scalars())
    called = [row.name, *(one.name for one in (*places, *profiles))]
    said = [profile for one in profiles for profile in (one.company, one.tax_id)]
    return Known(
        emails=_distinct([row.email, *(one.email for one in profiles)]),
        phones=_distinct([row.phone, *(one.phone for one in profiles)]),
        names=_distinct(
            name
            for name in called
            if name and len(name.split()) > 1  # one word alone is nobody in particular
        ),
        streets=_distinct(
            line
            for place in places
            for line in (place.line1, place.line2)
            if line and len(line) >= _SHORTEST_STREET and (" " in line or any(map(str.isdigit, line)))
        ),
        others=_distinct(word for word in (*said, *elsewhere) if word and len(word) >= _SHORTEST_OTHER),
        values=_distinct(
            [
                *(part for place in places for part in (place.city, place.postal_code, place.state)),
                *(name for name in called if name and len(name.split()) == 1),
            ]
        ),
    )


def _distinct(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in words if word and word.strip()))


def _to_type(row: Row[Any]) -> str:
    return str(row.email or row.name or row.mark)


def _also(tx: Tx, row: Row[Any]) -> int:
    if row.email_key is None:
        return 0
    others = (person.c.email_key == row.email_key) & (person.c.id != row.id)
    return int(tx.execute(select(func.count()).select_from(person).where(others)).scalar_one())


def identity(tx: Tx, row: Row[Any]) -> list[object]:
    """Who a plan is about, as they stand; nothing in it can be guessed back."""
    account = policy.account_of(tx, row.id)
    who = [row.id, row.kind, row.updated_at, row.erased_at, row.hidden_at]
    return who + ([None] * 3 if account is None else [account.id, account.role, account.active])


def name_of(who: Sequence[object], counts: Mapping[str, int]) -> str:
    """The name of a plan: who it is about, and every count."""
    told = json.dumps([list(who), sorted(counts.items())], separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()
