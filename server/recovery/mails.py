"""The one reminder of a cart, and what is looked at again in the moment in which it would leave."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, exists, select, update

from server.activity import service as activity
from server.activity.service import Actor
from server.catalog.showing import Shown, shown
from server.kit import links
from server.kit.clock import DAY
from server.kit.money import money_text
from server.kit.tx import Tx
from server.mail import service as mail
from server.mail.models import mail as sent_mail
from server.mail.plain import greeting_name, one_line, wrap
from server.orders.models import order
from server.people import service as people
from server.people.service import Person
from server.recovery import service as recovery
from server.recovery import suppression
from server.recovery.models import abandoned_cart
from server.settings import service as settings
from server.settings.face import Face, face


def compose(tx: Tx, row: mail.Mail) -> mail.Composed | mail.Withheld:
    """What the reminder says, or why there is none. The reason is kept with the cart too."""
    cart = recovery.find(tx, row.cart_id)
    if cart is None:
        return mail.Withheld("no_cart")
    shop = face(tx)
    person = people.people(tx, [cart.person_id]).get(cart.person_id)
    reason = _gate(tx, cart, person, shop)
    if reason is not None:
        tx.execute(update(abandoned_cart).where(abandoned_cart.c.id == cart.id).values(withheld=reason))
        tx.touch("carts")
        return mail.Withheld(reason)
    assert person is not None  # noqa: S101 - the gate saw to it
    assert person.email is not None  # noqa: S101
    leave = f"{shop.base}/unsubscribe/{suppression.token_for(tx, person.email)}"
    name = one_line(shop.shop.name)
    return mail.Composed(
        f"You left something at {name}",
        _text(tx, cart, person, shop, leave),
        {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )


def sent(tx: Tx, row: mail.Mail) -> None:
    """The mail server took it: stamp the cart, and say so. A cart is stamped once."""
    stamped = tx.execute(
        update(abandoned_cart)
        .where(abandoned_cart.c.id == row.cart_id, abandoned_cart.c.emailed_at.is_(None))
        .values(emailed_at=tx.now, withheld=None)
        .returning(abandoned_cart.c.id)
    ).scalar()
    if stamped is None:
        return
    activity.log(
        tx,
        "abandoned_cart.email_sent",
        person_id=row.person_id,
        identity=("cart", stamped, "abandoned_cart.email_sent"),
        actor=Actor("system"),
    )
    tx.touch("carts")


def _gate(tx: Tx, cart: Row[Any], person: Person | None, shop: Face) -> str | None:
    """Why this cart's reminder must not leave now; None when it may."""
    if not settings.get(tx, "recovery.enabled"):
        return "switched_off"
    if shop.base is None:
        return "no_public_url"  # without it nobody could unsubscribe
    if person is None or person.erased_at is not None or person.email is None:
        return "no_person"
    if _suppressed(tx, person.id, person.email):
        return "suppressed"
    if _mailed(tx, cart):
        return "already_mailed"
    return "paid_since" if _paid_since(tx, cart) else None


def _suppressed(tx: Tx, person_id: str, email: str) -> bool:
    """Whether the address wants no reminders. One that took a mail ill, or takes none, does not from now on."""
    email_hash = suppression.hash_of(tx, email)
    came_back = tx.execute(
        select(sent_mail.c.bounce)
        .where(sent_mail.c.person_id == person_id, sent_mail.c.bounce.in_(("hard", "complaint")))
        .order_by(sent_mail.c.bounce)
        .limit(1)
    ).scalar()
    if came_back is not None:
        suppression.suppress(tx, email_hash, "complaint" if came_back == "complaint" else "bounced")
    return suppression.is_suppressed(tx, email_hash)


def _mailed(tx: Tx, cart: Row[Any]) -> bool:
    """Whether this cart had its reminder, or its customer one about another cart not long ago."""
    since = tx.now - settings.get(tx, "recovery.recent_days") * DAY
    recent = exists().where(abandoned_cart.c.person_id == cart.person_id, abandoned_cart.c.emailed_at > since)
    return cart.emailed_at is not None or bool(tx.execute(select(recent)).scalar())


def _paid_since(tx: Tx, cart: Row[Any]) -> bool:
    since = min(tx.now - settings.get(tx, "recovery.recent_days") * DAY, cart.expired_at)
    paid = exists().where(
        order.c.person_id == cart.person_id,
        order.c.payment_status.in_(("paid", "refunded")),
        order.c.paid_at >= since,
    )
    return bool(tx.execute(select(paid)).scalar())


def _text(tx: Tx, cart: Row[Any], person: Person, shop: Face, leave: str) -> str:
    name = greeting_name(person.name)
    shop_name = one_line(shop.shop.name)
    products = shown(tx, [item["product_id"] for item in cart.items], shop.shop.url)
    parts = [f"Hello {name}," if name else "Hello,"]
    if cart.items:
        parts.append(wrap(f"you began an order at {shop_name} and did not finish it. Nothing was charged."))
        parts += [_item(item, products.get(item["product_id"], Shown())) for item in cart.items]
        parts.append(f"All of it on one page:\n{shop.base}/cart/{links.sign(tx, 'cart', cart.id)}")
    else:
        amount = money_text(cart.amount, cart.currency)
        parts.append(
            wrap(
                f"you began an order over {amount} at {shop_name} and did not finish it. Nothing was charged."
            )
        )
        parts += [shop.shop.url] if shop.shop.url else []
    parts.append(
        wrap("If you have changed your mind, there is nothing to do: we remind you of it only this once.")
    )
    parts.append(f"No more reminders like this one:\n{leave}")
    parts.append(f"-- \n{shop_name}")
    return "\n\n".join(parts)


def _item(item: dict[str, Any], product: Shown) -> str:
    line = wrap(f"{item['quantity']} \u00d7 {one_line(item['name'])}", indent="  ", hanging="      ")
    return f"{line}\n      {product.url}" if product.url else line


mail.register(
    mail.MailKind(name="recovery", label="Cart recovery", compose=compose, sent=sent, at_most_once=True)
)
