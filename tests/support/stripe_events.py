"""Stripe's events in their true shapes, signed by a hand that knows nothing of the code under test."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass, field
from typing import Any, Final

SECRET: Final = "whsec_test_51Hq8sockdrawer"
AT: Final = 1_771_840_800  # 2026-02-23T10:00:00Z, where the tests' clock stands
_count = itertools.count(1)


def sign(body: bytes, secret: str = SECRET, at: int = AT, scheme: str = "v1") -> str:
    """The ``Stripe-Signature`` header for a body sent at ``at`` (seconds)."""
    return f"t={at},{scheme}={digest(body, secret, at)}"


def digest(body: bytes, secret: str = SECRET, at: int = AT) -> str:
    """HMAC-SHA256 over time, dot, body."""
    return hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()


def encode(event: dict[str, Any]) -> bytes:
    """The bytes as Stripe sends them: indented, letters beyond ASCII as they are, half characters as escapes."""
    try:
        return json.dumps(event, indent=2, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(event, indent=2).encode()


def event(
    kind: str, thing: dict[str, Any], *, event_id: str | None = None, created: Any = AT
) -> dict[str, Any]:
    """An event around an object."""
    return {
        "id": event_id or f"evt_1{next(_count):023d}",
        "object": "event",
        "account": None,
        "api_version": "2026-01-28.clover",
        "context": None,
        "created": created,
        "data": {"object": thing, "previous_attributes": None},
        "livemode": thing.get("livemode", False),
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


@dataclass(frozen=True)
class Purchase:
    """What somebody buys at the payment page, from which its session and its charge are made."""

    name: str = "A1"
    amount: int = 4300
    currency: str = "gbp"
    shipping: int | None = 395
    reference: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    email: str | None = "mary@example.com"
    customer: str | None = "Mary Example"
    livemode: bool = True
    lines: tuple[tuple[str, int, int], ...] | None = None

    @property
    def session_id(self) -> str:
        """``cs_live_…``."""
        return f"cs_{'live' if self.livemode else 'test'}_{self.name}"

    @property
    def intent(self) -> str:
        """``pi_…``."""
        return f"pi_{self.name}"

    def session(self, **changed: Any) -> dict[str, Any]:
        """The Checkout Session after it was completed and paid."""
        whole = _SESSION | {
            "id": self.session_id,
            "amount_subtotal": self.amount - (self.shipping or 0),
            "amount_total": self.amount,
            "client_reference_id": self.reference,
            "collected_information": {
                "business_name": None,
                "individual_name": None,
                "shipping_details": {"address": ADDRESS, "name": self.customer},
            },
            "currency": self.currency,
            "customer_details": {
                "address": ADDRESS,
                "business_name": None,
                "email": self.email,
                "individual_name": None,
                "name": self.customer,
                "phone": "+442079460018",
                "tax_exempt": "none",
                "tax_ids": [],
            },
            "livemode": self.livemode,
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "shipping_cost": None
            if self.shipping is None
            else {
                "amount_subtotal": self.shipping,
                "amount_tax": 0,
                "amount_total": self.shipping,
                "shipping_rate": "shr_1Standard",
            },
            "total_details": {
                "amount_discount": 0,
                "amount_shipping": self.shipping or 0,
                "amount_tax": 0,
            },
        }
        if self.lines is not None:
            whole["line_items"] = self._line_items()
        return whole | changed

    def _line_items(self) -> dict[str, Any]:
        return {
            "object": "list",
            "data": [
                {
                    "id": f"li_{self.name}_{number}",
                    "object": "item",
                    "adjustable_quantity": None,
                    "amount_discount": 0,
                    "amount_subtotal": quantity * price,
                    "amount_tax": 0,
                    "amount_total": quantity * price,
                    "currency": self.currency,
                    "description": name,
                    "discounts": [],
                    "metadata": {},
                    "price": {
                        "id": f"price_{number}",
                        "object": "price",
                        "active": True,
                        "billing_scheme": "per_unit",
                        "created": AT - 86_400,
                        "currency": self.currency,
                        "livemode": self.livemode,
                        "lookup_key": None,
                        "metadata": {},
                        "nickname": None,
                        "product": f"prod_{number}",
                        "recurring": None,
                        "tax_behavior": "unspecified",
                        "tiers_mode": None,
                        "transform_quantity": None,
                        "type": "one_time",
                        "unit_amount": price,
                        "unit_amount_decimal": str(price),
                    },
                    "quantity": quantity,
                    "taxes": [],
                }
                for number, (name, quantity, price) in enumerate(self.lines or (), 1)
            ],
            "has_more": False,
            "url": f"/v1/checkout/sessions/{self.session_id}/line_items",
        }

    def charge(self, refunded: int, **changed: Any) -> dict[str, Any]:
        """The charge after ``refunded`` of it went back."""
        whole = _CHARGE | {
            "id": f"ch_{self.name}",
            "amount": self.amount,
            "amount_captured": self.amount,
            "amount_refunded": refunded,
            "billing_details": {
                "address": ADDRESS,
                "email": self.email,
                "name": self.customer,
                "phone": None,
                "tax_id": None,
            },
            "currency": self.currency,
            "livemode": self.livemode,
            "payment_intent": self.intent,
            "receipt_email": self.email,
            "refunded": refunded >= self.amount,
        }
        return whole | changed

    # -- events ----------------------------------------------------------------------------------------

    def completed(self, *, event_id: str | None = None, created: Any = AT, **changed: Any) -> dict[str, Any]:
        """``checkout.session.completed``."""
        return event(
            "checkout.session.completed", self.session(**changed), event_id=event_id, created=created
        )

    def awaiting(self, *, event_id: str | None = None, created: Any = AT) -> dict[str, Any]:
        """``checkout.session.completed`` of a debit or transfer, whose money is still on its way."""
        return self.completed(event_id=event_id, created=created, payment_status="unpaid")

    def succeeded(self, *, event_id: str | None = None, created: Any = AT) -> dict[str, Any]:
        """``checkout.session.async_payment_succeeded``."""
        return event(
            "checkout.session.async_payment_succeeded", self.session(), event_id=event_id, created=created
        )

    def failed(self, *, event_id: str | None = None, created: Any = AT) -> dict[str, Any]:
        """``checkout.session.async_payment_failed``."""
        return event(
            "checkout.session.async_payment_failed",
            self.session(payment_status="unpaid"),
            event_id=event_id,
            created=created,
        )

    def expired(self, *, event_id: str | None = None, created: Any = AT) -> dict[str, Any]:
        """``checkout.session.expired``."""
        return event(
            "checkout.session.expired",
            self.session(payment_status="unpaid", status="expired", payment_intent=None),
            event_id=event_id,
            created=created,
        )

    def refund(
        self, amount: int, *, event_id: str | None = None, created: Any = AT, **changed: Any
    ) -> dict[str, Any]:
        """``charge.refunded``; ``amount`` is all that went back so far."""
        return event("charge.refunded", self.charge(amount, **changed), event_id=event_id, created=created)


ADDRESS: Final[dict[str, Any]] = {
    "city": "London",
    "country": "GB",
    "line1": "1 Sock Lane",
    "line2": None,
    "postal_code": "E1 6AN",
    "state": None,
}

_SESSION: Final[dict[str, Any]] = {
    "object": "checkout.session",
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "allow_promotion_codes": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": "auto",
    "cancel_url": "https://shop.example.com/cart",
    "client_secret": None,
    "consent": None,
    "consent_collection": None,
    "created": AT - 600,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer": None,
    "customer_account": None,
    "customer_creation": "if_required",
    "customer_email": None,
    "discounts": [],
    "expires_at": AT + 85_800,
    "invoice": None,
    "invoice_creation": {
        "enabled": False,
        "invoice_data": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": None,
            "metadata": {},
            "rendering_options": None,
        },
    },
    "locale": "en-GB",
    "mode": "payment",
    "origin_context": None,
    "payment_link": None,
    "payment_method_collection": "if_required",
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
    "payment_status": "paid",
    "permissions": None,
    "phone_number_collection": {"enabled": True},
    "presentment_details": None,
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": {"allowed_countries": ["GB", "IE"]},
    "shipping_options": [],
    "status": "complete",
    "submit_type": None,
    "subscription": None,
    "success_url": "https://shop.example.com/thanks",
    "ui_mode": "hosted",
    "url": None,
    "wallet_options": None,
}

_CHARGE: Final[dict[str, Any]] = {
    "object": "charge",
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": "txn_1",
    "calculated_statement_descriptor": "SOCKS",
    "captured": True,
    "created": AT - 30,
    "customer": None,
    "description": None,
    "disputed": False,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": {},
    "metadata": {},
    "on_behalf_of": None,
    "outcome": {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 3,
        "seller_message": "Payment complete.",
        "type": "authorized",
    },
    "paid": True,
    "payment_method": "pm_1",
    "payment_method_details": {
        "card": {
            "amount_authorized": 4300,
            "authorization_code": None,
            "brand": "visa",
            "checks": {
                "address_line1_check": "pass",
                "address_postal_code_check": "pass",
                "cvc_check": "pass",
            },
            "country": "GB",
            "exp_month": 8,
            "exp_year": 2030,
            "fingerprint": "mTaEtnEP3lP1",
            "funding": "credit",
            "installments": None,
            "last4": "4242",
            "mandate": None,
            "network": "visa",
            "three_d_secure": None,
            "wallet": None,
        },
        "type": "card",
    },
    "radar_options": {},
    "receipt_number": None,
    "receipt_url": "https://pay.stripe.example/receipts/1",
    "review": None,
    "shipping": None,
    "source": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "succeeded",
    "transfer_data": None,
    "transfer_group": None,
}
