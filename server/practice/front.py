"""What else customers of the practice shop do at its front: they write about what they bought, and fill carts."""

from __future__ import annotations

from typing import Final

from server.practice.actions import FillCart, Publish
from server.practice.caller import Caller, ask

POSTS: Final = (
    ("How the heron socks hold up", "A year of walking in them, and the heels are still whole.", "Mine too!"),
    (
        "Wool in summer",
        "It sounds wrong and feels right: they stay dry where cotton does not.",
        "I did not know.",
    ),
    (
        "Mending a heel",
        "A darning egg, the same yarn, and half an hour on a Sunday.",
        "Is the yarn for sale?",
    ),
    ("A box for every Sunday", "I gave the box to my sister, and now I have to buy one for myself.", ""),
    (
        "The mug and the dishwasher",
        "Forty rounds so far. The blue rim is as blue as it was.",
        "Good to know.",
    ),
)
"""A title, a text, and what somebody writes under it."""


async def publish(call: Caller, program: str, post: Publish) -> None:
    """A customer writes a post at the shop's front, another one under it.

    Raises:
        NotTakenError: the server did not take it.
    """
    told = {"title": post.title, "body": post.text, "email": post.email}
    made = await ask(call, program, "POST", "/v1/posts", told, post.key)
    if post.reply:
        said = {"body": post.reply, "email": post.reader}
        await ask(call, program, "POST", f"/v1/posts/{made['id']}/comments", said, f"{post.key}.reply")


async def fill_cart(call: Caller, program: str, cart: FillCart) -> None:
    """A customer puts something into a cart and goes away without buying it.

    Raises:
        NotTakenError: the server did not take it.
    """
    product = await ask(call, program, "GET", f"/v1/products/{cart.product}")
    variant = next((each for each in product["items"] if each["available"] and each["price"]), None)
    if variant is None:
        return
    currency = variant["price"]["currency"]
    made = await ask(
        call, program, "POST", "/v1/shop-carts", {"email": cart.email, "currency": currency}, cart.key
    )
    line = {"product_id": cart.product, "variant_id": variant["id"], "quantity": 1}
    await ask(call, program, "POST", f"/v1/shop-carts/{made['id']}/lines", line, f"{cart.key}.line")
