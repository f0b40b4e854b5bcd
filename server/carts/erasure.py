"""What happens to somebody's carts when they are erased: they go, and what was chosen in them with them."""

from __future__ import annotations

from sqlalchemy import select

from server.carts.models import cart, cart_line
from server.people import erasure
from server.people.erasure import Rule

erasure.register(
    Rule(
        table=cart_line,
        noun="cart lines",
        fate="delete",
        why="What the person put into carts, and chose about it.",
        whose=lambda subject: cart_line.c.cart_id.in_(
            select(cart.c.id).where(cart.c.person_id == subject.person_id)
        ),
        covers=(),
    ),
    Rule(
        table=cart,
        noun="carts",
        fate="delete",
        why="Carts are the person's own; the orders made of them have rules of their own.",
        whose=lambda subject: cart.c.person_id == subject.person_id,
        covers=("person_id",),
    ),
)
