"""What a session at Stripe's payment page does: places an order, pays it, or fails to."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row

from server.contract.orders import Address
from server.inbox import service as inbox
from server.inbox.senders import Event, Outcome
from server.kit.clock import SECOND
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.service import Draft, Line, Payment
from server.payments import hooks
from server.payments.hooks import Expired
from server.payments.shapes import CheckoutSession, CustomerDetails, Envelope, LineItem, SessionEvent, decode
from server.people import service as people

PROVIDER: Final = "stripe"
NAME: Final = "Stripe"
"""How sentences name it."""
_ONE_LINE: Final = "Order at the payment page"
"""The line of an order whose session came without its lines, as sessions do unless the shop expands them."""


class NoAmountError(ValueError):
    """A session that was paid, but does not say how much."""


def completed(tx: Tx, event: Event) -> Outcome:
    """``checkout.session.completed``: the order is placed; paid as well, unless the money is still on its way."""
    told = _read(event)
    session = told.data.object
    if session.mode == "setup":  # nothing was bought, a card was kept
        return Outcome("ignored")
    row = _order_of(tx, session)
    orders.mark_placed(tx, row.id, _payment(event, told, session), paid=session.paid)
    return _done(tx, row, session)


def async_payment_succeeded(tx: Tx, event: Event) -> Outcome:
    """``checkout.session.async_payment_succeeded``: the money came."""
    told = _read(event)
    session = told.data.object
    row = _order_of(tx, session)
    orders.mark_paid(tx, row.id, _payment(event, told, session))
    return _done(tx, row, session)


def async_payment_failed(tx: Tx, event: Event) -> Outcome:
    """``checkout.session.async_payment_failed``: the money did not come."""
    told = _read(event)
    session = told.data.object
    row = _order_of(tx, session)
    orders.mark_payment_failed(tx, row.id, _payment(event, told, session))
    return _done(tx, row, session)


def expired(tx: Tx, event: Event) -> Outcome:
    """``checkout.session.expired``: kept, with the order it named; the order may still be paid at another session.

    Whoever wants to know of it is told; they may have put the person of its e-mail into the vault.
    """
    session = _read(event).data.object
    if session.mode == "setup":
        return Outcome("ignored")
    row = _known_order(tx, session)
    kept = hooks.tell_expired(tx, _expired(session, row, event))
    person_id = kept or (None if row is None else row.person_id)
    return Outcome(order_id=None if row is None else row.id, person_id=person_id)


def facts(event: Event, told: Envelope) -> dict[str, Any]:
    """What to keep with an entry besides the sentence: live or test, and a sender's time that we do not believe."""
    kept: dict[str, Any] = {}
    if told.livemode is not None:
        kept["mode"] = "live" if told.livemode else "test"
    if told.created is not None and told.created * SECOND != event.occurred_at:
        kept["sent_at"] = told.created
    return kept


def _read(event: Event) -> SessionEvent:
    return SessionEvent.model_validate(decode(event.body.encode()))


def _done(tx: Tx, row: Row[Any], session: CheckoutSession) -> Outcome:
    if session.payment_intent is not None:
        inbox.wake(tx, PROVIDER, session.payment_intent)
    return Outcome(order_id=row.id, person_id=row.person_id)


def _payment(event: Event, told: SessionEvent, session: CheckoutSession) -> Payment:
    amount, currency = _amount(session)
    return Payment(
        processor=NAME,
        reference=session.id,
        intent=session.payment_intent,
        amount=amount,
        currency=currency,
        occurred_at=event.occurred_at,
        facts=facts(event, told),
    )


def _amount(session: CheckoutSession) -> tuple[int, str]:
    if session.amount_total is None or session.currency is None:
        raise NoAmountError
    return session.amount_total, session.currency


def _order_of(tx: Tx, session: CheckoutSession) -> Row[Any]:
    """The order of a session; made from what the session says when it names none that we know."""
    inbox.alone(tx, PROVIDER, session.id, *([session.payment_intent] if session.payment_intent else []))
    row = _known_order(tx, session)
    if row is None:
        row = orders.find(tx, _make(tx, session))
        assert row is not None  # noqa: S101 - it was made in this transaction
    elif (address := _address(session)) is not None:
        orders.fill_address(tx, row, address)
    return row


def _known_order(tx: Tx, session: CheckoutSession) -> Row[Any] | None:
    known = orders.find_by_payment(tx, session=session.id)
    for name in [known, *session.names]:
        row = orders.find(tx, name.strip()) if name else None
        if row is not None:
            return row
    return None


def _make(tx: Tx, session: CheckoutSession) -> str:
    total, currency = _amount(session)
    person_id = _customer(tx, session)
    address = _address(session)
    shipping = session.shipping_cost.amount_total if session.shipping_cost else None
    return orders.make(
        tx,
        Draft(
            currency=currency,
            total=total,
            lines=_lines(session, total, shipping or 0),
            shipping=shipping,
            person_id=person_id,
            address_id=people.add_address(tx, person_id, address) if person_id and address else None,
            stripe_session_id=session.id,
        ),
    )


def _expired(session: CheckoutSession, row: Row[Any] | None, event: Event) -> Expired:
    details = session.customer_details or CustomerDetails()
    lines = session.line_items is not None and session.line_items.data
    return Expired(
        session_id=session.id,
        email=details.email or session.customer_email,
        name=details.name,
        phone=details.phone,
        amount=session.amount_total,
        currency=session.currency,
        lines=tuple(_line(item) for item in lines) if lines else (),
        order=row,
        occurred_at=event.occurred_at,
    )


def _customer(tx: Tx, session: CheckoutSession) -> str | None:
    details = session.customer_details or CustomerDetails()
    email = details.email or session.customer_email
    if email is None:
        return None
    return people.find_or_create_customer(tx, email=email, name=details.name, phone=details.phone)


def _address(session: CheckoutSession) -> Address | None:
    to = session.ship_to
    if to is None or to.address is None:
        return None
    return Address(name=to.name, **to.address.model_dump())


def _lines(session: CheckoutSession, total: int, shipping: int) -> list[Line]:
    if session.line_items is not None and session.line_items.data:
        return [_line(item) for item in session.line_items.data]
    return [Line(_ONE_LINE, 1, max(total - shipping, 0))]


def _line(item: LineItem) -> Line:
    name = item.description or "—"
    quantity = item.quantity or 1
    product = item.price.product if item.price else None
    if item.price and item.price.unit_amount is not None:
        return Line(name, quantity, item.price.unit_amount, product)
    each, rest = divmod(item.amount_subtotal, quantity)
    if rest:  # a price in parts of a penny: what was paid stays exact
        return Line(f"{quantity} of {name}", 1, item.amount_subtotal, product)
    return Line(name, quantity, each, product)
