"""The topics of carts, and who may follow them."""

from __future__ import annotations

from server.kit import topics


def of_user(user_id: str) -> str:
    """The topic of a customer's carts."""
    return f"shop:cart:user:{user_id}"


def of_session(session_hash: str) -> str:
    """The topic of the cart of somebody who has no account; only the hash of the session's name is in it."""
    return f"shop:cart:session:{session_hash}"


topics.allow("shop:cart:user:", topics.own_or_staff("carts.read"))
topics.allow("shop:cart:session:", topics.staff("carts.read"))
