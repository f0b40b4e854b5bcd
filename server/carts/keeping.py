"""Carts: whose they are, found and held; and the night's work on those that guests left."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from server.carts import events
from server.carts.models import cart, cart_line
from server.contract.shop_carts import NewCart
from server.kit.clock import DAY
from server.kit.problems import ProblemError, invalid_request, not_found
from server.kit.tx import Tx
from server.people import service as people
from server.settings import service as settings

TOPIC: Final = "carts"
GUEST_DAYS: Final = 30
"""How long a guest's cart is kept after it was last touched."""
_AT_ONCE: Final = 500


def open_cart(tx: Tx, new: NewCart) -> tuple[str, bool]:
    """The active cart of a customer or of a guest; made when there is none.

    Returns:
        Its id, and whether it was made.

    Raises:
        ProblemError: 422 ``invalid_request`` unless exactly one of ``email`` and ``session`` is given.
    """
    if (new.email is None) == (new.session is None):
        raise invalid_request(("email", "give either email or session"))
    person_id, session = None, None
    if new.email is not None:
        if not new.email.strip():
            raise invalid_request(("email", "must be an e-mail address"))
        person_id = people.find_or_create_customer(tx, email=new.email)
    elif new.session is not None:
        session = hashlib.sha256(new.session.encode()).hexdigest()
    currency = new.currency or settings.get(tx, "shop.currency")
    if tx.dialect == "postgresql":  # two who ask at once get one cart
        key = {"key": f"cart {person_id or session} {currency}"}
        tx.driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", key)
    mine = cart.c.person_id == person_id if person_id else cart.c.session_hash == session
    held = select(cart.c.id).where(mine, cart.c.state == "active", cart.c.currency == currency)
    known: str | None = tx.execute(held.order_by(cart.c.id.desc()).limit(1)).scalar()
    if known is not None:
        return known, False
    cart_id = tx.new_id()
    tx.execute(
        insert(cart).values(
            id=cart_id,
            state="active",
            person_id=person_id,
            session_hash=session,
            currency=currency,
            created_at=tx.now,
            updated_at=tx.now,
            expires_at=None if person_id else tx.now + GUEST_DAYS * DAY,
        )
    )
    tx.touch(TOPIC)
    return cart_id, True


def find(tx: Tx, cart_id: str) -> Row[Any]:
    """A cart.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = tx.execute(select(cart).where(cart.c.id == cart_id)).first()
    if row is None:
        raise not_found("cart")
    return row


def hold(tx: Tx, cart_id: str) -> Row[Any]:
    """An active cart that nobody else changes until the transaction ends.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``cart_not_active``.
    """
    row = tx.execute(select(cart).where(cart.c.id == cart_id).with_for_update()).first()
    if row is None:
        raise not_found("cart")
    if row.state != "active" or _over(tx, row):
        raise not_active(row)
    return row


def touched(tx: Tx, row: Row[Any], **values: Any) -> None:
    """Write down that a cart changed: a guest's is kept for another thirty days."""
    values["updated_at"] = tx.now
    if row.expires_at is not None:
        values.setdefault("expires_at", tx.now + GUEST_DAYS * DAY)
    tx.execute(update(cart).where(cart.c.id == row.id).values(**values))
    tx.touch(TOPIC)


def not_active(row: Row[Any]) -> ProblemError:
    """The refusal for a cart that is not active any more."""
    reason = "expired" if row.state == "active" else row.state
    return ProblemError(409, "cart_not_active", f"This cart is {reason}.", reason=reason)


def expire(tx: Tx) -> int:
    """Let go of guests' carts that nobody touched for thirty days. What was chosen in them goes with them.

    Returns:
        How many there were, 500 at the most.
    """
    old = select(cart.c.id).where(cart.c.state == "active", cart.c.expires_at <= tx.now)
    locked = old.order_by(cart.c.id).limit(_AT_ONCE).with_for_update(skip_locked=True)
    ids = list(tx.execute(locked).scalars())
    if not ids:
        return 0
    rows = tx.execute(select(cart).where(cart.c.id.in_(ids)).order_by(cart.c.id)).all()
    tx.execute(delete(cart_line).where(cart_line.c.cart_id.in_(ids)))
    tx.execute(
        update(cart).where(cart.c.id.in_(ids)).values(state="expired", session_hash=None, updated_at=tx.now)
    )
    for row in rows:
        events.tell(tx, "cart_updated", row, state="expired")
    tx.touch(TOPIC)
    return len(ids)


def _over(tx: Tx, row: Row[Any]) -> bool:
    return row.expires_at is not None and row.expires_at <= tx.now
