"""What a refund at Stripe does to the order that was paid."""

from __future__ import annotations

from server.inbox import service as inbox
from server.inbox.senders import Event, Outcome
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.service import Refund
from server.payments.checkout import NAME, PROVIDER, facts
from server.payments.shapes import ChargeEvent, decode


def refunded(tx: Tx, event: Event) -> Outcome:
    """``charge.refunded``: part or all of a charge went back. Waits for its order when it comes before it."""
    told = ChargeEvent.model_validate(decode(event.body.encode()))
    charge = told.data.object
    paid_by = charge.payment_intent or charge.id
    inbox.alone(tx, PROVIDER, paid_by)
    order_id = orders.find_by_payment(tx, intent=paid_by)
    row = orders.find(tx, order_id) if order_id else None
    if row is None:
        return Outcome("parked", waits_for=paid_by)
    orders.mark_refunded(
        tx,
        row.id,
        Refund(
            processor=NAME,
            reference=charge.id,
            amount=charge.amount_refunded,
            of=charge.amount,
            currency=charge.currency,
            intent=paid_by,
            occurred_at=event.occurred_at,
            facts=facts(event, told),
        ),
    )
    return Outcome(order_id=row.id, person_id=row.person_id)
