"""The story of one order, from the first click to the parcel at the door, and what may go wrong on the way.

A fate is a function that tells a tale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from server.kit.clock import DAY, HOUR, MINUTE, SECOND
from server.practice.actions import mark
from server.practice.cast import PRODUCTS
from server.practice.tale import ATTEMPTS, Tale

LINKED: Final = next(product for product in PRODUCTS if product.slug == "market-tote")
"""What the shop's payment link sells."""


def plain(tale: Tale) -> None:
    """Placed, paid, made, sent, delivered."""
    tale.make_and_send(tale.submit(tale.pay(tale.place(tale.begin))))


def retried(tale: Tale) -> None:
    """The provider refuses the first attempt and takes the second."""
    if tale.ours:
        plain(tale)  # how the provider takes it is its own matter
        return
    failed = tale.later(tale.pay(tale.place(tale.begin)), 40 * SECOND, 2 * MINUTE)
    tale.step("failed", failed, reason=tale.reason, attempt=1)
    taken = tale.later(failed, MINUTE, 2 * MINUTE)
    tale.step("submitted", taken, attempt=2)
    tale.resolve(max(tale.settle(failed), taken + MINUTE))
    tale.make_and_send(taken)


def refused(tale: Tale) -> int:
    """The provider refuses all attempts; gives the moment of the last. What comes next is a person's work."""
    failed = tale.later(tale.pay(tale.place(tale.begin)), 40 * SECOND, 2 * MINUTE)
    for attempt in range(1, ATTEMPTS + 1):
        tale.step("failed", failed, reason=tale.reason, attempt=attempt)
        if attempt < ATTEMPTS:
            failed = tale.later(failed, MINUTE, 5 * MINUTE)
    return failed


def mended(tale: Tale) -> None:
    """All attempts fail; a person puts it right, submits the order again and resolves it."""
    if tale.ours:
        plain(tale)
        return
    failed = refused(tale)
    taken = max(tale.settle(failed), failed + MINUTE)
    tale.step("submitted", taken)
    tale.resolve(taken + 20 * SECOND)
    tale.make_and_send(taken)


def heard_late(tale: Tale) -> None:
    """Stripe could not reach the shop for hours."""
    paid = tale.place(tale.begin)
    heard = tale.later(paid, 2 * HOUR, 9 * HOUR)
    tale.stripe("checkout.session.completed", paid, heard=heard)
    tale.confirm(heard)
    tale.make_and_send(tale.submit(heard))


def heard_twice(tale: Tale) -> None:
    """Stripe delivers the payment twice."""
    webhook = tale.stripe("checkout.session.completed", tale.place(tale.begin))
    tale.confirm(webhook.at)
    tale.again(webhook, tale.later(webhook.at, 3 * SECOND, 2 * HOUR))
    tale.make_and_send(tale.submit(webhook.at))


def by_link(tale: Tale) -> None:
    """Paid through a payment link: the shop's program knows of no order, the session makes it."""
    if not tale.ours:
        plain(tale)  # there was no payment link before the opening
        return
    tale.buy(LINKED, LINKED.variants[0])
    mailbox, _, host = tale.order.customer.email.rpartition("@")
    customer = tale.order.customer.model_copy(update={"email": f"{mailbox}+{mark(tale.name)}@{host}"})
    tale.order = tale.order.model_copy(update={"customer": customer})
    tale.checkout = replace(
        tale.checkout, customer=customer, names_order=False, lines=tuple(tale.order.items)
    )
    tale.make_and_send(tale.submit(tale.pay(tale.begin)))


def debited(tale: Tale) -> None:
    """Paid by direct debit, which takes days to arrive."""
    tale.checkout = replace(
        tale.checkout, method="sepa_debit" if tale.order.currency == "EUR" else "bacs_debit"
    )
    signed = tale.stripe("checkout.session.completed", tale.place(tale.begin), paid=False).at
    arrived = tale.later(signed, 20 * HOUR, 3 * DAY)
    heard = tale.stripe("checkout.session.async_payment_succeeded", arrived).at
    tale.confirm(heard)
    tale.make_and_send(tale.submit(heard))


def bounced_debit(tale: Tale) -> None:
    """The direct debit comes back unpaid; the customer pays by card, or the shop's program cancels the order."""
    tale.checkout = replace(
        tale.checkout, method="sepa_debit" if tale.order.currency == "EUR" else "bacs_debit"
    )
    signed = tale.stripe("checkout.session.completed", tale.place(tale.begin), paid=False).at
    refused_at = tale.later(signed, 20 * HOUR, 3 * DAY)
    heard = tale.stripe("checkout.session.async_payment_failed", refused_at, paid=False).at
    if tale.dice.random() < 0.7:
        tale.checkout = replace(tale.checkout, name=f"{tale.name} again", method="card")
        tale.resolve(tale.settle(heard))
        tale.make_and_send(tale.submit(tale.pay(tale.later(heard, 20 * MINUTE, 8 * HOUR))))
        return
    cancelled = tale.later(heard, MINUTE, 5 * MINUTE)
    tale.step("cancelled", cancelled, reason="direct debit returned unpaid")
    tale.resolve(max(tale.settle(heard), cancelled + MINUTE))


