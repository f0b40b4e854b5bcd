"""Keyset paging: a page begins where the last one ended, whatever was inserted or deleted meanwhile. No offsets.

Lists run newest first by ``(at, id)``. A cursor is opaque text that holds the position of the row it starts after and
the direction; it is signed together with the query it belongs to, so a cursor of another query, or one that
somebody edited, is refused instead of answering something else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, literal, select, tuple_

from server.kit.problems import ProblemError
from server.kit.schema import store_fact
from server.kit.tx import Tx
from server.kit.upsert import upsert

T = TypeVar("T")
DEFAULT_LIMIT = 50
MAX_LIMIT = 200
Direction = Literal["older", "newer"]


@dataclass(frozen=True, slots=True)
class Position:
    """A row's place in a list, and which way to go on from it."""

    at: int
    id: str
    direction: Direction = "older"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for: after a position, or from one end (``oldest`` is the far one)."""

    limit: int = DEFAULT_LIMIT
    position: Position | None = None
    edge: Literal["newest", "oldest"] = "newest"

    @property
    def upwards(self) -> bool:
        """Whether the database walks from older to newer rows for this page."""
        return self.position.direction == "newer" if self.position else self.edge == "oldest"


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Rows newest first, and whether there are more on either side."""

    rows: Sequence[T]
    older: bool
    newer: bool


def keyset(
    statement: Select[Any], request: PageRequest, at: ColumnElement[int], row_id: ColumnElement[str]
) -> Select[Any]:
    """Narrow, order and limit a statement to one page and one row more (by which ``slice_of`` sees the end)."""
    if request.position is not None:
        here = tuple_(literal(request.position.at), literal(request.position.id))
        row = tuple_(at, row_id)
        statement = statement.where(row > here if request.upwards else row < here)
    order = (at.asc(), row_id.asc()) if request.upwards else (at.desc(), row_id.desc())
    return statement.order_by(*order).limit(request.limit + 1)


def slice_of(rows: Sequence[T], request: PageRequest) -> Slice[T]:
    """Turn the rows of a ``keyset`` statement into a page, newest first."""
    more = len(rows) > request.limit
    kept = rows[: request.limit]
    if request.upwards:
        return Slice(list(reversed(kept)), older=request.position is not None, newer=more)
    return Slice(list(kept), older=more, newer=request.position is not None)


class Cursors:
    """Writes and reads cursors with this store's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _tag(self, payload: bytes, query: str) -> bytes:
        return hmac.digest(self._key, query.encode() + b"\0" + payload, "sha256")[:12]

    def write(self, position: Position, query: str) -> str:
        """The cursor text for a position in the list that ``query`` names."""
        payload = json.dumps(
            [position.direction[0], position.at, position.id], separators=(",", ":")
        ).encode()
        return base64.urlsafe_b64encode(self._tag(payload, query) + payload).decode().rstrip("=")

    def read(self, text: str, query: str) -> Position:
        """The position that a cursor holds.

        Raises:
            ProblemError: 400 ``invalid_cursor`` for one that was edited, cut, or belongs to another query.
        """
        refusal = ProblemError(
            400, "invalid_cursor", "This cursor does not belong to this list. Begin again without it."
        )
        try:
            raw = base64.b64decode(
                text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
            )
        except (ValueError, binascii.Error):
            raise refusal from None
        tag, payload = raw[:12], raw[12:]
        if not hmac.compare_digest(tag, self._tag(payload, query)):
            raise refusal
        direction, at, row_id = json.loads(payload)
        return Position(at, row_id, "older" if direction == "o" else "newer")

    def around(
        self, page: Slice[T], query: str, place: Callable[[T], tuple[int, str]]
    ) -> tuple[str | None, str | None]:
        """The ``next`` and ``prev`` cursors of a page."""
        if not page.rows:
            return None, None
        last, first = place(page.rows[-1]), place(page.rows[0])
        return (
            self.write(Position(*last, "older"), query) if page.older else None,
            self.write(Position(*first, "newer"), query) if page.newer else None,
        )


def load_cursors(tx: Tx) -> Cursors:
    """The cursors of this store; its key is made the first time (needs a writing transaction)."""
    insert = upsert(tx.dialect, store_fact)
    tx.execute(
        insert.values(name="cursor_key", value=secrets.token_hex(32)).on_conflict_do_nothing(
            index_elements=[store_fact.c.name]
        )
    )
    value = tx.execute(select(store_fact.c.value).where(store_fact.c.name == "cursor_key")).scalar_one()
    return Cursors(bytes.fromhex(value))
