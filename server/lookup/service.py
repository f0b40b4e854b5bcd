"""Order look-up: who reads a mailbox sees the paid orders of its address, and nobody learns whose address is known."""

from __future__ import annotations

import contextlib
from typing import Final, Literal

from sqlalchemy import delete, exists, select, update

from server.kit import links
from server.kit.clock import DAY
from server.kit.links import LinkError
from server.kit.tx import Tx
from server.lookup.mails import GOOD_FOR, token_hash
from server.lookup.models import lookup_link
from server.mail import service as mail
from server.orders.models import order
from server.people import service as people

SESSION: Final = 30 * DAY
"""How long a browser may look, in milliseconds from when it opened a link."""
PAID: Final = ("paid", "refunded")
"""Payment states of orders that are shown: what was given back had been paid."""

Failed = Literal["unknown", "expired", "used"]


class LinkRefusedError(Exception):
    """A link that opens nothing, and why."""

    def __init__(self, why: Failed) -> None:
        super().__init__(why)
        self.why: Failed = why


class _NobodyError(Exception):
    """The address has no orders: undo what was done for the sake of doing as much."""


def ask(tx: Tx, email: str) -> None:
    """Somebody wants to see the orders of an address: ask for a mail to it, if it has any.

    For an address without paid orders the same statements run and are undone, so that neither the answer nor the
    time it takes tells one from the other.
    """
    found = people.find_customer(tx, email)
    person_id = found or tx.new_id()
    paid = exists().where(order.c.person_id == person_id, order.c.payment_status.in_(PAID))
    known = bool(tx.execute(select(paid)).scalar())
    with contextlib.suppress(_NobodyError), tx.savepoint():
        mail.queue(tx, "lookup", person_id=person_id)
        if not known:
            raise _NobodyError
    tx.touch("lookup")  # both ways something is written, and waits for the disk


def look(tx: Tx, token: str) -> None:
    """Whether a link would open something now; changes nothing.

    Raises:
        LinkRefusedError: it would not.
    """
    _check(tx, token)
    row = tx.execute(select(lookup_link).where(lookup_link.c.token_hash == token_hash(token))).first()
    if row is None or not _alive(tx, row.person_id):
        raise LinkRefusedError("unknown")
    if row.used_at is not None:
        raise LinkRefusedError("used")
    if row.expires_at < tx.now:
        raise LinkRefusedError("expired")


def open_link(tx: Tx, token: str) -> str:
    """Use a link up.

    Returns:
        The token of a session, for a cookie.

    Raises:
        LinkRefusedError: it opens nothing (any more).
    """
    look(tx, token)
    person_id: str | None = tx.execute(
        update(lookup_link)
        .where(lookup_link.c.token_hash == token_hash(token), lookup_link.c.used_at.is_(None))
        .values(used_at=tx.now)
        .returning(lookup_link.c.person_id)
    ).scalar()
    if person_id is None:
        raise LinkRefusedError("used")  # in the same moment, by another browser
    return links.sign(tx, "orders", person_id)


def whose(tx: Tx, session: str | None) -> str | None:
    """The person whose orders a session may see; None for one that ended, is none, or whose person is gone."""
    if session is None:
        return None
    try:
        person_id = links.read(tx, "orders", session, SESSION)
    except LinkError:
        return None
    return person_id if _alive(tx, person_id) else None


def prune(tx: Tx) -> int:
    """Let go of links that opened nothing any more for a day. Returns how many."""
    gone = tx.execute(delete(lookup_link).where(lookup_link.c.expires_at < tx.now - DAY))
    return gone.rowcount


def _check(tx: Tx, token: str) -> None:
    try:
        links.read(tx, "lookup", token, GOOD_FOR)
    except LinkError as error:
        raise LinkRefusedError("expired" if error.expired else "unknown") from None


def _alive(tx: Tx, person_id: str) -> bool:
    known = people.people(tx, [person_id]).get(person_id)
    return known is not None and known.erased_at is None and known.email is not None
