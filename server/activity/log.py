"""Writing an entry without ever standing in the way of the write it tells about.

The entry goes into the caller's transaction, in a savepoint. What fails in there is undone alone and counted
(``store.drops``); where it took the whole transaction with it, the store runs the caller's unit once more with the log
off. When writing works again, one ``activity.gap`` entry tells how many are missing.

Warnings and errors of one group wait for each other on PostgreSQL, so that within a group the order of ``seq`` is the
order in which entries became visible: who resolves a group up to the newest entry seen resolves nothing unseen.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from sqlalchemy import BindParameter, Table, bindparam, case, func, insert, null, or_, select, update
from sqlalchemy.exc import DBAPIError

from server.activity.catalog import event_type
from server.activity.event_type import LEVELS, EventType
from server.activity.intake import (
    TEXTS_KEPT,
    OddEntryError,
    Subject,
    clean_name,
    clean_params,
    clean_texts,
    group_of,
    identity_of,
    search_words,
)
from server.activity.models import activity, activity_text
from server.kit import refs
from server.kit.clock import MINUTE, rfc3339
from server.kit.folding import mark_words
from server.kit.prepared import Prepared
from server.kit.tx import DialectName, TransactionLostError, Tx
from server.kit.upsert import upsert
from server.people.models import person

ActorKind = Literal["customer", "staff", "system", "provider", "job"]
ACTOR_KINDS: Final[tuple[ActorKind, ...]] = ("customer", "staff", "system", "provider", "job")
FUTURE: Final = 5 * MINUTE
"""How far ahead of our clock a time may be and still be believed."""
SENT_TIME: Final = "occurred_at_sent"
"""In the facts: the time that a sender gave, where it was too far ahead to be believed."""

PATIENCE: Final = 200
"""How long an entry waits for somebody else's lock on PostgreSQL, in milliseconds."""

_CATEGORY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_LATEST: Final = 2**42
_HELD_TOO_LONG: Final = ("55P03", "40P01")  # the wait ran out; two groups wait for each other
_diary = logging.getLogger("shopbell.activity")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. ``user_id`` for staff; ``name`` for a provider, a job or a program."""

    kind: ActorKind
    user_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry that stands. ``fresh`` is False when the event had been told before."""

    id: str
    fresh: bool


SYSTEM: Final = Actor("system")


def log(
    tx: Tx,
    type: str,  # noqa: A002 - the event's type, named as on the wire
    *,
    order_id: str | None = None,
    person_id: str | None = None,
    params: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    occurred_at: int | None = None,
    identity: str | Iterable[object] | None = None,
    actor: Actor = SYSTEM,
    level: str | None = None,
    category: str | None = None,
) -> str | None:
    """Tell what happened. Never raises, never changes the outcome of what it tells about.

    Args:
        tx: the transaction of the write it tells about.
        type: a type of the catalogue, or ``custom.…``; an unknown one is dropped and counted.
        order_id: the order it belongs to.
        person_id: whom it is about; the order's customer when left out.
        params: the sentence's parameters and other facts: JSON values without personal data, money as
            ``{"amount", "currency"}``. An e-mail address or the person's name in them is taken out.
        texts: strangers' free text by name (``reason``); kept apart and erasable.
        occurred_at: when it happened (ms); now when left out. More than 5 minutes ahead is taken as now, with the
            sender's value among the facts.
        identity: what names this event once and for all beside its type, e.g. ``("stripe", event_id)``. Telling it
            again changes nothing.
        actor: who did it.
        level: info, warning or error, where it is not the type's own.
        category: where it is not the type's own.

    Returns:
        The entry's id, of the first telling where there was one; None when it had to be dropped.
    """
    if not tx.activity_on:
        _let_go(tx, "transaction_lost", type)
        return None
    logged = record(
        tx,
        type,
        order_id=order_id,
        person_id=person_id,
        params=params,
        texts=texts,
        occurred_at=occurred_at,
        identity=identity,
        actor=actor,
        level=level,
        category=category,
    )
    return logged.id if logged else None


