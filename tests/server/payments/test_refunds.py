"""Refunds: parts and all of it, before and after the order is known."""

from __future__ import annotations

import pytest

from server.inbox.service import PARKED_FOR, run_due
from server.kit.clock import MINUTE
from server.kit.db import Store
from tests.server.payments.desk import Desk
from tests.support.stripe_events import AT, Purchase

REFUNDED = "charge.refunded"


def test_a_part(desk: Desk) -> None:
    buys = Purchase()
    desk.tell(buys.completed(), buys.refund(1000))
    made = desk.only_order()
    assert (made["payment_status"], made["refunded"]) == ("paid", {"amount": 1000, "currency": "GBP"})
    assert desk.entry("order.refunded").params == {
        "amount": {"amount": 1000, "currency": "GBP"},
        "of": {"amount": 4300, "currency": "GBP"},
        "via": "Stripe",
        "mode": "live",
    }


def test_all_of_it(desk: Desk) -> None:
    buys = Purchase()
    desk.tell(buys.completed(), buys.refund(4300, created=AT + 60))
    made = desk.only_order()
    assert made["payment_status"] == "refunded"
    assert made["times"]["refunded_at"] == "2026-02-23T10:01:00.000Z"
    assert desk.types() == ["order.created", "order.refunded"]


def test_parts_add_up_and_each_is_told_once(desk: Desk) -> None:
    buys = Purchase()
    desk.tell(buys.completed(), buys.refund(1000), buys.refund(4300), buys.refund(1000))
    assert desk.only_order()["payment_status"] == "refunded"
    assert desk.types() == ["order.created", "order.refunded", "order.refunded"]


def test_one_that_comes_before_its_order_waits_for_it(desk: Desk) -> None:
    buys = Purchase()
    desk.tell(buys.refund(4300, created=AT - 5))
    assert desk.inbox() == [(REFUNDED, "parked")]
    assert desk.types() == []
    desk.tell(buys.completed(created=AT - 10))
    assert {state for _, state in desk.inbox()} == {"done"}
    made = desk.only_order()
    assert made["payment_status"] == "refunded"
    assert made["times"]["refunded_at"] == "2026-02-23T09:59:55.000Z"
    assert desk.types() == ["order.created", "order.refunded"]


def test_one_of_a_payment_nobody_knows_is_told_after_a_day(desk: Desk, store: Store) -> None:
    desk.tell(Purchase("unknown").refund(4300))
    while desk.inbox() == [(REFUNDED, "parked")]:
        assert desk.types() == []
        desk.clock.advance(30 * MINUTE)
        run_due(store)
    assert desk.inbox() == [(REFUNDED, "dead")]
    entry = desk.entry("webhook.unmatched")
    assert entry.level == "warning"
    assert entry.inserted_at >= AT * 1000 + PARKED_FOR
    assert entry.params["event_type"] == REFUNDED
    assert run_due(store) == 0


def test_a_charge_without_an_intent_waits_and_is_told(desk: Desk) -> None:
    desk.tell(Purchase().refund(4300, payment_intent=None))
    assert desk.inbox() == [(REFUNDED, "parked")]


def test_an_order_of_the_shops_own_program_is_found_by_its_payment(desk: Desk) -> None:
    made = desk.order()
    buys = Purchase(reference=made["number"])
    desk.tell(buys.refund(500), buys.completed())
    paid = desk.get(made["number"])
    assert (paid["payment_status"], paid["refunded"]["amount"]) == ("paid", 500)


def test_it_is_found_by_the_payment_that_paid_not_the_one_that_failed(desk: Desk) -> None:
    made = desk.order()
    first, second = (Purchase(name, reference=made["number"]) for name in ("first", "second"))
    desk.tell(first.awaiting(), first.failed(), second.completed(), second.refund(4300))
    assert desk.get(made["id"])["payment_status"] == "refunded"
    assert desk.types() == ["order.created", "order.payment_failed", "order.paid", "order.refunded"]


def test_the_intent_may_be_sent_along_whole(desk: Desk) -> None:
    buys = Purchase()
    whole = {"id": buys.intent, "object": "payment_intent", "amount": 4300}
    desk.tell(buys.completed(), buys.refund(4300, payment_intent=whole))
    assert desk.only_order()["payment_status"] == "refunded"


def test_a_test_mode_refund_is_told_as_such(desk: Desk) -> None:
    buys = Purchase(livemode=False)
    desk.tell(buys.completed(), buys.refund(1))
    assert desk.entry("order.refunded").params["mode"] == "test"


@pytest.mark.parametrize("early", [False, True])
def test_what_goes_back_of_a_second_payment_is_told_and_leaves_the_order_paid(
    desk: Desk, store: Store, early: bool
) -> None:
    """Also when it is told before that payment is."""
    made = desk.order()
    first, second = (Purchase(name, reference=made["number"]) for name in ("first", "second"))
    then = [second.refund(4300), second.completed()] if early else [second.completed(), second.refund(4300)]
    desk.tell(first.completed(), *then)
    assert {state for _, state in desk.inbox()} == {"done"}
    assert desk.types() == ["order.created", "order.paid_again", "order.refunded"]
    assert desk.entry("order.refunded").params["payment"] == "not the one that paid for the order"
    shown = desk.get(made["id"])
    assert (shown["payment_status"], shown["refunded"]) == ("paid", None)
    desk.tell(first.refund(4300))
    assert desk.get(made["id"])["payment_status"] == "refunded"


def test_a_second_payment_told_by_two_events_is_kept_once(desk: Desk) -> None:
    made = desk.order()
    first, second = (Purchase(name, reference=made["number"]) for name in ("first", "second"))
    desk.tell(first.completed(), second.completed(), second.succeeded(), second.refund(4300))
    assert desk.types() == ["order.created", "order.paid_again", "order.refunded"]
