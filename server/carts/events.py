"""What is told of a cart on its topics: its ids and the change, to the customer's topic or to the guest's."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Row

from server.accounts import users
from server.carts import topics as names
from server.kit import topics
from server.kit.tx import Tx

CartEvent = Literal[
    "cart_updated",
    "item_added",
    "item_removed",
    "quantity_updated",
    "shipping_selected",
    "payment_selected",
    "cart_cleared",
]


def tell(tx: Tx, event: CartEvent, cart: Row[Any], **change: Any) -> None:
    """Tell what happened to a cart. A customer without an account, and who was erased, has no topic."""
    found = []
    if cart.person_id is not None:
        user_id = users.user_of(tx, [cart.person_id]).get(cart.person_id)
        found += [names.of_user(user_id)] if user_id is not None else []
    if cart.session_hash is not None:
        found.append(names.of_session(cart.session_hash))
    topics.publish(tx, event, *found, cart_id=cart.id, **change)
