"""The mails of an order: its confirmation and its shipping notification.

They leave by themselves when the order is paid and when it is on its way, unless a setting switches them off or the
shop's own program handles the order. Staff may ask for them again.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from sqlalchemy import Row, select

from server.activity import service as activity
from server.activity.service import Actor
from server.contract.mail import MailRow
from server.contract.orders import FulfilmentStep
from server.kit.access import Principal
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx
from server.mail import service as mail
from server.mail.service import Composed, Mail, MailKind, Queued, Withheld
from server.orders import hooks, letters, policy
from server.orders.models import order
from server.orders.policy import MailName
from server.orders.reading import find
from server.people import service as people
from server.settings import service as settings
from server.settings.face import face

_SUBJECT: Final[dict[MailName, str]] = {
    "confirmation": "Your order {number} – {shop}",  # noqa: RUF001
    "shipping": "Your order {number} is on its way – {shop}",  # noqa: RUF001
}
_REFUSALS: Final = {
    "no_address": "The customer has no e-mail address any more.",
    "not_paid": "The order is not paid for, so there is nothing to confirm.",
    "not_shipped": "The order is not on its way yet.",
}


def send(tx: Tx, key: str, kind: MailName, *, caller: Principal, hold_seconds: int | None = None) -> Queued:
    """Ask for an order's mail, once more if need be. Asked for twice while it waits, it is one mail.

    Args:
        tx: the transaction.
        key: the order's id or number.
        kind: which mail.
        caller: who asks.
        hold_seconds: how long it can be taken back; the shop's undo window when left out.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``no_address``, ``not_paid`` or ``not_shipped``.
    """
    row = find(tx, key, lock=True)
    if row is None:
        raise not_found("order")
    reason = policy.mail_obstacle(row, kind, reachable=reachable(tx, row))
    if reason is not None:
        raise ProblemError(409, reason, _REFUSALS[reason])
    hold = settings.get(tx, "actions.undo_seconds") if hold_seconds is None else hold_seconds
    return _queue(tx, row, kind, hold=hold * 1_000, asked_by=caller.user_id)


def of_order(tx: Tx, key: str) -> list[MailRow]:
    """An order's mails, newest first.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = find(tx, key)
    if row is None:
        raise not_found("order")
    return mail.of_order(tx, row.id)


def reachable(tx: Tx, row: Row[Any]) -> bool:
    """Whether the order's customer has an e-mail address."""
    customer = people.people(tx, [row.person_id]).get(row.person_id) if row.person_id else None
    return customer is not None and bool(customer.email)


def _queue(tx: Tx, row: Row[Any], kind: MailName, *, hold: int = 0, asked_by: str | None = None) -> Queued:
    # A mail that waits already is the same mail, whoever asked for it.
    unique = f"mail:{kind}:{row.id}"
    return mail.queue(
        tx, kind, person_id=row.person_id, order_id=row.id, hold=hold, asked_by=asked_by, unique=unique
    )


@hooks.on_paid
def _confirm(tx: Tx, row: Row[Any]) -> None:
    """An order became paid: its confirmation is asked for, once in its life."""
    if _by_itself(tx, row, "confirmation") and not mail.was_asked_for(tx, "confirmation", order_id=row.id):
        _queue(tx, row, "confirmation")


@hooks.on_step
def _notify(tx: Tx, before: Row[Any], now: Row[Any], step: FulfilmentStep) -> None:
    """An order left the house: its shipping notification is asked for, once in its life."""
    if step.status != "shipped" or before.fulfilment_status == "shipped":
        return
    if _by_itself(tx, now, "shipping") and not mail.was_asked_for(tx, "shipping", order_id=now.id):
        _queue(tx, now, "shipping")


def _by_itself(tx: Tx, row: Row[Any], kind: MailName) -> bool:
    wanted = settings.get(tx, "mail.confirmation" if kind == "confirmation" else "mail.shipping")
    return row.handled_by == "shopbell" and wanted and reachable(tx, row)


def _compose(tx: Tx, which: Mail, *, kind: MailName) -> Composed | Withheld:
    """What the mail says as the order is now, or why it does not leave."""
    row = tx.execute(select(order).where(order.c.id == which.order_id)).first()
    if row is None:
        return Withheld("order_gone")
    reason = policy.mail_obstacle(row, kind, reachable=reachable(tx, row))
    if reason is not None:
        return Withheld(reason)
    if which.asked_by is None and not _by_itself(tx, row, kind):
        return Withheld("switched_off")
    known = face(tx)
    subject = _SUBJECT[kind].format(number=row.number, shop=known.shop.name)
    write = letters.confirmation if kind == "confirmation" else letters.shipping
    return Composed(subject, write(tx, row, known))


def _sent(tx: Tx, which: Mail, *, event: str) -> None:
    activity.log(
        tx,
        event,
        order_id=which.order_id,
        person_id=which.person_id,
        identity=("mail", which.id),
        actor=Actor("job", name="mail.send"),
    )


mail.register(
    MailKind(
        name="confirmation",
        label="Order confirmation",
        compose=partial(_compose, kind="confirmation"),
        sent=partial(_sent, event="order.email.confirmation_sent"),
    )
)
mail.register(
    MailKind(
        name="shipping",
        label="Shipping notification",
        compose=partial(_compose, kind="shipping"),
        sent=partial(_sent, event="order.email.shipping_sent"),
    )
)
