"""The catalogue holds together, and every sentence reads as the shop's owner expects it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.activity.catalog import TYPES, event_type, readable_type
from server.activity.event_type import CATEGORIES, LEVELS, ORDER
from server.activity.log import log
from server.activity.reference import events_part
from server.kit.db import Store
from tests.server.activity.making import GBP, feed, make_order

TIMES = {"first_at": 1_771_840_800_000, "last_at": 1_771_844_400_000}
SENTENCES: list[tuple[str, dict[str, Any], dict[str, str], str]] = [
    ("order.created", {"amount": GBP, "via": "Stripe"}, {}, "Order placed — £43.00 via Stripe"),
    ("order.created", {"amount": {"amount": 1200, "currency": "JPY"}}, {}, "Order placed — ¥1,200"),
    ("order.paid", {"amount": GBP, "via": "Stripe"}, {}, "Payment received — £43.00 via Stripe"),
    (
        "order.payment_failed",
        {"amount": GBP, "via": "Stripe"},
        {"reason": "card declined"},
        "Payment of £43.00 via Stripe failed: card declined",
    ),
    ("order.payment_failed", {}, {}, "Payment failed"),
    ("order.paid_again", {"amount": GBP, "via": "Stripe"}, {}, "Paid a second time — £43.00 via Stripe"),
    (
        "order.amount_mismatch",
        {"amount": {"amount": 100, "currency": "GBP"}, "expected": GBP},
        {},
        "Paid £1.00, but the order is £43.00",
    ),
    ("order.amount_mismatch", {"amount": GBP}, {}, "Paid £43.00, but the order is ?"),
    ("order.email.confirmation_sent", {}, {}, "Order confirmation sent to tom@example.com"),
    ("order.email.shipping_sent", {}, {}, "Shipping notification sent to tom@example.com"),
    (
        "order.submitted",
        {"provider": "Printify", "provider_order_id": "PFY-12345"},
        {},
        "Submitted to Printify (PFY-12345)",
    ),
    ("order.submitted", {"provider": "Printify"}, {}, "Submitted to Printify"),
    (
        "order.submission_failed",
        {"provider": "Printify"},
        {"reason": "variant out of stock"},
        "Submission to Printify failed: variant out of stock",
    ),
    ("order.submission_failed", {}, {}, "Submission failed"),
    (
        "order.submission_retried",
        {"attempt": 2, "max_attempts": 3},
        {},
        "Submission retried — attempt 2 of 3",
    ),
    ("order.submission_retried", {"attempt": 2}, {}, "Submission retried — attempt 2"),
    ("order.production", {"provider": "Printify"}, {}, "In production at Printify"),
    (
        "order.shipped",
        {"carrier": "DHL", "tracking_number": "1Z999"},
        {},
        "Shipped via DHL — tracking: 1Z999",
    ),
    ("order.shipped", {"carrier": "DHL"}, {}, "Shipped via DHL"),
    ("order.shipped", {}, {}, "Shipped"),
    ("order.delivered", {}, {}, "Delivered"),
    ("order.cancelled", {}, {}, "Order cancelled"),
    ("order.cancelled", {}, {"reason": "no stock"}, "Order cancelled: no stock"),
    ("order.refunded", {"amount": GBP}, {}, "Refunded £43.00"),
    (
        "order.refunded",
        {"amount": {"amount": 1000, "currency": "GBP"}, "of": GBP},
        {},
        "Refunded £10.00 of £43.00",
    ),
    ("sync.started", {"provider": "Printify"}, {}, "Product sync started (Printify)"),
    (
        "sync.completed",
        {"products": 47, "updated": 3},
        {},
        "Product sync complete — 47 products, 3 updated",
    ),
    ("sync.failed", {"provider": "Printify"}, {"reason": "timeout"}, "Product sync failed: timeout"),
    ("abandoned_cart.created", {"amount": GBP}, {}, "Cart abandoned — £43.00"),
    ("abandoned_cart.email_sent", {}, {}, "Recovery email sent to tom@example.com"),
    ("abandoned_cart.recovered", {}, {}, "Abandoned cart recovered — order SS-260223-0046"),
    ("ticket.created", {"number": 1234}, {}, "Ticket #1234 opened"),
    ("ticket.resolved", {"number": 12}, {}, "Ticket #12 resolved"),
    ("ticket.closed", {"number": 12}, {}, "Ticket #12 closed"),
    ("ticket.reopened", {"number": 12}, {}, "Ticket #12 opened again"),
    ("email.bounced", {"kind": "hard"}, {}, "Email bounced: tom@example.com (hard)"),
    (
        "job.exhausted",
        {"job": "submit_order", "attempts": 3},
        {},
        "Job submit_order gave up at attempt 3",
    ),
    (
        "webhook.failed",
        {"provider": "stripe", "event_type": "charge.refunded"},
        {},
        "Webhook charge.refunded from stripe could not be worked on",
    ),
    (
        "webhook.unmatched",
        {"provider": "stripe", "event_type": "charge.refunded"},
        {},
        "Webhook charge.refunded from stripe waited 24 hours and matched no order",
    ),
    (
        "deletion.residue",
        {"found": 2, "places": "inbox.body, shop.db-wal"},
        {},
        "Traces of tom@example.com are left after the erasure: 2 in inbox.body, shop.db-wal",
    ),
    (
        "activity.gap",
        {"count": 3, **TIMES},
        {},
        "Activity not recorded: 3, first at 2026-02-23 10:00 UTC, last at 2026-02-23 11:00 UTC",
    ),
    ("order.returned", {}, {"reason": "nobody home"}, "Package came back: nobody home"),
    (
        "order.overdue",
        {"expected": "Shipping", "due_at": TIMES["first_at"]},
        {},
        "Shipping was expected by 2026-02-23 10:00 UTC and has not come",
    ),
    ("order.came_late", {"expected": "Shipping", "late_by": "2 h"}, {}, "Shipping came, late by 2 h"),
    (
        "email.failed",
        {"mail": "Order confirmation"},
        {"reason": "mailbox full"},
        "Order confirmation to tom@example.com could not be sent: mailbox full",
    ),
    (
        "email.kept",
        {"mail": "Order confirmation"},
        {},
        "Order confirmation to tom@example.com kept in the outbox",
    ),
    (
        "product.vanished",
        {"product": "Wool socks", "provider": "Printify"},
        {},
        "Wool socks is no longer at Printify",
    ),
    (
        "setting.unreadable",
        {"setting": "printify.token"},
        {},
        "The secret printify.token cannot be decrypted and counts as unset: enter it again",
    ),
    ("custom.gift.wrapped", {}, {"message": "Wrapped in blue"}, "Wrapped in blue"),
]


@pytest.mark.parametrize(("name", "params", "texts", "sentence"), SENTENCES)
def test_a_sentence(
    store: Store, name: str, params: dict[str, Any], texts: dict[str, str], sentence: str
) -> None:
    def unit(tx: Any) -> None:
        order_id, _ = make_order(tx)
        assert log(tx, name, order_id=order_id, params=params, texts=texts) is not None

    store.write(unit)
    assert feed(store)[0].message == sentence


def test_every_type_has_a_sentence_among_these() -> None:
    assert {name for name, *_ in SENTENCES} - {"custom.gift.wrapped"} == set(TYPES)


LEVELS_OF_THE_DOMAIN = {
    "order.submission_failed": "error",
    "order.cancelled": "warning",
    "order.payment_failed": "warning",
    "order.paid_again": "warning",
    "order.amount_mismatch": "warning",
    "sync.failed": "error",
    "email.bounced": "warning",
    "job.exhausted": "error",
    "webhook.failed": "error",
    "webhook.unmatched": "warning",
    "activity.gap": "warning",
    "deletion.residue": "error",
    "order.returned": "warning",
    "order.overdue": "warning",
    "email.failed": "error",
    "product.vanished": "warning",
    "setting.unreadable": "error",
}


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_a_type_holds_together(kind: Any) -> None:
    assert kind.level == LEVELS_OF_THE_DOMAIN.get(kind.name, "info")
    assert kind.level in LEVELS
    assert kind.category in CATEGORIES
    assert kind.sentence.slots <= {*kind.params, *kind.texts, "person", "order"}
    assert not set(kind.params) & set(kind.texts)
    assert (kind.same is not None) is (kind.level != "info"), "what needs a human must say what it folds with"
    assert set(kind.same or ()) <= {*kind.params, *kind.texts, ORDER}
    assert kind.actions == (() if kind.level == "info" else ("resolve", "reopen"))


def test_what_is_internal() -> None:
    internal = {name for name, kind in TYPES.items() if kind.internal}
    assert internal == {"sync.started", "abandoned_cart.created", "job.exhausted", "email.kept"}


def test_a_program_of_the_shop_makes_its_own_types() -> None:
    kind = event_type("custom.gift.wrapped_twice")
    assert kind is not None
    assert (kind.label, kind.category, kind.level) == ("Gift wrapped twice", "custom", "info")
    assert event_type("custom.") is None
    assert event_type("customs.x") is None
    assert event_type("order.unheard_of") is None


@pytest.mark.parametrize("name", ["order.unheard_of", "", "...", "{person}", "[x", "é\x00", "x" * 5000])
def test_a_type_of_another_version_can_still_be_read(name: str) -> None:
    kind = readable_type(name)
    assert kind.sentence.fill({"person": "tom@example.com"}) == kind.sentence.fill({})
    assert 0 < len(kind.label) <= 80


def test_the_page_about_events_is_made_from_the_catalogue() -> None:
    page = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
    assert page.endswith(events_part()), "run `make docs`"
    for name in TYPES:
        assert f"| `{name}` |" in page
