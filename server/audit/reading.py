"""Reading the audit log: who may see what of it, what is filtered, one page with the total of the same rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, Text, and_, case, false, func, select, true, type_coerce

from server.audit.models import audit
from server.audit.topics import SEES_ALL
from server.contract.audit import AuditChoices
from server.kit.access import Principal
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import not_found
from server.kit.tx import DialectName, Tx

_ANY_ENDING: Final = ".*"
_COLUMNS: Final = [
    *(column for column in audit.c if column is not audit.c.metadata),
    type_coerce(audit.c.metadata, Text).label(
        "metadata"
    ),  # rendering reads it: one bad row must spoil no page
]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries; each narrows the others. None and an empty text do not narrow.

    Attributes:
        module: the room whose acts.
        mode: how it came about.
        action: one action, or with ``.*`` at its end all that begin like this (``billing.*``).
        actor: the user who acted.
        resource_type: what kind of thing it was done to.
        resource_id: which of them.
        target: the user concerned.
        since: not before this moment (ms).
        until: not after this moment (ms).
        q: literal text in the action, or in the id of what it was done to, whatever its letters' case.
    """

    module: str | None = None
    mode: str | None = None
    action: str | None = None
    actor: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    target: str | None = None
    since: int | None = None
    until: int | None = None
    q: str | None = None

    @property
    def name(self) -> str:
        """What cursors of this list are bound to."""
        return "\0".join(["audit", *(f"{name}={value}" for name, value in asdict(self).items() if value)])


@dataclass(frozen=True, slots=True)
class Numbered:
    """A page by its number: the rows, and how many there are in all. ``page`` is the one that was found."""

    rows: list[Row[Any]]
    total: int
    page: int
    per_page: int

    def slice(self) -> Slice[Row[Any]]:
        """The same rows as a page of cursors, which go on from it."""
        return Slice(self.rows, older=self.page * self.per_page < self.total, newer=self.page > 1)


def visible(caller: Principal) -> ColumnElement[bool]:
    """What of the log a caller may see: Owner and Admin all of it, others what they did themselves."""
    if caller.role in SEES_ALL:
        return true()
    return false() if caller.user_id is None else audit.c.actor_user_id == caller.user_id


def numbered(tx: Tx, filters: Filters, caller: Principal, *, page: int, per_page: int) -> Numbered:
    """One page by its number, newest first; a number out of range gives the nearest page there is.

    The total, the pages and the rows come from one statement over one scope, so they cannot disagree.

    Args:
        tx: the transaction.
        filters: which entries.
        caller: who asks.
        page: from 1.
        per_page: rows of a page, at least 1.
    """
    scope = _scope(tx.dialect, filters, caller)
    total = select(func.count()).select_from(audit).where(scope).scalar_subquery()
    last = (total - 1) // per_page
    wanted = max(page, 1) - 1
    skipped = select(case((total == 0, 0), (last < wanted, last), else_=wanted) * per_page).scalar_subquery()
    chosen = (
        select(*_COLUMNS)
        .where(scope)
        .order_by(audit.c.inserted_at.desc(), audit.c.id.desc())
        .limit(per_page)
        .offset(skipped)
    )
    rows, found = _with_total(tx, chosen, scope)
    pages = max(1, -(-found // per_page))
    return Numbered(rows, found, min(max(page, 1), pages), per_page)


def after(tx: Tx, filters: Filters, caller: Principal, request: PageRequest) -> tuple[Slice[Row[Any]], int]:
    """One page by its cursor, newest first, and how many entries there are in all."""
    scope = _scope(tx.dialect, filters, caller)
    chosen = keyset(select(*_COLUMNS).where(scope), request, audit.c.inserted_at, audit.c.id)
    rows, total = _with_total(tx, chosen, scope)
    return slice_of(rows[::-1] if request.upwards else rows, request), total


def get(tx: Tx, entry_id: str, caller: Principal) -> Row[Any]:
    """One entry.

    Raises:
        ProblemError: 404 ``not_found``, also for one that the caller may not see.
    """
    row = tx.execute(select(*_COLUMNS).where(audit.c.id == entry_id, visible(caller))).first()
    if row is None:
        raise not_found("entry")
    return row


def choices(tx: Tx, caller: Principal) -> AuditChoices:
    """What there is to filter by among the entries that the caller may see."""

    def distinct(column: ColumnElement[str | None]) -> list[str]:
        found = select(column).where(visible(caller), column.is_not(None)).distinct()
        return sorted(value for value in tx.execute(found).scalars() if value is not None)

    return AuditChoices(
        modules=distinct(audit.c.module),
        modes=distinct(audit.c.mode),
        actions=distinct(audit.c.action),
        resource_types=distinct(audit.c.resource_type),
    )


def _with_total(tx: Tx, chosen: Select[Any], scope: ColumnElement[bool]) -> tuple[list[Row[Any]], int]:
    """The chosen rows newest first, and how many the scope holds, by one statement."""
    counted = select(func.count().label("total")).select_from(audit).where(scope).subquery("counted")
    rows = chosen.subquery("rows")
    statement = (
        select(counted.c.total, rows)
        .select_from(counted.outerjoin(rows, true()))
        .order_by(rows.c.inserted_at.desc(), rows.c.id.desc())
    )
    found = tx.execute(statement).all()
    return [row for row in found if row.id is not None], int(found[0].total)


def _scope(dialect: DialectName, filters: Filters, caller: Principal) -> ColumnElement[bool]:
    found = [visible(caller)]
    for column, value in (
        (audit.c.module, filters.module),
        (audit.c.mode, filters.mode),
        (audit.c.actor_user_id, filters.actor),
        (audit.c.resource_type, filters.resource_type),
        (audit.c.resource_id, filters.resource_id),
        (audit.c.target_user_id, filters.target),
    ):
        if value:
            found.append(column == value)
    if filters.action:
        found.append(_is_action(filters.action))
    if filters.since is not None:
        found.append(audit.c.inserted_at >= filters.since)
    if filters.until is not None:
        found.append(audit.c.inserted_at <= filters.until)
    if filters.q:
        position = func.instr if dialect == "sqlite" else func.strpos
        text = filters.q.lower()
        found.append(
            (position(func.lower(audit.c.action), text) > 0)
            | (position(func.lower(func.coalesce(audit.c.resource_id, "")), text) > 0)
        )
    return and_(*found)


def _is_action(wanted: str) -> ColumnElement[bool]:
    if not wanted.endswith(_ANY_ENDING):
        return audit.c.action == wanted
    beginning = wanted[:-1]
    return func.substr(audit.c.action, 1, len(beginning)) == beginning