def abandoned(tale: Tale) -> None:
    """Never paid: the session expires, and the shop's program cancels the order; a few think better of it later.

    The payment page of today knows whom it lost, and waits for half an hour; that of the past waited for a day.
    """
    tale.place(tale.begin)
    tale.checkout = replace(tale.checkout, email_known=tale.ours)
    waits = 30 * MINUTE if tale.ours else DAY
    expired = tale.stripe("checkout.session.expired", tale.begin + waits, paid=False).at
    cancelled = tale.later(expired, MINUTE, 5 * MINUTE)
    tale.step("cancelled", cancelled, reason="not paid in time")
    tale.resolve(max(tale.settle(cancelled), cancelled + MINUTE))
    if tale.ours and tale.dice.random() < 0.3:
        tale.checkout = replace(tale.checkout, name=f"{tale.name} again")
        tale.pay(tale.place(tale.later(expired, 70 * MINUTE, 5 * HOUR)))


def partly_refunded(tale: Tale) -> None:
    """Delivered, then a part is given back."""
    delivered = tale.make_and_send(tale.submit(tale.pay(tale.place(tale.begin))))
    back = max(100, tale.checkout.total * tale.dice.randint(2, 6) // 10 // 100 * 100)
    tale.stripe("charge.refunded", tale.later(delivered, 5 * HOUR, 6 * DAY), refunded=back)


def refunded(tale: Tale) -> None:
    """Delivered, sent back, all of it given back."""
    delivered = tale.make_and_send(tale.submit(tale.pay(tale.place(tale.begin))))
    tale.stripe("charge.refunded", tale.later(delivered, 4 * DAY, 9 * DAY), refunded=tale.checkout.total)


def refund_overtook(tale: Tale) -> None:
    """Called off within the hour, and the shop hears of the refund before it hears of the payment."""
    paid = tale.place(tale.begin)
    given_back = tale.later(paid, 15 * MINUTE, 50 * MINUTE)
    tale.stripe("charge.refunded", given_back, refunded=tale.checkout.total)
    heard = tale.later(given_back, HOUR, 3 * HOUR)
    tale.stripe("checkout.session.completed", paid, heard=heard)
    cancelled = tale.later(heard, MINUTE, 5 * MINUTE)
    tale.step("cancelled", cancelled, reason="called off by the customer")
    tale.resolve(max(tale.settle(cancelled), cancelled + MINUTE))


def cancelled(tale: Tale) -> None:
    """The customer calls it off before it is made, and gets the money back."""
    taken = tale.submit(tale.pay(tale.place(tale.begin)))
    called_off = tale.later(taken, 4 * MINUTE, 3 * HOUR)
    tale.step("cancelled", called_off, reason="called off by the customer")
    tale.stripe(
        "charge.refunded",
        tale.later(called_off, MINUTE, 9 * MINUTE),
        refunded=tale.checkout.total,
    )
    tale.resolve(max(tale.settle(called_off), called_off + MINUTE))


def forged(tale: Tale) -> None:
    """Somebody claims that the order is paid, with a signature of their own; then the customer really pays."""
    paid = tale.place(tale.begin)
    claimed = tale.later(tale.begin, 5 * SECOND, 40 * SECOND)
    tale.stripe("checkout.session.completed", claimed, forged=True)
    tale.make_and_send(tale.submit(tale.pay(paid)))


def mail_bounced(tale: Tale) -> None:
    """The confirmation comes back; somebody looks into it."""
    if tale.ours:
        plain(tale)  # whose mail comes back is the mail server's matter
        return
    heard = tale.pay(tale.place(tale.begin))
    bounced = tale.later(heard, MINUTE, 20 * MINUTE)
    email = tale.order.customer.email
    tale.say("custom.email.bounced", bounced, f"Email bounced: {email} (mailbox full)", "emails", "warning")
    tale.resolve(tale.settle(bounced))
    tale.make_and_send(tale.submit(heard))


Fate = Callable[[Tale], object]
FATES: Final[tuple[tuple[Fate, float], ...]] = (
    (plain, 66),
    (retried, 5),
    (mended, 2.5),
    (heard_late, 3),
    (heard_twice, 3),
    (by_link, 4),
    (debited, 4),
    (bounced_debit, 1),
    (abandoned, 4),
    (partly_refunded, 3),
    (refunded, 2),
    (refund_overtook, 1),
    (cancelled, 1.5),
    (forged, 1),
    (mail_bounced, 1),
)
"""What may become of an order, and how often."""
