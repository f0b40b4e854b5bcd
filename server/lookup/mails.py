"""The mail that opens somebody's orders: a link that works once, made when the mail leaves."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import insert

from server.kit import links
from server.kit.clock import HOUR
from server.kit.ids import random_text
from server.kit.tx import Tx
from server.lookup.models import lookup_link
from server.mail import service as mail
from server.mail.plain import one_line, wrap
from server.people import service as people
from server.settings import service as settings
from server.settings.face import face

GOOD_FOR: Final = HOUR
"""How long a link opens anything, in milliseconds from when its mail left."""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def token_hash(token: str) -> str:
    """How a link's token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_link(tx: Tx, person_id: str) -> str:
    """A new token that opens this person's orders, once and for an hour."""
    token = links.sign(tx, "lookup", random_text(32, _LETTERS))
    tx.execute(
        insert(lookup_link).values(
            id=tx.new_id(),
            token_hash=token_hash(token),
            person_id=person_id,
            created_at=tx.now,
            expires_at=tx.now + GOOD_FOR,
        )
    )
    return token


def compose(tx: Tx, row: mail.Mail) -> mail.Composed | mail.Withheld:
    """What the mail says when it leaves."""
    shown = face(tx)
    if not settings.get(tx, "lookup.enabled"):
        return mail.Withheld("switched_off")
    if shown.base is None:
        return mail.Withheld("no_public_url")
    known = people.people(tx, [row.person_id]).get(row.person_id) if row.person_id else None
    if row.person_id is None or known is None or known.erased_at is not None or known.email is None:
        return mail.Withheld("no_person")
    shop = one_line(shown.shop.name)
    parts = [
        wrap(f"Somebody asked to see the orders that were placed at {shop} with this address."),
        wrap("If it was you, open this link within an hour. It works once."),
        f"{shown.base}/orders/open/{make_link(tx, row.person_id)}",
        wrap("If it was not you, there is nothing to do: nobody sees anything without this mail."),
        f"-- \n{shop}",
    ]
    return mail.Composed(f"Your orders at {shop}", "\n\n".join(parts))


def _sent(_tx: Tx, _row: mail.Mail) -> None:
    """Nothing to tell the shop: a customer looked at their own orders."""


mail.register(mail.MailKind(name="lookup", label="Order look-up", compose=compose, sent=_sent))