def record(tx: Tx, type: str, *, actor: Actor = SYSTEM, **given: Any) -> Logged | None:  # noqa: A002
    """Like `log`, and tells whether the entry is new."""
    tx.activity_tried = True
    if not tx.alive():  # a savepoint on SQLite would begin a transaction of its own, and commit it
        raise TransactionLostError
    try:
        logged = _write(tx, type, actor=actor, given=given)
    except TransactionLostError:
        raise  # the store runs the unit again without the log
    except Exception as error:
        if not tx.alive():
            raise TransactionLostError from error
        _let_go(tx, _reason(error), type)
        return None
    if logged.fresh:
        tx.touch("activity")
        _tell_gap(tx)
    return logged


def forget_order(tx: Tx, order_id: str) -> int:
    """The order is being deleted: its entries stay and point at none. Returns how many."""
    changed = _FORGET.run(tx, order_id_=order_id)
    if changed:
        tx.touch("activity")
    return changed


def _write(tx: Tx, type_name: object, *, actor: Actor, given: dict[str, Any]) -> Logged:
    kind = event_type(type_name) if isinstance(type_name, str) and len(type_name) <= 100 else None
    if kind is None:
        raise OddEntryError("unknown_type")
    given["level"] = given.get("level") or kind.level
    if given["level"] not in LEVELS:
        raise OddEntryError("bad_level")
    given["category"] = given.get("category") or kind.category
    if not isinstance(given["category"], str) or not _CATEGORY.fullmatch(given["category"]):
        raise OddEntryError("bad_category")
    if tx.dialect == "sqlite":
        with tx.savepoint():
            return _insert(tx, kind, actor, given)
    waits = given["level"] != "info"
    try:
        with tx.savepoint():
            return _insert_without_waiting_long(tx, kind, actor, given, waits=waits)
    except DBAPIError as error:
        if not waits or getattr(error.orig, "sqlstate", None) not in _HELD_TOO_LONG:
            raise
    # Somebody holds the group's lock for long. The entry matters more than its exact place.
    with tx.savepoint():
        return _insert_without_waiting_long(tx, kind, actor, given, waits=False)


def _insert_without_waiting_long(
    tx: Tx, kind: EventType, actor: Actor, given: dict[str, Any], *, waits: bool
) -> Logged:
    tx.driver_sql(f"SET LOCAL lock_timeout = {PATIENCE:d}")  # undone by the savepoint when something fails
    logged = _insert(tx, kind, actor, given, waits=waits)
    tx.driver_sql("SET LOCAL lock_timeout TO DEFAULT")
    return logged


def _insert(tx: Tx, kind: EventType, actor: Actor, given: dict[str, Any], *, waits: bool = False) -> Logged:
    order_id = given.get("order_id")
    number, subject = _about(tx, order_id, given.get("person_id"))
    params, redacted = clean_params(given.get("params"), subject)
    texts = {} if subject.gone else clean_texts(given.get("texts"))
    if redacted:
        _diary.warning("personal data kept out of an entry", extra={"fields": {"type": kind.name}})
    occurred_at = _moment(tx.now, given.get("occurred_at"), params)
    if texts:
        params[TEXTS_KEPT] = sorted(texts)
    entry_id = tx.new_id()
    alike = group_of(kind, params=params, texts=texts, order_id=order_id, subject=subject)
    group_key = alike or entry_id
    if waits and alike:
        tx.driver_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", {"key": f"activity {group_key}"}
        )
    identity = identity_of(kind.name, given.get("identity")) or entry_id
    made = _insert_for(tx.dialect).rows(
        tx,
        id_=entry_id,
        type_=kind.name,
        level_=given["level"],
        category_=given["category"],
        internal_=int(kind.internal),
        order_id_=order_id,
        person_id_=subject.person_id,
        actor_kind_=actor.kind if actor.kind in ACTOR_KINDS else "system",
        actor_user_id_=actor.user_id,
        actor_name_=clean_name(actor.name, subject),
        params_=json.dumps(params, ensure_ascii=False, separators=(",", ":")),
        words_=search_words(kind, params, number),
        identity_=identity,
        group_key_=group_key,
        occurred_at_=occurred_at,
        inserted_at_=tx.now,
    )
    if not made:
        return Logged(_KNOWN.rows(tx, identity_=identity)[0][0], fresh=False)
    for name, value in texts.items():
        _INSERT_TEXT.run(
            tx,
            activity_id_=entry_id,
            name_=name,
            person_id_=subject.person_id,
            occurred_at_=occurred_at,
            value_=value,
            words_=mark_words(value),
        )
    return Logged(entry_id, fresh=True)


