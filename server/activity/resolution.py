"""Resolving and opening again. Both name what they change, so that what arrived meanwhile is left alone.

Everything resolved in one act shares a ``resolution`` id: undoing the act opens exactly those again.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, null, select, update

from server.activity.feed import entry
from server.activity.models import activity
from server.activity.policy import check_resolvable
from server.activity.selection import is_open
from server.contract.activity import Entry, Resolved
from server.kit import refs
from server.kit.access import Principal
from server.kit.prepared import AnyOf, Prepared
from server.kit.problems import invalid_request, not_found
from server.kit.tx import TransactionLostError, Tx

MOST_IDS: Final = 500
"""Most ids that an answer lists, and most that can be resolved or opened again by name."""


def resolve(
    tx: Tx,
    entry_id: str,
    *,
    caller: Principal,
    group: bool = False,
    seen: str | None = None,
    ids: list[str] | None = None,
) -> Resolved:
    """Resolve an entry, or its whole group as far as it was seen. What is resolved already stays as it is.

    Args:
        tx: a writing transaction.
        entry_id: the entry.
        caller: who resolves.
        group: all open entries of its group, recorded no later than ``seen``.
        seen: the member recorded last that the caller saw; the entry itself when left out.
        ids: exactly these entries instead, of which those that are gone or no problem are left out; with
            ``group`` only those of them that are of the group and recorded no later than ``seen``.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``not_resolvable`` for an entry that is no problem; 422
            ``invalid_request`` for a ``seen`` that is not of this group.
    """
    row = _find(tx, entry_id)
    check_resolvable(row.level)
    given = {"at": tx.now, "by": caller.user_id, "act": tx.new_id()}
    if group:
        last = row if seen is None else _seen(tx, seen, row.group_key)
        reach = {"key": row.group_key, "seq_": last.seq}
        if ids is None:
            changed = _RESOLVE_GROUP.rows(tx, **given, **reach)
        else:
            changed = _RESOLVE_OF_GROUP.rows(tx, **given, **reach, ids=ids[:MOST_IDS])
    elif ids is not None:
        changed = _RESOLVE_IDS.rows(tx, **given, ids=ids[:MOST_IDS])
    else:
        changed = _RESOLVE_ONE.rows(tx, **given, seq_=row.seq)
    return _answer(tx, changed, caller, entry_id)


def resolve_order(tx: Tx, order: str, caller: Principal) -> Resolved:
    """Resolve every open entry of an order, named by id or number.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    found = refs.find_order(tx, order)
    if found is None:
        raise not_found("order")
    changed = _RESOLVE_ORDER.rows(tx, at=tx.now, by=caller.user_id, act=tx.new_id(), order_id_=found.id)
    return _answer(tx, changed, caller, None)


def settle(
    tx: Tx,
    type: str,  # noqa: A002 - the event's type, as in ``log``
    *,
    order_id: str | None = None,
    person_id: str | None = None,
) -> None:
    """What an order's or a person's open entries of a type asked for came about by itself: resolve them, by nobody.

    Like writing an entry it never stands in the way of the write it belongs to: what fails is counted.
    """
    if not tx.activity_on:
        return
    tx.activity_tried = True
    try:
        with tx.savepoint():
            given = {"at": tx.now, "by": None, "act": tx.new_id(), "type_": type}
            if order_id is not None:
                changed = _SETTLE.rows(tx, order_id_=order_id, **given)
            else:
                changed = _SETTLE_PERSON.rows(tx, person_id_=person_id, **given)
    except TransactionLostError:
        raise
    except Exception:  # noqa: BLE001 - see above
        tx.drop("not_settled", type)
        return
    if changed:
        tx.touch("activity", "orders")


