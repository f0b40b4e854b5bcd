"""Problems that last: one open entry for as long as they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select, update

from server.activity.catalog import TYPES
from server.activity.intake import Subject, group_of
from server.activity.log import log
from server.activity.models import activity
from server.activity.selection import is_open
from server.kit.tx import TransactionLostError, Tx

_NOBODY: Final = Subject()


def ask(tx: Tx, type: str, params: Mapping[str, str]) -> None:  # noqa: A002 - the event's type, as in ``log``
    """See to it that an entry about this asks for somebody; one that is open already is enough.

    Args:
        tx: a writing transaction.
        type: of the catalogue, whose ``same`` are parameters.
        params: they alone say whether it is the same problem.
    """
    if not _open(tx, _group(type, params)):
        # Two processes that find it at the same moment tell it once.
        log(tx, type, params=dict(params), identity=(*params.values(), _last(tx, type, params)))


def over(tx: Tx, type: str, params: Mapping[str, str]) -> None:  # noqa: A002
    """The problem is gone: resolve what is open about it, by nobody. It never stands in the way, like the log.

    Args:
        tx: a writing transaction.
        type: of the catalogue.
        params: what the entries say. Those that the type groups by and that are not given may be any.
    """
    if not tx.activity_on:
        return
    tx.activity_tried = True
    try:
        with tx.savepoint():
            changed = _resolve(tx, _about(tx, type, params))
    except TransactionLostError:
        raise
    except Exception:  # noqa: BLE001 - see above
        tx.drop("not_settled", type)
        return
    if changed:
        tx.touch("activity")


def _about(tx: Tx, type_name: str, params: Mapping[str, str]) -> list[str]:
    """The open entries about a problem."""
    told = select(activity.c.id, activity.c.params).where(is_open(activity), activity.c.type == type_name)
    if params.keys() >= set(TYPES[type_name].same or ()):
        told = told.where(activity.c.group_key == _group(type_name, params))
    return [row.id for row in tx.execute(told) if params.items() <= (row.params or {}).items()]


def _resolve(tx: Tx, ids: Sequence[str]) -> int:
    """Resolve those of these entries that nobody has resolved since they were found; how many."""
    if not ids:
        return 0
    still_open = update(activity).where(is_open(activity), activity.c.id.in_(ids))
    done = {"resolved_at": tx.now, "resolved_by": None, "resolution": tx.new_id()}
    return tx.execute(still_open.values(done)).rowcount


def _group(type_name: str, params: Mapping[str, str]) -> str | None:
    return group_of(TYPES[type_name], params=params, texts={}, order_id=None, subject=_NOBODY)


def _open(tx: Tx, group: str | None) -> bool:
    found = select(activity.c.seq).where(is_open(activity), activity.c.group_key == group).limit(1)
    return tx.execute(found).first() is not None


def _last(tx: Tx, type_name: str, params: Mapping[str, str]) -> int:
    """The number of the entry recorded last about this, which parts one time of the problem from the next."""
    found = (
        select(activity.c.seq)
        .where(activity.c.type == type_name, activity.c.group_key == _group(type_name, params))
        .order_by(activity.c.seq.desc())
        .limit(1)
    )
    return int(tx.execute(found).scalar() or 0)
