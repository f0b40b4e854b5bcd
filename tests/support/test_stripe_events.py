"""The tests' own events are what Stripe's library takes for its own."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from stripe.checkout import Session

from tests.support.stripe_events import SECRET, Purchase, encode, sign

_BUYS = Purchase(lines=(("Wool socks", 2, 1200),))
_OPTIONAL = {  # what API versions or settings may leave out
    *("branding_settings", "excluded_payment_method_types", "integration_identifier", "managed_payments"),
    *("name_collection", "optional_items", "redirect_on_completion", "return_url", "tax_id_collection"),
    *("allowed_payment_method_types", "level3", "refunds", "presentment_details", "authorization_code"),
    *("transfer",),
}


@pytest.mark.parametrize(("thing", "shape"), [(_BUYS.session(), Session), (_BUYS.charge(100), stripe.Charge)])
def test_whole_objects_have_the_fields_of_the_official_types(thing: dict[str, Any], shape: type[Any]) -> None:
    declared = {name for name in shape.__annotations__ if name.islower() and not name.startswith("_")}
    assert set(thing) <= declared
    assert declared - set(thing) <= _OPTIONAL


def test_the_official_library_accepts_what_is_signed_here() -> None:
    body = encode(_BUYS.completed())
    event = stripe.Webhook.construct_event(body, sign(body), SECRET, tolerance=0)
    assert event.type == "checkout.session.completed"
    assert event.data.object["amount_total"] == 4300
