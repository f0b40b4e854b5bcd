"""Files that people hand in: kept whole in the store, given back as they came, never shown by us as a page."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Row, delete, func, insert, select

from server.content import authors, posts
from server.content.models import file as table
from server.content.models import file_body
from server.contract.activity import OrderRef
from server.contract.content import FileRow, NewFile
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none
from server.kit.paging import PageRequest, Slice, keyset, slice_of
from server.kit.problems import ProblemError, invalid_request, not_found
from server.kit.schema import metadata
from server.kit.tx import Tx
from server.orders import service as orders
from server.settings import service as settings

KIB: Final = 1024
MOST: Final = 128 * KIB
"""Bytes of one file."""
MOST_IN_ALL: Final = 256 * KIB * KIB
MOST_OF_ONE: Final = 4 * KIB * KIB
"""Bytes that one customer may hand in by themselves."""
MOST_FILES: Final = 20_000
QUERY: Final = "files"
_SAFE: Final = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"}
)
_LOCK: Final = 0x5348_4649  # whoever adds a file waits for who does so now, so that the limits hold


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, and the headers it may be given back with."""

    content: bytes
    media_type: str
    headers: dict[str, str]


def add_file(tx: Tx, new: NewFile, caller: Principal) -> FileRow:
    """Keep a file.

    Raises:
        ProblemError: 409 ``storage_full``; 413 ``payload_too_large``; 422 ``invalid_request`` for what is not base64,
            an unknown ticket or order (or one of somebody else), or as `authors.author`; 409
            ``attachments_disabled`` where the shop takes no files beside tickets.
    """
    content = _decoded(new.content)
    person_id = authors.author(tx, caller, new.email)
    ticket_id, order_id = _ticket(tx, new, caller, person_id), _order(tx, new, caller, person_id)
    _make_room(tx, len(content), person_id if authors.own(caller) else None)
    row = tx.execute(
        insert(table)
        .values(
            id=tx.new_id(),
            name=new.name,
            media_type=new.media_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            person_id=person_id,
            ticket_id=ticket_id,
            order_id=order_id,
            created_at=tx.now,
        )
        .returning(table)
    ).one()
    tx.execute(insert(file_body).values(file_id=row.id, content=content))
    tx.touch(posts.TOPIC)
    return _shown(tx, [row], caller)[0]


def files(tx: Tx, page: PageRequest, caller: Principal, *, ticket_id: str | None = None) -> Slice[FileRow]:
    """A page of files, newest first; a customer's own."""
    statement = select(table)
    if authors.own(caller):
        statement = statement.where(table.c.person_id == authors.me(tx, caller))
    if ticket_id is not None:
        statement = statement.where(table.c.ticket_id == ticket_id)
    found = slice_of(tx.execute(keyset(statement, page, table.c.created_at, table.c.id)).all(), page)
    return Slice(_shown(tx, found.rows, caller), found.older, found.newer)


def file(tx: Tx, file_id: str, caller: Principal) -> FileRow:
    """What is known of a file.

    Raises:
        ProblemError: 404 ``not_found``, also for somebody else's.
    """
    return _shown(tx, [_row(tx, file_id, caller)], caller)[0]


def content_of(tx: Tx, file_id: str, caller: Principal) -> Content:
    """What a file holds, to be saved rather than shown: a stranger says what it is, and may lie.

    Raises:
        ProblemError: 404 ``not_found``, also for somebody else's, and after its owner's erasure.
    """
    row = _row(tx, file_id, caller)
    content: bytes | None = tx.execute(
        select(file_body.c.content).where(file_body.c.file_id == row.id)
    ).scalar()
    if content is None:
        raise not_found("file")
    disposition = f"attachment; filename*=UTF-8''{quote(row.name or row.id, safe='')}"
    return Content(
        bytes(content),
        row.media_type if row.media_type in _SAFE else "application/octet-stream",
        {"Content-Disposition": disposition, "Content-Security-Policy": "sandbox; default-src 'none'"},
    )


