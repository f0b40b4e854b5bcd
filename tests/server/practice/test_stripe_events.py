"""The invented events are shaped and signed as Stripe's are: its own library takes them."""

from __future__ import annotations

import json

import pytest
import stripe

from server.contract.orders import NewCustomer
from server.kit.clock import HOUR, parse_instant
from server.practice import stripe_events
from server.practice.actions import Checkout, StripeType, Webhook

NOW = parse_instant("2026-02-23T10:00:00Z")
CHECKOUT = Checkout("260223-01", NewCustomer(email="tom@example.com", name="Tom \x1b[31m"), 2800, 400, "GBP")


def webhook(kind: StripeType, *, paid: bool = True, refunded: int = 0) -> Webhook:
    return Webhook(
        at=NOW,
        key="260223-01.2",
        story="260223-01",
        event="260223-01.2",
        type=kind,
        checkout=CHECKOUT,
        created=NOW - HOUR,
        paid=paid,
        refunded=refunded,
    )


@pytest.mark.parametrize(
    "kind",
    ["checkout.session.completed", "checkout.session.expired", "charge.refunded", "customer.created"],
)
def test_the_official_library_accepts_signature_and_shape(kind: StripeType) -> None:
    payload = stripe_events.body(webhook(kind), "SS-260223-0001")
    header = stripe_events.signature(payload, "whsec_practice", NOW)
    stripe.WebhookSignature.verify_header(payload.decode(), header, "whsec_practice", tolerance=None)
    event = stripe.Event.construct_from(json.loads(payload), None)
    assert (event.type, event.created, event.livemode) == (kind, (NOW - HOUR) // 1000, False)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(payload.decode(), header, "whsec_other", tolerance=None)


def test_a_session_names_its_order_in_both_places_and_a_link_names_none() -> None:
    session = json.loads(stripe_events.body(webhook("checkout.session.completed"), "SS-260223-0001"))["data"][
        "object"
    ]
    assert session["client_reference_id"] == session["metadata"]["order_number"] == "SS-260223-0001"
    assert (session["amount_total"], session["currency"], session["payment_status"]) == (2800, "gbp", "paid")
    bare = json.loads(stripe_events.body(webhook("checkout.session.completed"), None))["data"]["object"]
    assert bare["client_reference_id"] is None
    assert bare["metadata"] == {}


def test_refund_and_session_speak_of_one_payment() -> None:
    session = json.loads(stripe_events.body(webhook("checkout.session.completed"), None))["data"]["object"]
    charge = json.loads(stripe_events.body(webhook("charge.refunded", refunded=800), None))["data"]["object"]
    assert charge["payment_intent"] == session["payment_intent"]
    assert (charge["amount"], charge["amount_refunded"], charge["refunded"]) == (2800, 800, False)
    whole = json.loads(stripe_events.body(webhook("charge.refunded", refunded=2800), None))["data"]["object"]
    assert whole["refunded"] is True


def test_fields_are_those_of_stripe() -> None:
    """Every field of our session and charge is one that the official library knows."""
    session = json.loads(stripe_events.body(webhook("checkout.session.completed"), "SS-260223-0001"))["data"][
        "object"
    ]
    charge = json.loads(stripe_events.body(webhook("charge.refunded", refunded=1), None))["data"]["object"]
    assert set(session) <= set(stripe.checkout.Session.__annotations__) | {"object"}
    assert set(charge) <= set(stripe.Charge.__annotations__) | {"object"}
