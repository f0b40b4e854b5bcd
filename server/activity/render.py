"""Entries as they travel: the sentence is said now, with the people and texts as they are now.

JSON in the shape of the contract's ``Entry`` is put together by hand, since fifty models a page would cost more than
the page itself; tests hold it against the model.
A row that another version wrote, or that somebody broke, is shown as well as it can be; it never breaks the page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any, Final

from pydantic_core import from_json, to_json
from sqlalchemy import select

from server.activity import offers
from server.activity.catalog import readable_type
from server.activity.event_type import LEVELS, EventType
from server.activity.groups import group_json
from server.activity.intake import TEXTS_KEPT
from server.activity.log import ACTOR_KINDS
from server.activity.models import activity_text
from server.activity.page import (
    ACTOR_USER_ID,
    ID,
    ORDER_ID,
    PARAMS,
    PERSON_ID,
    RESOLVED_BY,
    TYPE,
    Row,
)
from server.activity.policy import actions
from server.activity.template import show
from server.kit import refs
from server.kit.access import Principal
from server.kit.clock import rfc3339
from server.kit.prepared import AnyOf, Prepared
from server.kit.tx import Tx
from server.people.models import person
from server.people.service import shown_as

ERASED: Final = "⟨erased⟩"
"""Stands for a stranger's text that was erased with its person, and for a person of whom nothing is left."""

_MAX_AT: Final = 253_402_300_799_999  # the end of the year 9999


def render(
    tx: Tx, rows: Sequence[Row], caller: Principal, groups: Mapping[str, str] | None = None
) -> list[str]:
    """Rows of `page.columns` as entries for this caller: JSON of the contract's ``Entry``.

    Args:
        tx: to look up texts, people and members of staff.
        rows: in the order in which the entries are wanted.
        caller: whose actions they list.
        groups: of the open ones (`groups.groups`); an entry of none of these stands alone.
    """
    told = [_told(*row[TYPE:ORDER_ID], row[PARAMS]) for row in rows]
    texts, people, staff, wanted = [], set(), set(), []
    for row, what in zip(rows, told, strict=True):
        if what.texts is not None:
            texts.append(row[ID])
        if what.about_person and row[PERSON_ID] is not None:
            people.add(row[PERSON_ID])
        if row[ACTOR_USER_ID] is not None:
            staff.add(row[ACTOR_USER_ID])
        if row[RESOLVED_BY] is not None:
            staff.add(row[RESOLVED_BY])
        if row[TYPE] in offers.OFFERS:
            wanted.append(offers.Told(row[ID], row[TYPE], row[ORDER_ID], what.params))
    joined = _Joined(
        _texts(tx, texts) if texts else {},
        _people(tx, people) if people else {},
        _staff(tx, staff) if staff else {},
        groups or {},
        offers.collect(tx, wanted, caller) if wanted else {},
        {which: actions(caller, *which) for which in _WHICH},
    )
    return [_entry(row, what, joined) for row, what in zip(rows, told, strict=True)]


_WHICH: Final = tuple((raised, resolved) for raised in (False, True) for resolved in (False, True))


@dataclass(frozen=True, slots=True)
class _Joined:
    """What rows point at: texts by entry; how people and members of staff are named by id; open groups by key; what
    other rooms offer by entry; what the caller may do, by whether it is a problem and whether it is resolved."""

    texts: Mapping[str, Mapping[str, str]]
    people: Mapping[str, str]
    staff: Mapping[str, str]
    groups: Mapping[str, str]
    offered: Mapping[str, str]
    actions: Mapping[tuple[bool, bool], str]


@dataclass(frozen=True, slots=True)
class _Told:
    """What an entry says by itself, whoever the person, whatever the order and the texts.

    ``start`` is JSON from the type to what comes before the message; ``message`` is the sentence as JSON, None when
    it needs the order, the person or texts; ``texts`` names the latter, None when there were none.
    """

    kind: EventType
    start: str
    message: str | None
    about_person: bool
    shown: Mapping[str, str]
    facts: str
    params: Mapping[str, Any]
    texts: tuple[str, ...] | None


@lru_cache(maxsize=4096)
def _told(type_name: str, level: str, category: str, internal: int, params_text: str) -> _Told:
    """Many entries say the same by themselves. Holds no personal data."""
    kind = readable_type(type_name)
    params = _params(params_text)
    texts = params.pop(TEXTS_KEPT, None)
    shown = {slot: show(how, params[slot]) for slot, how in kind.shown if slot in params}
    ready = texts is None and not kind.about_person and not kind.about_order
    return _Told(
        kind=kind,
        start=f'{kind.json},"level":"{level if level in LEVELS else "warning"}","category":{quoted(category)},'
        f'"internal":{"true" if internal == 1 else "false"}',
        message=quoted(kind.sentence.fill(shown)) if ready else None,
        about_person=kind.about_person,
        shown=shown,
        facts=to_json(params).decode(),
        params=params,
        texts=None if texts is None else tuple(texts),
    )