def remove_file(tx: Tx, file_id: str, caller: Principal) -> None:
    """Take a file away.

    Raises:
        ProblemError: 404 ``not_found``, also for somebody else's.
    """
    row = _row(tx, file_id, caller, lock=True)
    tx.execute(delete(table).where(table.c.id == row.id))
    tx.touch(posts.TOPIC)


def _row(tx: Tx, file_id: str, caller: Principal, *, lock: bool = False) -> Row[Any]:
    statement = select(table).where(table.c.id == file_id)
    row = tx.execute(statement.with_for_update() if lock else statement).first()
    if row is None or (authors.own(caller) and row.person_id != authors.me(tx, caller)):
        raise not_found("file")
    return row


def _decoded(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise invalid_request(("content", "is not base64")) from None
    if len(content) > MOST:
        raise ProblemError(413, "payload_too_large", f"A file may have at most {MOST // KIB} KiB.")
    return content


def _make_room(tx: Tx, size: int, customer: str | None) -> None:
    """Refuse what would be too much, for the shop or for one customer.

    Raises:
        ProblemError: 409 ``storage_full``.
    """
    if tx.dialect == "postgresql":
        tx.driver_sql("SELECT pg_advisory_xact_lock(%(key)s)", {"key": _LOCK})
    held = func.coalesce(func.sum(table.c.size), 0)
    kept = table.c.name.is_not(None)
    kept_now = tx.execute(select(held.label("size"), func.count().label("many")).where(kept)).one()
    if kept_now.size + size > MOST_IN_ALL or kept_now.many >= MOST_FILES:
        raise ProblemError(409, "storage_full", "The shop keeps no more files. Take some away first.")
    if customer is not None:
        own = tx.execute(select(held).where(kept & (table.c.person_id == customer))).scalar_one()
        if own + size > MOST_OF_ONE:
            raise ProblemError(
                409, "storage_full", "You have handed in all that we keep. Take some away first."
            )


def _ticket(tx: Tx, new: NewFile, caller: Principal, person_id: str) -> str | None:
    """The ticket that a file belongs to. The tickets stand beside this room: their table is found by its name."""
    if new.ticket_id is None:
        return None
    if not settings.get(tx, "tickets.attachments"):
        raise ProblemError(
            409,
            "attachments_disabled",
            "This shop takes no files beside tickets (tickets.attachments).",
        )
    tickets = metadata.tables["ticket"]
    row = tx.execute(select(tickets.c.id, tickets.c.person_id).where(tickets.c.id == new.ticket_id)).first()
    if row is None or (authors.own(caller) and row.person_id != person_id):
        raise invalid_request(("ticket_id", "there is no such ticket"))
    return str(row.id)


def _order(tx: Tx, new: NewFile, caller: Principal, person_id: str) -> str | None:
    if new.order is None:
        return None
    row = orders.find(tx, new.order)
    if row is None or (authors.own(caller) and row.person_id != person_id):
        raise invalid_request(("order", "there is no such order"))
    return str(row.id)


def _shown(tx: Tx, rows: Collection[Row[Any]], caller: Principal) -> list[FileRow]:
    known = authors.shown(tx, {row.person_id for row in rows}, caller)
    numbers = orders.numbers(tx, {row.order_id for row in rows if row.order_id})
    return [
        FileRow(
            id=row.id,
            name=row.name,
            media_type=row.media_type,
            size=row.size,
            sha256=row.sha256,
            owner=known.get(row.person_id) or authors.gone(row.person_mark),
            ticket_id=row.ticket_id,
            order=OrderRef(id=row.order_id, number=numbers[row.order_id])
            if row.order_id in numbers
            else None,
            anonymized_at=instant_or_none(row.anonymized_at),
            created_at=instant(row.created_at),
        )
        for row in rows
    ]