def _moment(now: int, occurred_at: object, params: dict[str, Any]) -> int:
    """When it happened, as far as that can be believed; what cannot goes among the facts."""
    if occurred_at is None:
        return now
    if type(occurred_at) is not int:
        raise OddEntryError("bad_time")
    if 0 <= occurred_at <= now + FUTURE:
        return occurred_at
    params[SENT_TIME] = rfc3339(occurred_at) if 0 <= occurred_at < _LATEST else occurred_at
    return now


def _about(tx: Tx, order_id: str | None, person_id: str | None) -> tuple[str | None, Subject]:
    """The order's number, and whom the entry is about."""
    orders = refs.orders()
    if order_id is not None and orders is not None:
        lookup = _ABOUT.get("order") or _ABOUT.setdefault(
            "order",
            Prepared(
                select(
                    orders.c.number,
                    func.coalesce(bindparam("person_id_"), orders.c.person_id),
                    person.c.email_key,
                    person.c.name_key,
                    case((or_(orders.c.anonymized_at.is_not(None), _ERASED), 1), else_=0),
                )
                .outerjoin_from(
                    orders, person, person.c.id == func.coalesce(bindparam("person_id_"), orders.c.person_id)
                )
                .where(orders.c.id == bindparam("order_id_"))
            ),
        )
        if found := lookup.rows(tx, order_id_=order_id, person_id_=person_id):
            number, *subject = found[0]
            return number, Subject(*subject)
    if person_id is None:
        return None, Subject()
    known = _PERSON.rows(tx, person_id_=person_id)
    return None, Subject(person_id, *(known[0] if known else ()))


def _tell_gap(tx: Tx) -> None:
    """Writing works: tell what is missing since it last did. Told once, whoever comes first."""
    gap = tx.drops.gap()
    if gap is None:
        return
    given = {
        "params": {"count": gap.count, "first_at": gap.first_at, "last_at": gap.last_at},
        "identity": (gap.origin, gap.after),
    }
    try:
        logged = _write(tx, "activity.gap", actor=SYSTEM, given=given)
    except TransactionLostError:
        raise
    except Exception as error:
        if not tx.alive():
            raise TransactionLostError from error
        return  # still untold: the next entry tries again
    if logged.fresh:
        tx.after_commit(lambda: tx.drops.told(gap))


def _let_go(tx: Tx, reason: str, type_name: object) -> None:
    known = type_name if isinstance(type_name, str) and event_type(type_name) else "unknown"
    tx.drop(reason, known)
    _diary.error("activity entry dropped", extra={"fields": {"type": known, "because": reason}})


def _reason(error: Exception) -> str:
    """What a loss is counted under: never the error's words, which may hold somebody's data."""
    if isinstance(error, OddEntryError):
        return error.reason
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return type(cause).__name__


_ABOUT: Final[dict[str, Prepared]] = {}
_ERASED: Final = person.c.erased_at.is_not(None)
_PERSON: Final = Prepared(
    select(person.c.email_key, person.c.name_key, case((_ERASED, 1), else_=0)).where(
        person.c.id == bindparam("person_id_")
    )
)
_KNOWN: Final = Prepared(select(activity.c.id).where(activity.c.identity == bindparam("identity_")))
_FORGET: Final = Prepared(
    update(activity).where(activity.c.order_id == bindparam("order_id_")).values(order_id=null())
)


def _binds(table: Table, leave_out: tuple[str, ...]) -> dict[str, BindParameter[Any]]:
    names = [name for name in table.c.keys() if name not in leave_out]  # noqa: SIM118 - not a dict
    return {name: bindparam(f"{name}_") for name in names}


_VALUES: Final = _binds(activity, ("seq", "resolved_at", "resolved_by", "resolution"))
_INSERT_TEXT: Final = Prepared(insert(activity_text).values(_binds(activity_text, ("seq",))))


@cache
def _insert_for(dialect: DialectName) -> Prepared:
    return Prepared(
        upsert(dialect, activity)
        .values(_VALUES)
        .on_conflict_do_nothing(index_elements=[activity.c.identity])
        .returning(activity.c.seq)
    )