def _entry(row: Row, told: _Told, joined: _Joined) -> str:
    (
        entry_id,
        _,
        level,
        _,
        _,
        order_id,
        person_id,
        actor_kind,
        actor_user_id,
        actor_name,
        _,
        group_key,
        occurred_at,
        inserted_at,
        resolved_at,
        resolved_by,
        number,
    ) = row
    message, facts = told.message, told.facts
    if message is None:
        person = None if person_id is None else joined.people.get(person_id, ERASED)
        message, facts = _message(told, joined.texts.get(entry_id), person, number)
    raised, is_open = level != "info", resolved_at is None
    may = joined.actions[raised, not is_open]
    if (offered := joined.offered.get(entry_id)) is not None:
        may = f"{may[:-1]}{offered}]"
    entry_id, at = quoted(entry_id), _time(occurred_at)
    order, orders = "null", 0
    if number is not None:
        order, orders = f'{{"id":{quoted(order_id)},"number":{quoted(number)}}}', 1
    actor = actor_name if actor_user_id is None else joined.staff.get(actor_user_id)
    group = joined.groups.get(group_key) if raised and is_open else None
    return (
        f'{{"id":{entry_id},{told.start},"message":{message},"order":{order},'
        f'"actor":{{"kind":"{actor_kind if actor_kind in ACTOR_KINDS else "system"}",'
        f'"name":{"null" if actor is None else quoted(actor)}}},'
        f'"occurred_at":"{at}","inserted_at":"{at if inserted_at == occurred_at else _time(inserted_at)}",'
        f"{_OPEN if is_open else _resolved(resolved_at, joined.staff.get(resolved_by))},"
        f'"group":{group or group_json(quoted(group_key), 1, at, at, orders, entry_id)},'
        f'"facts":{facts},"actions":{may}}}'
    )


def _message(
    told: _Told, own: Mapping[str, str] | None, person: str | None, number: str | None
) -> tuple[str, str]:
    """The sentence and the facts with what belongs to this entry alone."""
    shown, facts = dict(told.shown), told.facts
    if told.texts is not None:
        said = {name: (own or {}).get(name, ERASED) for name in told.texts}
        shown |= said
        facts = to_json({**told.params, **said}).decode()
    if person is not None:
        shown["person"] = person
    if number is not None:
        shown["order"] = number
    return quoted(told.kind.sentence.fill(shown)), facts


_OPEN: Final = '"resolved_at":null,"resolved_by":null'


def _resolved(at: int, by: str | None) -> str:
    return f'"resolved_at":"{_time(at)}","resolved_by":{"null" if by is None else quoted(by)}'


def _params(text: str) -> dict[str, Any]:
    """An entry's parameters, whatever stands in the row."""
    try:
        params = from_json(text, allow_inf_nan=False)
    except ValueError:
        return {"unreadable": text[:200]}
    if not isinstance(params, dict):
        return {"value": params}
    kept = params.get(TEXTS_KEPT)
    if kept is None:
        params.pop(TEXTS_KEPT, None)
    elif not isinstance(kept, list) or not all(isinstance(name, str) for name in kept):
        del params[TEXTS_KEPT]
    return params


def _time(at: int) -> str:
    return rfc3339(at if 0 <= at <= _MAX_AT else 0 if at < 0 else _MAX_AT)


def _texts(tx: Tx, ids: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for entry_id, name, value in _TEXTS.rows(tx, ids=ids):
        found.setdefault(entry_id, {})[name] = value
    return found


def _people(tx: Tx, ids: Collection[str]) -> dict[str, str]:
    """How people are named; one whom the vault does not know is left out."""
    return {who: shown_as(email, name, mark) for who, email, name, mark in _PEOPLE.rows(tx, ids=list(ids))}


def _staff(tx: Tx, users: Iterable[str]) -> dict[str, str]:
    """How members of staff are named; one who is gone is left out."""
    wanted, table = sorted(users), refs.staff()
    if not wanted or table is None:
        return {}
    statement = _STAFF.get("staff") or _STAFF.setdefault(
        "staff",
        Prepared(
            select(table.c.id, person.c.email, person.c.name, person.c.mark)
            .join_from(table, person, person.c.id == table.c.person_id)
            .where(AnyOf(table.c.id, "users"))
        ),
    )
    return {user: shown_as(email, name, mark) for user, email, name, mark in statement.rows(tx, users=wanted)}


_TEXTS: Final = Prepared(
    select(activity_text.c.activity_id, activity_text.c.name, activity_text.c.value).where(
        AnyOf(activity_text.c.activity_id, "ids")
    )
)
_PEOPLE: Final = Prepared(
    select(person.c.id, person.c.email, person.c.name, person.c.mark).where(AnyOf(person.c.id, "ids"))
)
_STAFF: Final[dict[str, Prepared]] = {}
