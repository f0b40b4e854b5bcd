"""Stripe's events as Stripe writes and signs them, for payments that never were."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Final

from server.contract.base import Money
from server.contract.orders import Address
from server.practice.actions import Checkout, Webhook

API_VERSION: Final = "2026-10-28.endive"
_SESSION_DAY: Final = 24 * 3600
_UNKNOWN: Final = {"email": None, "name": None, "phone": None, "address": None}


def body(webhook: Webhook, number: str | None) -> bytes:
    """The bytes that Stripe posts.

    Args:
        webhook: what happened.
        number: the order that the session names, if the shop's program created one.
    """
    if webhook.type == "charge.refunded":
        thing = _charge(webhook)
    elif webhook.type == "customer.created":
        thing = _customer(webhook)
    else:
        thing = _session(webhook, number if webhook.checkout.names_order else None)
    event = {
        "id": f"evt_1{_digits(webhook.event)}",
        "object": "event",
        "api_version": API_VERSION,
        "created": webhook.created // 1000,
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": webhook.type,
    }
    return json.dumps(event, ensure_ascii=False, indent=2).encode()


def signature(payload: bytes, secret: str, at: int) -> str:
    """The ``Stripe-Signature`` of a delivery at ``at`` (milliseconds)."""
    stamp = at // 1000
    signed = hmac.new(secret.encode(), f"{stamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={signed}"


def minor(amount: int | Money) -> int:
    """An amount of minor units, however it was given."""
    return amount.amount if isinstance(amount, Money) else amount


def _digits(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _address(address: Address | None) -> dict[str, Any]:
    found = address or Address()
    parts = ("city", "country", "line1", "line2", "postal_code", "state")
    return {part: getattr(found, part) for part in parts}


def _session(webhook: Webhook, number: str | None) -> dict[str, Any]:
    checkout = webhook.checkout
    name = _digits(checkout.name)
    expired = webhook.type == "checkout.session.expired"
    known = checkout.email_known or not expired
    customer = checkout.customer if known else checkout.customer.model_copy(update=_UNKNOWN)
    address = _address(customer.address)
    return {
        "id": f"cs_test_{name}",
        "object": "checkout.session",
        "amount_subtotal": checkout.total - checkout.shipping,
        "amount_total": checkout.total,
        "cancel_url": "https://sundaysocks.example/cart",
        "client_reference_id": number,
        "collected_information": {
            "business_name": None,
            "individual_name": None,
            "shipping_details": {"address": address, "name": customer.name},
        },
        "created": webhook.created // 1000,
        "currency": checkout.currency.lower(),
        "customer": None,
        "customer_creation": "if_required",
        "customer_details": {
            "address": address,
            "business_name": None,
            "email": customer.email,
            "individual_name": None,
            "name": customer.name,
            "phone": customer.phone,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "customer_email": customer.email if number else None,
        "expires_at": webhook.created // 1000 + _SESSION_DAY,
        "livemode": False,
        "locale": None,
        "metadata": {"order_number": number} if number else {},
        "mode": "payment",
        "payment_intent": None if expired else f"pi_{name}",
        "payment_link": None if number else f"plink_{_digits('link')}",
        "payment_method_types": [checkout.method],
        "payment_status": "paid" if webhook.paid else "unpaid",
        "shipping_cost": {
            "amount_subtotal": checkout.shipping,
            "amount_tax": 0,
            "amount_total": checkout.shipping,
            "shipping_rate": None,
        },
        "status": "expired" if expired else "complete",
        "success_url": "https://sundaysocks.example/thanks",
        "total_details": {"amount_discount": 0, "amount_shipping": checkout.shipping, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": None,
        **_lines(checkout),
    }


def _lines(checkout: Checkout) -> dict[str, Any]:
    """What is bought, where Stripe itself sells it."""
    if not checkout.lines:
        return {}
    data = [
        {
            "id": f"li_{_digits(f'{checkout.name} {nth}')}",
            "object": "item",
            "amount_subtotal": minor(line.unit_price) * line.quantity,
            "amount_total": minor(line.unit_price) * line.quantity,
            "currency": checkout.currency.lower(),
            "description": line.name,
            "price": {
                "id": f"price_{_digits(line.name)}",
                "object": "price",
                "product": line.product_id,
                "unit_amount": minor(line.unit_price),
            },
            "quantity": line.quantity,
        }
        for nth, line in enumerate(checkout.lines)
    ]
    return {"line_items": {"object": "list", "data": data, "has_more": False, "url": "/v1/checkout/sessions"}}


def _charge(webhook: Webhook) -> dict[str, Any]:
    checkout = webhook.checkout
    name = _digits(checkout.name)
    return {
        "id": f"ch_{name}",
        "object": "charge",
        "amount": checkout.total,
        "amount_captured": checkout.total,
        "amount_refunded": webhook.refunded,
        "billing_details": {
            "address": _address(checkout.customer.address),
            "email": checkout.customer.email,
            "name": checkout.customer.name,
            "phone": checkout.customer.phone,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "SUNDAY SOCKS",
        "captured": True,
        "created": webhook.created // 1000,
        "currency": checkout.currency.lower(),
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "outcome": _outcome(),
        "paid": True,
        "payment_intent": f"pi_{name}",
        "payment_method": f"pm_{name}",
        "payment_method_details": _method(checkout),
        "receipt_email": checkout.customer.email,
        "receipt_number": None,
        "refunded": webhook.refunded >= checkout.total,
        "status": "succeeded",
    }


def _outcome() -> dict[str, Any]:
    return {
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _method(checkout: Checkout) -> dict[str, Any]:
    if checkout.method != "card":
        return {"type": checkout.method, checkout.method: {"last4": "3000"}}
    return {"type": "card", "card": {"brand": "visa", "exp_month": 8, "exp_year": 2030, "last4": "4242"}}


def _customer(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": f"cus_{_digits(webhook.checkout.name)}",
        "object": "customer",
        "created": webhook.created // 1000,
        "email": webhook.checkout.customer.email,
        "livemode": False,
        "metadata": {},
        "name": webhook.checkout.customer.name,
    }
