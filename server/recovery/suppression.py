"""Addresses that want no reminders. Only a keyed hash is kept: it outlives the person, and tells nobody who it was."""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import select

from server.kit import links
from server.kit.clock import DAY
from server.kit.folding import fold_email
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.recovery.models import suppression

Reason = Literal["unsubscribed", "bounced", "complaint", "by_hand"]
GOOD_FOR: Final = 2 * 365 * DAY
"""How long an unsubscribe link works, in milliseconds."""


def hash_of(tx: Tx, email: str) -> str:
    """What stands for an address, whatever its letters' case. A writing transaction, if there is no secret yet."""
    return links.keyed_hash(tx, "suppression", fold_email(email))


def token_for(tx: Tx, email: str) -> str:
    """A token by which this address, and no other, can be taken off the list."""
    return links.sign(tx, "unsubscribe", hash_of(tx, email))


def read(tx: Tx, token: str) -> str:
    """The hash that a token stands for.

    Raises:
        links.LinkError: the token is not ours, or older than two years.
    """
    return links.read(tx, "unsubscribe", token, GOOD_FOR)


def is_suppressed(tx: Tx, email_hash: str) -> bool:
    """Whether an address wants no reminders."""
    found = select(suppression.c.email_hash).where(suppression.c.email_hash == email_hash)
    return tx.execute(found).first() is not None


def suppress(tx: Tx, email_hash: str, reason: Reason) -> bool:
    """Send no reminders to this address any more. Returns whether that is new; the first reason stays."""
    insert = upsert(tx.dialect, suppression)
    made = tx.execute(
        insert.values(email_hash=email_hash, reason=reason, created_at=tx.now)
        .on_conflict_do_nothing(index_elements=[suppression.c.email_hash])
        .returning(suppression.c.email_hash)
    )
    return made.first() is not None