def reopen(
    tx: Tx,
    entry_id: str,
    *,
    caller: Principal,
    group: bool = False,
    seen: str | None = None,
    ids: list[str] | None = None,
) -> Resolved:
    """Open a resolved entry again; what is open stays as it is.

    Args:
        tx: a writing transaction.
        entry_id: the entry.
        caller: who opens it again.
        group: everything that was resolved together with it, in the same act.
        seen: with ``group``: nothing recorded later than this entry.
        ids: exactly these entries instead, as a `Resolved` listed them; those that are gone are left out.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``not_resolvable`` for an entry that is no problem.
    """
    row = _find(tx, entry_id)
    check_resolvable(row.level)
    if ids is not None:
        changed = _REOPEN_IDS.rows(tx, ids=ids[:MOST_IDS])
    elif group and row.resolution is not None:
        last = None if seen is None else _find(tx, seen).seq
        changed = _REOPEN_ACT.rows(tx, act=row.resolution, seq_=_EVERY if last is None else last)
    else:
        changed = _REOPEN_IDS.rows(tx, ids=[entry_id])
    return _answer(tx, changed, caller, entry_id)


def _find(tx: Tx, entry_id: str) -> Any:
    own = activity.c
    row = tx.execute(
        select(own.seq, own.level, own.group_key, own.resolution).where(own.id == entry_id)
    ).first()
    if row is None:
        raise not_found("entry")
    return row


def _seen(tx: Tx, seen: str, group_key: str) -> Any:
    row = _find(tx, seen)
    if row.group_key != group_key:
        raise invalid_request(("seen", "is not an entry of this group"))
    return row


def _answer(tx: Tx, changed: list[tuple[Any, ...]], caller: Principal, entry_id: str | None) -> Resolved:
    if changed:
        tx.touch("activity")
    if any(order_id is not None for _, _, order_id in changed):
        tx.touch("orders")  # their rows count open entries
    shown = None if entry_id is None else Entry.model_validate_json(entry(tx, entry_id, caller))
    ids = [changed_id for _, changed_id, _ in sorted(changed)[:MOST_IDS]]
    return Resolved(count=len(changed), ids=ids, entry=shown)


_EVERY: Final = 2**62
_RESOLVED: Final[dict[str, Any]] = {
    "resolved_at": bindparam("at"),
    "resolved_by": bindparam("by"),
    "resolution": bindparam("act"),
}
_OPEN_AGAIN: Final[dict[str, Any]] = {"resolved_at": null(), "resolved_by": null(), "resolution": null()}


def _change(values: dict[str, Any], *which: ColumnElement[bool]) -> Prepared:
    statement = update(activity).where(*which).values(values)
    return Prepared(statement.returning(activity.c.seq, activity.c.id, activity.c.order_id))


_OPEN: Final = is_open(activity)
_RESOLVE_ONE: Final = _change(_RESOLVED, _OPEN, activity.c.seq == bindparam("seq_"))
_OF_GROUP: Final = (activity.c.group_key == bindparam("key"), activity.c.seq <= bindparam("seq_"))
_BY_NAME: Final = AnyOf(activity.c.id, "ids")
_RESOLVE_GROUP: Final = _change(_RESOLVED, _OPEN, *_OF_GROUP)
_RESOLVE_OF_GROUP: Final = _change(_RESOLVED, _OPEN, *_OF_GROUP, _BY_NAME)
_RESOLVE_IDS: Final = _change(_RESOLVED, _OPEN, _BY_NAME)
_RESOLVE_ORDER: Final = _change(_RESOLVED, _OPEN, activity.c.order_id == bindparam("order_id_"))
_SETTLE: Final = _change(
    _RESOLVED, _OPEN, activity.c.order_id == bindparam("order_id_"), activity.c.type == bindparam("type_")
)
_SETTLE_PERSON: Final = _change(
    _RESOLVED, _OPEN, activity.c.person_id == bindparam("person_id_"), activity.c.type == bindparam("type_")
)
_IS_RESOLVED: Final = activity.c.resolved_at.is_not(None)
_REOPEN_IDS: Final = _change(_OPEN_AGAIN, _IS_RESOLVED, _BY_NAME)
_REOPEN_ACT: Final = _change(
    _OPEN_AGAIN, _IS_RESOLVED, activity.c.resolution == bindparam("act"), activity.c.seq <= bindparam("seq_")
)
