"""Entries as they travel: the sentence is said now, with the people and texts as they are now.

JSON in the shape of the contract's ``Entry`` is put together by hand, since fifty models a page would cost more than
the page itself; tests hold it against the model.
A row that another version wrote, or that somebody broke, is shown as well as it can be; it never breaks the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any, Final

from pydantic_core import from_json, to_json
from sqlalchemy import select

from server.activity.catalog import LEVELS, EventType, readable_type
from server.activity.groups import group_json
from server.activity.intake import TEXTS_KEPT
from server.activity.log import ACTOR_KINDS
from server.activity.models import activity_text
from server.activity.page import ACTOR_USER_ID, ID, PARAMS, RESOLVED_BY, TYPE, Row
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
"""Stands for a stranger's text that was erased with its person."""

_MAX_AT: Final = 253_402_300_799_999  # the end of the year 9999
_Texts = Mapping[str, Mapping[str, str]]


def render(
    tx: Tx, rows: Sequence[Row], caller: Principal, groups: Mapping[str, str] | None = None
) -> list[str]:
    """Rows of `page.columns` as entries for this caller: JSON of the contract's ``Entry``.

    Args:
        tx: to look up texts and members of staff.
        rows: in the order in which the entries are wanted.
        caller: whose actions they list.
        groups: of the open ones (`groups.groups`); an entry of none of these stands alone.
    """
    told = [_told(row[TYPE], row[PARAMS]) for row in rows]
    texts = _texts(tx, [row[ID] for row, what in zip(rows, told, strict=True) if what.texts is not None])
    staff = _staff(tx, {user for row in rows for user in (row[ACTOR_USER_ID], row[RESOLVED_BY]) if user})
    return [
        _entry(row, what, texts, staff, caller, groups or {}) for row, what in zip(rows, told, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Told:
    """What an entry's type and parameters say by themselves, whoever the person and whatever the texts.

    ``message`` is the sentence as JSON, None when it needs the order, the person or texts; ``texts`` names the
    latter, None when there were none.
    """

    kind: EventType
    message: str | None
    shown: Mapping[str, str]
    facts: str
    params: Mapping[str, Any]
    texts: tuple[str, ...] | None


@lru_cache(maxsize=4096)
def _told(type_name: str, params_text: str) -> _Told:
    """A page of the feed is read again and again by everybody who looks at it. Holds no personal data."""
    kind = readable_type(type_name)
    params = _params(params_text)
    texts = params.pop(TEXTS_KEPT, None)
    shown = {slot: show(how, params[slot]) for slot, how in kind.shown if slot in params}
    ready = texts is None and not kind.about_person and not kind.about_order
    message = quoted(kind.sentence.fill(shown)) if ready else None
    facts = to_json(params).decode()
    return _Told(kind, message, shown, facts, params, None if texts is None else tuple(texts))


def _entry(
    row: Row,
    told: _Told,
    texts: _Texts,
    staff: Mapping[str, str],
    caller: Principal,
    groups: Mapping[str, str],
) -> str:
    (
        entry_id,
        _,
        level,
        category,
        internal,
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
        email,
        name,
        mark,
    ) = row
    message, facts = told.message, told.facts
    if message is None:
        person = None if person_id is None else shown_as(email, name, mark)
        message, facts = _message(told, texts.get(entry_id), person, number)
    entry_id, at, actor = quoted(entry_id), _time(occurred_at), actor_name
    if actor_user_id is not None:
        actor = staff.get(actor_user_id)
    group = None if resolved_at is not None or level == "info" else groups.get(group_key)
    if group is None:
        group = group_json(quoted(group_key), 1, at, at, 0 if number is None else 1, entry_id)
    return (
        f'{{"id":{entry_id},{told.kind.json},"level":"{level if level in LEVELS else "warning"}",'
        f'"category":{quoted(category)},"internal":{"true" if internal == 1 else "false"},"message":{message},'
        f'"order":{"null" if number is None else _order(order_id, number)},'
        f'"actor":{{"kind":"{actor_kind if actor_kind in ACTOR_KINDS else "system"}",'
        f'"name":{"null" if actor is None else quoted(actor)}}},'
        f'"occurred_at":"{at}","inserted_at":"{at if inserted_at == occurred_at else _time(inserted_at)}",'
        f"{_OPEN if resolved_at is None else _resolved(resolved_at, staff.get(resolved_by))},"
        f'"group":{group},"facts":{facts},'
        f'"actions":{actions(caller, level, resolved=resolved_at is not None)}}}'
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


def _order(order_id: str, number: str) -> str:
    return f'{{"id":{quoted(order_id)},"number":{quoted(number)}}}'


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
    return rfc3339(min(max(at, 0), _MAX_AT))


def _texts(tx: Tx, ids: list[str]) -> _Texts:
    if not ids:
        return {}
    found: dict[str, dict[str, str]] = {}
    for entry_id, name, value in _TEXTS.rows(tx, ids=ids):
        found.setdefault(entry_id, {})[name] = value
    return found


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
_STAFF: Final[dict[str, Prepared]] = {}
